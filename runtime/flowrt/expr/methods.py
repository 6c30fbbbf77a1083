"""A value, the name of a method and its arguments in; what the method of Python returns out.

The table holds the methods that change nothing and depend on nothing but their arguments: not on the
machine's time zone, not on its locale. The method of the type itself is called, so that a subclass cannot
put its own code in the place. Methods that can make something large have a check of their own, below.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from string import Formatter
from types import MappingProxyType
from typing import Any, TypeAlias, cast

from flowrt.expr.attributes import nearest, read_attribute
from flowrt.expr.budget import Budget
from flowrt.expr.kinds import a_kind, is_dict, is_set
from flowrt.expr.method_costs import pay_for_method
from flowrt.expr.order import items_of
from flowrt.expr.subscript import get_item
from flowrt.expr.text import format_value, text_of

Args: TypeAlias = tuple[object, ...]
Kwargs: TypeAlias = Mapping[str, object]
Special: TypeAlias = Callable[[object, Args, Kwargs, Budget], object]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STR = _words(
    "capitalize casefold center count endswith expandtabs find format index isalnum isalpha isascii"
    " isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust"
    " lower lstrip partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit"
    " rstrip split splitlines startswith strip swapcase title upper zfill"
)
_SET = _words("copy difference intersection isdisjoint issubset issuperset symmetric_difference union")
_DATE = _words("ctime isocalendar isoformat isoweekday replace strftime toordinal weekday")
_CLOCK = _words("dst tzname utcoffset")

METHODS: tuple[tuple[type, frozenset[str]], ...] = (
    (str, _STR),
    (list, _words("copy count index")),
    (tuple, _words("count index")),
    (dict, _words("copy get items keys values")),
    (MappingProxyType, _words("copy get items keys values")),
    (set, _SET),
    (frozenset, _SET),
    (datetime, _DATE | _CLOCK | _words("astimezone date time timestamp timetz")),
    (date, _DATE),
    (time, _CLOCK | _words("isoformat replace strftime")),
    (timedelta, _words("total_seconds")),
    (bytes, _words("count decode endswith find hex index startswith")),
    (int, _words("bit_count bit_length conjugate")),
    (float, _words("as_integer_ratio hex is_integer")),
)
"""The methods by type; a subclass stands before its base."""

_INSTEAD = {
    "append": "write `xs + [x]`",
    "extend": "write `xs + ys`",
    "insert": "write `xs[:i] + [x] + xs[i:]`",
    "pop": "write `xs[:-1]`, or a comprehension",
    "remove": "write `[x for x in xs if x != y]`",
    "sort": "write `sorted(xs)`",
    "reverse": "write `xs[::-1]`",
    "clear": "write an empty one",
    "update": "write `dict(d, key=value)`",
    "setdefault": "write `d.get(key, default)`",
    "popitem": "write a comprehension",
    "add": "write `s.union([x])`",
    "discard": "write `s.difference([x])`",
    "encode": "have a task make the bytes",
    "translate": "write `replace`, or use a task",
    "format_map": "write `format` or an f-string",
}


def owner_of(value: object, name: str) -> type:
    """The type of the table whose method of that name a value has.

    Raises:
        AttributeError: There is none; the message says what to write.
    """
    for cls, names in METHODS:
        if isinstance(value, cls):
            if name not in names:
                raise AttributeError(_missing(value, name, names))
            return cls
    raise AttributeError(_missing(value, name, frozenset()))


def call_method(owner: type, value: object, name: str, args: Args, kwargs: Kwargs, budget: Budget) -> object:
    """`value.name(*args, **kwargs)`, as `owner` has it."""
    special = _SPECIAL.get((owner, name))
    if special is not None:
        return special(value, args, kwargs, budget)
    pay_for_method(value, name, args, kwargs, budget)
    return cast("object", getattr(owner, name)(value, *args, **kwargs))


def _missing(value: object, name: str, names: frozenset[str]) -> str:
    if value is None:
        return f"None has no method `{name}`; test with `is not None` before calling it"
    what = f"{a_kind(value)} has no method `{name}` in expressions"
    if names and name in _INSTEAD and hasattr(type(value), name):
        return f"{what}; {_INSTEAD[name]}"
    if not names:
        return f"{what}; give the call to a task"
    near = nearest(name, sorted(names))
    return f"{what}; did you mean `{near}`?" if near else f"{what}; there are {', '.join(sorted(names))}"


def _join(value: object, args: Args, kwargs: Kwargs, budget: Budget) -> object:
    assert isinstance(value, str)  # The table says so.
    if kwargs or len(args) != 1:
        return value.join(*cast("Any", args), **kwargs)
    texts = items_of(args[0], budget)
    total = sum(len(text) for text in texts if isinstance(text, str))
    budget.characters(total + len(value) * max(len(texts) - 1, 0))
    return str.join(value, cast("list[str]", texts))


def _format(value: object, args: Args, kwargs: Kwargs, budget: Budget) -> object:
    assert isinstance(value, str)  # The table says so.
    budget.characters(len(value))
    return _Formatter(budget).vformat(value, args, kwargs)


def _of_sets(cls: type, name: str) -> Special:
    def call(value: object, args: Args, kwargs: Kwargs, budget: Budget) -> object:
        others = [arg if is_set(arg) or is_dict(arg) else items_of(arg, budget) for arg in args]
        pay_for_method(value, name, tuple(others), kwargs, budget)
        return cast("object", getattr(cls, name)(value, *others, **kwargs))

    return call


_SPECIAL: dict[tuple[type, str], Special] = {
    (str, "join"): _join,
    (str, "format"): _format,
    **{(cls, name): _of_sets(cls, name) for cls in (set, frozenset) for name in _SET - {"copy"}},
}

_STEP = re.compile(r"\.([^.\[\]]+)|\[([^\]]+)\]")
_PATH = re.compile(rf"(?:{_STEP.pattern})*")


class _Formatter(Formatter):
    """`str.format` that reads data only, and pays."""

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self.budget = budget

    def get_field(
        self, field_name: str, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> tuple[object, "int | str"]:
        """The value of a name with `.attribute` and `[key]` behind it."""
        first = re.split(r"[.\[]", field_name, maxsplit=1)[0]
        key = int(first) if first.isdecimal() else first
        rest = field_name[len(first) :]
        if not _PATH.fullmatch(rest):
            raise ValueError(f"the field {field_name!r} of the format is not well formed")
        value: object = self.get_value(key, args, kwargs)
        for attribute, index in _STEP.findall(rest):
            item = int(index) if index.isdecimal() else index
            value = read_attribute(value, attribute) if attribute else get_item(value, item, self.budget)
        return value, key

    def format_field(self, value: object, format_spec: str) -> str:
        """The text of a value."""
        return format_value(value, format_spec, self.budget)

    def convert_field(self, value: object, conversion: str | None) -> object:
        """The value, or its text for `!s`, `!r`, `!a`."""
        match conversion:
            case "s" | "r" | "a":
                return text_of(value, conversion, self.budget)
            case None:
                return value
            case _:
                raise ValueError(f"unknown conversion specifier {conversion!r}")
