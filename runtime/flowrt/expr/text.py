"""A value in; its text out, as `str`, `repr` and `format` of Python give it, within the budget.

Lists, tuples, dicts and sets are written here and not by `repr`, for two reasons: sets get the order of
`flowrt.expr.order`, and a small value can have a huge text. A value whose text is its address in memory
has none: it would be another after a resume.
"""

import re
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from typing import Literal, cast

from flowrt.expr.attributes import record_fields
from flowrt.expr.budget import MAX_CHARACTERS, SHORT, Budget, ExpressionError
from flowrt.expr.kinds import LIGHT, a_kind, is_dict, is_lazy, is_set, is_text, is_view, may_compute, refuse
from flowrt.expr.order import in_order

_MAX_DEPTH = 100
_BITS_PER_CHARACTER = 3
"""In octal; in `%`, a hexadecimal or decimal text is shorter."""
_LONG_TEXT = 1000
_BYTES_ESCAPED = 4
"""As many characters as `\\x00` has."""
_NUMBER = re.compile(r"\d+")
_MAX_DIGITS = len(str(MAX_CHARACTERS))
_SPEC = re.compile(
    r"%(?:\((?P<key>[^)]*)\))?[#0\- +]*(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d*))?[hlL]?(.)", re.DOTALL
)


def text_of(value: object, conversion: Literal["", "s", "r", "a"], budget: Budget) -> str:
    """`str(value)` for the conversions "" and "s", `repr(value)` for "r", `ascii(value)` for "a"."""
    if isinstance(value, str):
        budget.characters(len(value) if conversion in ("", "s") else 10 * len(value))
        plain = conversion in ("", "s")
        return str(value) if plain else repr(value) if conversion == "r" else ascii(value)
    if type(value) in LIGHT:
        return str(value)
    if conversion in ("", "s") and not _is_written_here(value):
        return _leaf(value, str, budget)
    written = _Writer(budget).write(value)
    return ascii_of(written) if conversion == "a" else written


def ascii_of(text: str) -> str:
    """A text with its characters beyond ASCII as escapes, as `ascii` makes them."""
    return text.encode("ascii", "backslashreplace").decode("ascii")


def format_value(value: object, spec: str, budget: Budget) -> str:
    """`format(value, spec)`."""
    if not spec:
        return text_of(value, "s", budget)
    check_numbers(spec, budget)
    if not may_compute(value):
        raise refuse(value, "formatting")
    if isinstance(value, str):
        budget.characters(len(value))
    elif isinstance(value, int) and not -SHORT < value < SHORT:
        budget.characters(2 * value.bit_length())  # In binary, with a `_` after every four digits.
    return format(value, spec)


def check_numbers(spec: str, budget: Budget) -> None:
    """Pay for a text as wide as the numbers in a format say."""
    total = len(spec)
    for found in _NUMBER.finditer(spec):
        total += MAX_CHARACTERS + 1 if len(found[0].lstrip("0")) > _MAX_DIGITS else int(found[0])
    budget.characters(total)


def percent(template: str, values: object, budget: Budget) -> str:
    """`template % values`."""
    budget.characters(len(template))
    given = _given(values)
    _pay_percent(template, values, given, budget)
    if is_dict(values):
        return template % {key: _Shown.of(value, budget) for key, value in values.items()}
    return template % tuple(_Shown.of(value, budget) for value in given)


def _given(values: object) -> tuple[object, ...]:
    return cast("tuple[object, ...]", values) if isinstance(values, tuple) else (values,)


def _pay_percent(template: str, values: object, given: tuple[object, ...], budget: Budget) -> None:
    """Pay for the widths in the template; `*` takes one from the arguments."""
    arguments = iter(given)
    for spec in _SPEC.finditer(template):
        if "(" in (spec["key"] or ""):
            raise ExpressionError("A key of `%` holds a bracket; write an f-string instead.")
        for width in (spec["width"], spec["precision"]):
            if width == "*":
                wide = next(arguments, None)
                budget.characters(abs(wide) if isinstance(wide, int) else 0)
            elif width:
                check_numbers(width, budget)
        if spec["key"] is not None:
            _pay_int(values.get(spec["key"]) if is_dict(values) else None, budget)
        elif spec[4] != "%":
            _pay_int(next(arguments, None), budget)


