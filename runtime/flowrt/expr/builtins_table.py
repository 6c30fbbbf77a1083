"""The name of a builtin function and its arguments in; its value out, paid for before it is computed.

Each function is Python's own of that name, with the same keyword arguments, but for `key` of `sorted`,
`min` and `max`: it would need a function, and an expression cannot make one. Four are ours: `first`,
`duration`, `from_json`, `to_json`; and `datetime` takes a text only.
"""

import builtins
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any, TypeAlias, cast

from flowrt.expr.attributes import field_names, read_attribute
from flowrt.expr.budget import Budget, BudgetExceeded, ExpressionError
from flowrt.expr.durations import format_duration, parse_duration
from flowrt.expr.kinds import (
    LIGHT,
    a_kind,
    is_lazy,
    is_mapping,
    is_parts,
    is_set,
    is_sized,
    is_text,
    is_true,
    may_compute,
    refuse,
)
from flowrt.expr.operators import BINARY, divide, made, pay_hash
from flowrt.expr.order import items_of, iterate, paid_items
from flowrt.expr.text import text_of

Args: TypeAlias = tuple[object, ...]
Kwargs: TypeAlias = Mapping[str, object]
Builtin: TypeAlias = Callable[[Args, Kwargs, Budget], object]

_MAX_JSON_DEPTH = 100
_BITS_PER_DIGIT = 5
_DECIMAL_BITS = 4
_ONE_OR_TWO = (1, 2)
_PLAIN = (int, float, bool)
_WORD = 1 << 63
_BOUND_BITS = 256
_ROW_OF_DIGITS = 400
_MOST_DIGITS = 4300


def _python(function: Callable[..., object], args: Args, kwargs: Kwargs) -> object:
    """Python's own function, or its own error for arguments that it does not take."""
    return function(*args, **kwargs)


def _len(args: Args, kwargs: Kwargs, _: Budget) -> object:
    if len(args) == 1 and hasattr(type(args[0]), "__len__") and not is_sized(args[0]):
        raise refuse(args[0], "`len` of")
    return _python(len, args, kwargs)


def _extreme(function: Callable[..., object]) -> Builtin:
    def call(args: Args, kwargs: Kwargs, budget: Budget) -> object:
        _no_key(kwargs, function.__name__)
        if len(args) != 1:
            budget.walk(args)
            return _python(function, args, kwargs)
        return function(_walked(args[0], budget), **kwargs)

    return call


def _walked(values: object, budget: Budget) -> Iterator[object]:
    for value in paid_items(values, budget):
        if type(value) is int:
            budget.integer(value)
        elif type(value) not in LIGHT:
            budget.walk(value)
        yield value


