"""A constant and a declared type come in; the constant as a value of that type goes out, or why it is none.

YAML has no dates or durations, so a default of `2024-01-01` is text until the type of its input says
more. Classes take data that is checked when a run starts; `any` takes everything.
"""

from datetime import date, datetime

from flowrt.expr.durations import parse_duration
from flowrt.expr.tree import Const, DictOf, Expr, ListOf
from flowrt.noun import noun, replace
from flowrt.type_ref import TypeRef


@noun
class Misfit:
    """A constant is not of its type; `advice` says how one is written."""

    advice: str


_ADVICE = {
    "int": "write a whole number, without quotes",
    "float": "write a number, without quotes",
    "bool": "write `true` or `false`, without quotes",
    "str": "write text; put a number or `true` in quotes to make it text",
    "date": "write a date as `2026-01-31`",
    "datetime": "write an instant as `2026-01-31T09:00:00Z`",
    "duration": "write a duration as `30s`, `5m`, `1h30m`",
    "list": "write a list, `[a, b]`",
    "dict": "write a map, `{a: 1}`",
    "None": "write `null`",
}


def convert(expr: Expr, ref: TypeRef) -> Expr | Misfit:
    """The constant as a value of the type. An expression that is computed is taken as it is."""
    match ref.name:
        case "|":
            return _union(expr, ref)
        case "list" | "tuple" | "set":
            return _list(expr, ref)
        case "dict":
            return _dict(expr, ref)
        case "date" | "datetime" | "duration":
            return _moment(expr, ref.name)
        case "int" | "float" | "bool" | "str" | "None":
            return _scalar(expr, ref.name)
        case _:
            return expr


def _union(expr: Expr, ref: TypeRef) -> Expr | Misfit:
    misfit: Misfit | None = None
    for part in ref.args:
        result = convert(expr, part)
        if not isinstance(result, Misfit):
            return result
        misfit = misfit or result
    return misfit or expr


def _list(expr: Expr, ref: TypeRef) -> Expr | Misfit:
    if not isinstance(expr, ListOf):
        return Misfit(_ADVICE["list"]) if isinstance(expr, Const | DictOf) else expr
    element = ref.args[0] if ref.name != "tuple" and ref.args else TypeRef("any")
    parts: list[Expr] = []
    for part in expr.parts:
        result = convert(part, element)
        if isinstance(result, Misfit):
            return result
        parts.append(result)
    return replace(expr, parts=tuple(parts))


def _dict(expr: Expr, ref: TypeRef) -> Expr | Misfit:
    if not isinstance(expr, DictOf):
        return Misfit(_ADVICE["dict"]) if isinstance(expr, Const | ListOf) else expr
    element = ref.args[1] if len(ref.args) > 1 else TypeRef("any")
    items: list[tuple[Expr, Expr]] = []
    for key, value in expr.items:
        result = convert(value, element)
        if isinstance(result, Misfit):
            return result
        items.append((key, result))
    return replace(expr, items=tuple(items))


def _moment(expr: Expr, name: str) -> Expr | Misfit:
    misfit = Misfit(_ADVICE[name])
    if not isinstance(expr, Const):
        return misfit if isinstance(expr, ListOf | DictOf) else expr
    if not isinstance(expr.value, str):
        return misfit
    if name == "duration":
        duration = parse_duration(expr.value)
        return misfit if duration is None else replace(expr, value=duration)
    try:
        value = date.fromisoformat(expr.value) if name == "date" else datetime.fromisoformat(expr.value)
    except ValueError:
        return misfit
    return replace(expr, value=value)


def _scalar(expr: Expr, name: str) -> Expr | Misfit:
    misfit = Misfit(_ADVICE[name])
    if not isinstance(expr, Const):
        return misfit if isinstance(expr, ListOf | DictOf) else expr
    value = expr.value
    if name == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        return replace(expr, value=float(value))
    kind = "None" if value is None else type(value).__name__
    return expr if kind == name else misfit