def _pay_int(value: object, budget: Budget) -> None:
    if isinstance(value, int) and not -SHORT < value < SHORT:
        budget.characters(value.bit_length() // _BITS_PER_CHARACTER)


class _Shown:
    """What stands for a value in `%`, which asks for nothing but its text."""

    def __init__(self, value: object, budget: Budget) -> None:
        self.value, self.budget = value, budget

    def __str__(self) -> str:
        return text_of(self.value, "s", self.budget)

    def __repr__(self) -> str:
        return text_of(self.value, "r", self.budget)

    @staticmethod
    def of(value: object, budget: Budget) -> object:
        """The value itself, if Python prints it well and it is short."""
        plain = may_compute(value) and not _is_written_here(value) and not is_lazy(value)
        plain = plain and not (is_text(value) and len(value) > _LONG_TEXT)
        return value if plain else _Shown(value, budget)


def _is_written_here(value: object) -> bool:
    return type(value) in (list, tuple, dict, set, frozenset) or is_view(value) or _is_record(value)


def _is_record(value: object) -> bool:
    return isinstance(value, tuple) and bool(record_fields(cast("tuple[object, ...]", value)))


class _Writer:
    """A walk through a value that collects its text."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.pieces: list[str] = []
        self.size = 0

    def write(self, value: object) -> str:
        """The text of the value."""
        self.budget.walk(value)
        self._value(value, 0)
        self.budget.characters(self.size)
        return "".join(self.pieces)

    def _put(self, piece: str) -> None:
        self.size += len(piece)
        if self.size > MAX_CHARACTERS:
            self.budget.characters(self.size)
        self.pieces.append(piece)

    def _value(self, value: object, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise ExpressionError(f"The text of a value more than {_MAX_DEPTH} levels deep is not made.")
        if not _is_written_here(value):
            self._put(_leaf(value, repr, self.budget))
        elif isinstance(value, list):
            self._items("[", cast("list[object]", value), "]", depth)
        elif isinstance(value, tuple):
            self._tuple(cast("tuple[object, ...]", value), depth)
        elif is_dict(value):
            self._dict(value, depth)
        elif is_set(value):
            self._set(value, depth)
        else:
            self._items(f"{type(value).__name__}([", cast("Iterable[object]", value), "])", depth)

    def _items(self, opener: str, values: Iterable[object], closer: str, depth: int) -> None:
        self._put(opener)
        for number, value in enumerate(values):
            if number:
                self._put(", ")
            self._value(value, depth + 1)
        self._put(closer)

    def _tuple(self, value: tuple[object, ...], depth: int) -> None:
        if not _is_record(value):
            self._items("(", value, ",)" if len(value) == 1 else ")", depth)
            return
        names = record_fields(value)
        self._put(f"{type(value).__name__}(")
        for number, (name, item) in enumerate(zip(names, value, strict=True)):
            self._put(f", {name}=" if number else f"{name}=")
            self._value(item, depth + 1)
        self._put(")")

    def _dict(self, value: dict[object, object], depth: int) -> None:
        self._put("{")
        for number, (key, item) in enumerate(value.items()):
            if number:
                self._put(", ")
            self._value(key, depth + 1)
            self._put(": ")
            self._value(item, depth + 1)
        self._put("}")

    def _set(self, value: AbstractSet[object], depth: int) -> None:
        name = type(value).__name__
        if not value:
            self._put(f"{name}()")
            return
        opener, closer = ("{", "}") if isinstance(value, set) else ("frozenset({", "})")
        self._items(opener, in_order(value, self.budget), closer, depth)


def _leaf(value: object, show: Callable[[object], str], budget: Budget) -> str:
    if isinstance(value, bytes):
        budget.characters(_BYTES_ESCAPED * len(value))
    cls = type(value)
    plain = cls.__repr__ is object.__repr__ and (show is repr or cls.__str__ is object.__str__)
    if plain or is_lazy(value) or callable(value):
        raise ExpressionError(f"The text of {a_kind(value)} is its address in memory; name a field of it.")
    return show(value)