def _sum(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    given = list(args)
    if len(given) not in _ONE_OR_TWO or set(kwargs) - {"start"} or (len(given) > 1 and kwargs):
        return _python(sum, args, kwargs)
    start = given[1] if len(given) > 1 else kwargs.get("start", 0)
    if is_text(start):
        return sum([], cast("Any", start))  # Python says what to write instead.
    items = paid_items(given[0], budget)
    # Python adds floats with more care than `+` does, so the numbers that come first are left to it.
    numbers: list[Any] = []
    total: object = start
    plain_start = _is_plain(start)
    for item in items:
        if plain_start and _is_plain(item):
            numbers.append(item)
        else:
            total = BINARY["+"](sum(numbers, cast("Any", start)), item, budget)
            break
    else:
        return cast("object", sum(numbers, cast("Any", start)))
    for item in items:
        total = BINARY["+"](total, item, budget)
    return total


def _is_plain(value: object) -> bool:
    """Whether `sum` adds a value without going through its digits."""
    return type(value) in _PLAIN and (not isinstance(value, int) or -_WORD <= value < _WORD)


def _sorted(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    _no_key(kwargs, "sorted")
    if len(args) != 1:
        return _python(sorted, args, kwargs)
    values = items_of(args[0], budget)
    budget.walk(values)
    budget.spend(len(values))
    return sorted(cast("Any", values), **cast("Any", kwargs))


def _no_key(kwargs: Kwargs, name: str) -> None:
    if "key" in kwargs:
        raise ExpressionError(
            f"`key` of `{name}` needs a function, which an expression cannot make;"
            f" write `{name}([(x.field, x) for x in xs])`, or give it to a task."
        )


def _reversed(args: Args, kwargs: Kwargs, _: Budget) -> object:
    if len(args) == 1 and hasattr(type(args[0]), "__reversed__") and not may_compute(args[0]):
        raise refuse(args[0], "`reversed` of")
    return _python(reversed, args, kwargs)


def _enumerate(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    _check_bounds((*args[1:], *kwargs.values()))
    if args:
        return enumerate(iterate(args[0], budget), *cast("Any", args[1:]), **cast("Any", kwargs))
    if "iterable" in kwargs:
        rest = {name: value for name, value in kwargs.items() if name != "iterable"}
        return enumerate(iterate(kwargs["iterable"], budget), **cast("Any", rest))
    return _python(enumerate, args, kwargs)


def _zip(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    return zip(*(iterate(arg, budget) for arg in args), **cast("Any", kwargs))  # noqa: B905 - as the author says


def _quantifier(function: Callable[..., bool]) -> Builtin:
    def call(args: Args, kwargs: Kwargs, budget: Budget) -> object:
        if len(args) != 1 or kwargs:
            return _python(function, args, kwargs)
        return function(_truths(args[0], budget))

    return call


def _truths(values: object, budget: Budget) -> Iterator[bool]:
    for value in iterate(values, budget):
        budget.spend(1)
        yield is_true(value)


def _abs(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    _own(args, "`abs` of")
    return made(_python(abs, args, kwargs), budget)


def _round(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    _own(args, "`round` of")
    digits = args[1] if len(args) > 1 else kwargs.get("ndigits")
    if isinstance(digits, int) and not (args and isinstance(args[0], float)):
        budget.bits(_DECIMAL_BITS * abs(digits))
        budget.product(_DECIMAL_BITS * abs(digits), _DECIMAL_BITS * abs(digits))
    return made(_python(round, args, kwargs), budget)


def _divmod(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    if len(args) == len(_ONE_OR_TWO) and not kwargs:
        return divide(args[0], args[1], budget)
    return _python(divmod, args, kwargs)


def _int(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    _own(args, "`int` of")
    text = args[0] if args else None
    if isinstance(text, (str, bytes)):
        budget.scan(len(text))
        # Python refuses long texts in bases where the work grows with the square of the length.
        budget.spend((min(len(text), _MOST_DIGITS) // _ROW_OF_DIGITS) ** 2)
        if len(args) > 1 or kwargs:
            # Bases that are powers of two know no limit of digits.
            budget.bits(len(text) * _BITS_PER_DIGIT)
    return made(_python(int, args, kwargs), budget)


def _float(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    _own(args, "`float` of")
    if args and is_text(args[0]):
        budget.scan(len(args[0]))
    return _python(float, args, kwargs)


def _bool(args: Args, kwargs: Kwargs, _: Budget) -> object:
    if len(args) == 1 and not kwargs:
        return is_true(args[0])
    return _python(bool, args, kwargs)


def _str(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    if not args and not kwargs:
        return ""
    if len(args) != 1 or kwargs:
        raise TypeError("str() takes one value in expressions; bytes are decoded with `.decode()`")
    return text_of(args[0], "s", budget)


def _collection(function: Callable[..., object]) -> Builtin:
    def call(args: Args, kwargs: Kwargs, budget: Budget) -> object:
        if len(args) != 1 or kwargs:
            return _python(function, args, kwargs)
        return function(items_of(args[0], budget))

    return call


def _set(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    if len(args) != 1 or kwargs:
        return _python(set, args, kwargs)
    return set(_hashed(args[0], budget))


def _hashed(values: object, budget: Budget) -> Iterator[object]:
    if is_sized(values) and not isinstance(values, range):
        budget.hashed(len(values))
    for value in paid_items(values, budget):
        pay_hash(value, budget)
        yield value


def _dict(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    if len(args) != 1:
        return _python(dict, args, kwargs)
    if is_mapping(args[0]):
        budget.elements(len(args[0]))
        return dict(args[0], **kwargs)
    if hasattr(type(args[0]), "keys") and not may_compute(args[0]):
        raise refuse(args[0], "`dict` of")
    return dict(cast("Iterator[tuple[str, object]]", _pairs(args[0], budget)), **kwargs)


def _pairs(values: object, budget: Budget) -> Iterator[object]:
    for pair in paid_items(values, budget):
        taken = items_of(pair, budget) if is_lazy(pair) or is_set(pair) else pair
        if is_parts(taken) and len(taken) > 0:
            pay_hash(taken[0], budget)
        yield taken


def _range(args: Args, kwargs: Kwargs, _: Budget) -> object:
    _check_bounds(args)
    return _python(range, args, kwargs)


def _check_bounds(bounds: Args) -> None:
    """Refuse to count in numbers so long that each takes as much memory as a text."""
    if any(isinstance(bound, int) and bound.bit_length() > _BOUND_BITS for bound in bounds):
        raise BudgetExceeded(f"An expression counts in numbers of at most {_BOUND_BITS} bits.")


def _first(args: Args, kwargs: Kwargs, _: Budget) -> object:
    if kwargs or not args:
        raise TypeError("first() takes values without names, one at least")
    return next((value for value in args if value is not None), None)


def _duration(args: Args, kwargs: Kwargs, _: Budget) -> object:
    text = _one_text("duration", args, kwargs)
    found = parse_duration(text)
    if found is None:
        raise ValueError(f"{text[:100]!r} is not a duration; write one such as '30s', '1h30m' or 'PT5M'")
    return found


def _datetime(args: Args, kwargs: Kwargs, _: Budget) -> object:
    text = _one_text("datetime", args, kwargs)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text[:100]!r} is not a date and time; write one such as '2026-01-31T09:00:00Z'"
        ) from None
    # `now()` and the events have an offset, and Python compares no datetime with one to one without.
    return found if found.tzinfo is not None else found.replace(tzinfo=timezone.utc)  # noqa: UP017


def _from_json(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    text = _one_text("from_json", args, kwargs)
    budget.characters(len(text))
    try:
        return cast("object", json.loads(text, parse_constant=_no_constant))
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _to_json(args: Args, kwargs: Kwargs, budget: Budget) -> object:
    if len(args) != 1 or kwargs:
        raise TypeError("to_json() takes one value")
    budget.walk(args[0])
    text = json.dumps(_plain(args[0], 0, budget), ensure_ascii=False, allow_nan=False)
    budget.characters(len(text))
    return text


def _plain(value: object, depth: int, budget: Budget) -> object:
    """What JSON has for a value: dates and durations as text, objects as maps of their fields."""
    if depth > _MAX_JSON_DEPTH:
        raise ValueError(f"a value more than {_MAX_JSON_DEPTH} levels deep is not written as JSON")
    match value:
        case None | bool() | int() | float() | str():
            return value
        case date():
            return value.isoformat()
        case timedelta():
            return format_duration(value)
        case _:
            pass
    budget.spend(1)
    if is_mapping(value):
        return {_key(key): _plain(item, depth + 1, budget) for key, item in value.items()}
    if names := [] if isinstance(value, (range, complex, BaseException)) else field_names(value):
        return {name: _plain(read_attribute(value, name), depth + 1, budget) for name in names}
    if isinstance(value, (list, tuple, set, frozenset, range)) or is_lazy(value):
        return [_plain(item, depth + 1, budget) for item in items_of(cast("object", value), budget)]
    raise TypeError(f"{a_kind(value)} cannot be written as JSON; name its fields, or use a task")


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    raise TypeError(f"a key of JSON is a text, not {a_kind(key)}; write `str(key)`")


def _one_text(name: str, args: Args, kwargs: Kwargs) -> str:
    if len(args) == 1 and not kwargs and isinstance(args[0], str):
        return args[0]
    raise TypeError(f"{name}() takes one text" + (f", not {a_kind(args[0])}" if len(args) == 1 else ""))


def _own(args: Args, what: str) -> None:
    if args and not may_compute(args[0]):
        raise refuse(args[0], what)


BUILTINS: Mapping[str, Builtin] = {
    "len": _len,
    "min": _extreme(builtins.min),
    "max": _extreme(builtins.max),
    "sum": _sum,
    "sorted": _sorted,
    "reversed": _reversed,
    "range": _range,
    "enumerate": _enumerate,
    "zip": _zip,
    "any": _quantifier(builtins.any),
    "all": _quantifier(builtins.all),
    "abs": _abs,
    "round": _round,
    "divmod": _divmod,
    "int": _int,
    "float": _float,
    "str": _str,
    "bool": _bool,
    "list": _collection(builtins.list),
    "dict": _dict,
    "set": _set,
    "tuple": _collection(builtins.tuple),
    "first": _first,
    "duration": _duration,
    "datetime": _datetime,
    "from_json": _from_json,
    "to_json": _to_json,
}
