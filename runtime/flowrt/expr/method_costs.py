"""A value, a method and its arguments in; the price paid, or an error before the method is called.

Here too: what of a method would follow the time zone or the locale of the machine is refused.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import TypeAlias

from flowrt.expr.budget import MAX_ELEMENTS, Budget, ExpressionError
from flowrt.expr.kinds import is_mapping, is_parts, is_set, is_text
from flowrt.expr.operators import pay_hash

Args: TypeAlias = tuple[object, ...]
Kwargs: TypeAlias = Mapping[str, object]

_ENCODINGS = ("utf-8", "ascii", "latin-1", "utf-16")
_DIRECTIVE = re.compile(r"%[-_0-9^#+EO]")
_GROWTH = 3
"""No change of case makes a text more than three times as long (as `ΐ` does)."""


def pay_for_method(value: object, name: str, args: Args, kwargs: Kwargs, budget: Budget) -> None:
    """Pay for `value.name(*args, **kwargs)`."""
    if isinstance(value, str):
        _TEXT.get(name, _text)(value, args, kwargs, budget)
    elif isinstance(value, bytes):
        _bytes(value, name, args, kwargs, budget)
    elif is_mapping(value):
        if name == "get" and args:
            pay_hash(args[0], budget)
        elif name == "copy":
            budget.elements(len(value))
    elif is_parts(value) or is_set(value):
        budget.elements(len(value))
        for part in (value, *args):
            budget.walk(part)
    elif isinstance(value, (date, time)):
        _clock(value, name, args, kwargs, budget)


def _number(args: Args, kwargs: Kwargs, index: int, name: str, default: int) -> int:
    value = args[index] if len(args) > index else kwargs.get(name, default)
    return value if isinstance(value, int) else 0


def _text(value: str, args: Args, _: Kwargs, budget: Budget) -> None:
    budget.spend(len(value) // 100)
    if len(value) > MAX_ELEMENTS:
        budget.characters(_GROWTH * len(value))
    for arg in args:
        if is_text(arg):
            budget.scan(len(arg))


def _width(value: str, args: Args, kwargs: Kwargs, budget: Budget) -> None:
    budget.characters(max(len(value), _number(args, kwargs, 0, "width", 0)))


def _tabs(value: str, args: Args, kwargs: Kwargs, budget: Budget) -> None:
    budget.characters(len(value) + value.count("\t") * max(_number(args, kwargs, 0, "tabsize", 8), 0))


def _replace(value: str, args: Args, _: Kwargs, budget: Budget) -> None:
    old, new = (*args, None, None)[:2]
    if isinstance(old, str) and isinstance(new, str):
        count = value.count(old)
        most = _number(args, {}, 2, "", -1)
        count = count if most < 0 else min(count, most)
        budget.characters(len(value) + count * max(len(new) - len(old), 0))


def _split(value: str, args: Args, kwargs: Kwargs, budget: Budget) -> None:
    sep = args[0] if args else kwargs.get("sep")
    if isinstance(sep, str) and sep:
        most = _number(args, kwargs, 1, "maxsplit", -1)
        count = value.count(sep) + 1
        budget.elements(count if most < 0 else min(count, most + 1))
    elif len(value) > 2 * MAX_ELEMENTS:
        budget.elements(len(value.split(None, MAX_ELEMENTS)))
    budget.characters(len(value))


def _lines(value: str, _: Args, __: Kwargs, budget: Budget) -> None:
    # Every line but the last has an end of one character at least.
    if len(value) >= MAX_ELEMENTS:
        budget.elements(sum(value.count(end) for end in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029") + 1)
    budget.characters(len(value))


_TEXT: dict[str, Callable[[str, Args, Kwargs, Budget], None]] = {
    **dict.fromkeys(("center", "ljust", "rjust", "zfill"), _width),
    **dict.fromkeys(("split", "rsplit"), _split),
    "expandtabs": _tabs,
    "replace": _replace,
    "splitlines": _lines,
}


def _bytes(value: bytes, name: str, args: Args, kwargs: Kwargs, budget: Budget) -> None:
    budget.characters(2 * len(value) if name in ("decode", "hex") else 0)
    budget.scan(len(value))
    if name == "decode" and (args[1:] or kwargs or (args and args[0] not in _ENCODINGS)):
        raise ExpressionError(f"Bytes are decoded as one of {', '.join(_ENCODINGS)}; use a task for others.")


def _clock(value: date | time, name: str, args: Args, kwargs: Kwargs, budget: Budget) -> None:
    if name == "strftime":
        form = args[0] if args else kwargs.get("format")
        if isinstance(form, str):
            budget.characters(100 * len(form))
            _check_directives(form)
    elif not isinstance(value, datetime):
        return
    elif name == "astimezone" and (value.tzinfo is None or not (args or kwargs)):
        raise ExpressionError(
            "The result would follow the time zone of the machine;"
            " use a datetime with an offset, and name the zone."
        )
    elif name == "timestamp" and value.tzinfo is None:
        raise ExpressionError(
            "The datetime has no offset, so its instant would follow the time zone of the machine;"
            ' write the text with one, such as "2026-01-01T00:00Z".'
        )


def _check_directives(form: str) -> None:
    """Refuse `%1000000d`, with which the C library would fill the memory."""
    if _DIRECTIVE.search(form.replace("%%", "")):
        raise ExpressionError(
            "Flags and widths in a format of `strftime` are not in the language; pad with an f-string."
        )
