"""An expression of the DSL in a place for data comes in; the data that it is goes out, or `${{ }}` around it.

A number, a boolean, a text, None, a list or a map of such is itself. An f-string whose fields are made text
(`{e!s}`) is a text with `${{ e }}` in it, which says the same.
"""

import math

from flowc.expr.lay_out import on_one_line
from flowc.expr.parse import parse_expression
from flowc.resolve.templates import split_template
from flowc.span import Source
from flowc.tree import Entry, Mapping, Node, Scalar, Sequence
from flowrt.expr.tree import Attribute, Call, Const, DictOf, Expr, FString, ListOf, Name

_NOWHERE = Source("", "")
_WORDS = {True: "true", False: "false", None: "null"}


def data_of(scalar: Scalar) -> Node:
    """The data that an expression is."""
    expr = _parsed(scalar.text)
    return _wrapped(scalar, scalar.text) if expr is None else _data(scalar, expr)


def called(scalar: Scalar) -> str | None:
    """The first name of the callee of a lone call, `account()` for a method of `account(key)`; else None."""
    expr = _parsed(scalar.text) if scalar.text.endswith(")") else None
    callee = expr.func if isinstance(expr, Call) else None
    if isinstance(callee, Attribute) and isinstance(callee.value, Call):
        actor = callee.value.func
        return f"{actor.id}()" if isinstance(actor, Name) else None
    while isinstance(callee, Attribute):
        callee = callee.value
    return callee.id if isinstance(callee, Name) else None


def _parsed(text: str) -> Expr | None:
    return parse_expression(text, lambda index: index, _NOWHERE)[0]


def _data(scalar: Scalar, expr: Expr) -> Node:
    match expr:
        case Const(value=value):
            return _constant(scalar, value) or _wrapped(scalar, _slice(scalar, expr))
        case ListOf(parts=parts):
            return Sequence(scalar.span, tuple(_data(scalar, part) for part in parts), flow=True)
        case DictOf(items=items) if _has_names(expr):
            entries = tuple(Entry(_key(scalar, key), _data(scalar, value)) for key, value in items)
            return Mapping(scalar.span, entries, flow=True)
        case FString():
            return _template(scalar, expr) or _wrapped(scalar, _slice(scalar, expr))
        case _:
            return _wrapped(scalar, _slice(scalar, expr))


def _constant(scalar: Scalar, value: object) -> Scalar | None:
    match value:
        case str() if "${{" not in value:
            return Scalar(scalar.span, value, value, "double", scalar.origin)
        case bool() | None:
            return Scalar(scalar.span, _WORDS[value], value, "plain", scalar.origin)
        case int() | float():
            return Scalar(scalar.span, _number(value), value, "plain", scalar.origin)
        case _:
            return None


def _has_names(expr: DictOf) -> bool:
    """Whether all keys are different texts."""
    keys = [key.value for key, _ in expr.items if isinstance(key, Const) and isinstance(key.value, str)]
    return len(set(keys)) == len(expr.items) and not any("${{" in key for key in keys)


def _key(scalar: Scalar, key: Expr) -> Scalar:
    assert isinstance(key, Const)  # As has been made sure of.
    text = str(key.value)
    return Scalar(scalar.span, text, text, "double", scalar.origin)


def _template(scalar: Scalar, expr: FString) -> Scalar | None:
    """The text with `${{ }}` in it that an f-string is; None when a field of it is not just made text."""
    parts: list[str] = []
    for part in expr.parts:
        if isinstance(part, str):
            parts.append(part)
        elif part.conversion == "s" and part.format is None:
            parts.append("${{ " + _slice(scalar, part.value) + " }}")
        else:
            return None
    text = "".join(parts)
    holes = split_template(text)
    fields = sum(not isinstance(part, str) for part in expr.parts)
    if not isinstance(holes, tuple) or len(holes) != fields or not fields or len(expr.parts) < 2:  # noqa: PLR2004
        return None
    return Scalar(scalar.span, text, text, "double", scalar.origin)


def _number(value: float) -> str:
    if isinstance(value, float) and math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    return repr(value)


def _slice(scalar: Scalar, expr: Expr) -> str:
    """The text of a part, with the brackets that its place does not show."""
    start, end = expr.at
    return scalar.text[start:end]


def _wrapped(scalar: Scalar, text: str) -> Scalar:
    text = "${{ " + on_one_line(text) + " }}"
    return Scalar(scalar.span, text, text, "plain", scalar.origin)
