"""Write an expression: its tree comes in, its text goes out, with no more parentheses than it needs.

The text is in the language's own syntax and gives the same tree when it is read again, with two kinds of
exceptions. A constant that has no literal is shown in a form that says what it is, such as
`duration("30s")` or `<ndarray>`. A name that no author can write, such as `$0`, is shown as it is.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import assert_never, cast

from flowrt.expr.durations import format_duration
from flowrt.expr.tree import (
    Attribute,
    Binary,
    Call,
    Clause,
    Compare,
    Comprehension,
    Const,
    DictOf,
    Expr,
    Field,
    FString,
    IfElse,
    Index,
    ListOf,
    Logic,
    Name,
    SetOf,
    Slice,
    Target,
    TupleOf,
    Unary,
)

_TERNARY, _OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(10)
_BINARY = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "//": _PRODUCT, "%": _PRODUCT, "**": _POWER}
_BRACKETS = {"list": ("[", "]"), "set": ("{", "}"), "dict": ("{", "}"), "generator": ("(", ")")}


def write_expr(expr: Expr) -> str:
    """The text of an expression."""
    return _write(expr, _TERNARY)


def _write(expr: Expr, least: int) -> str:
    """The text, in parentheses when it binds less tightly than its surroundings need."""
    text, binds = _text(expr)
    return f"({text})" if binds < least else text


def _text(expr: Expr) -> tuple[str, int]:  # noqa: C901, PLR0911, PLR0912 - one arm a kind
    """The text of an expression and how tightly it binds."""
    match expr:
        case Const(value):
            return _constant(value)
        case Name(name):
            return name, _ATOM
        case Attribute(value, name):
            return f"{_receiver(value)}.{name}", _ATOM
        case Index(value, index):
            return f"{_write(value, _ATOM)}[{write_expr(index)}]", _ATOM
        case Slice(lower, upper, step):
            return _slice(lower, upper, step), _TERNARY
        case Unary(op, operand):
            return (f"not {_write(operand, _NOT)}", _NOT) if op == "not" else _signed(op, operand)
        case Binary(op, left, right):
            return _binary(op, left, right)
        case Compare(first, rest):
            parts = "".join(f" {op} {_write(part, _COMPARE + 1)}" for op, part in rest)
            return f"{_write(first, _COMPARE + 1)}{parts}", _COMPARE
        case Logic(op, parts):
            binds = _OR if op == "or" else _AND
            return f" {op} ".join(_write(part, binds + 1) for part in parts), binds
        case IfElse(test, then, orelse):
            return f"{_write(then, _OR)} if {_write(test, _OR)} else {_write(orelse, _TERNARY)}", _TERNARY
        case ListOf(parts):
            return f"[{_commas(parts)}]", _ATOM
        case TupleOf(parts):
            return f"({_commas(parts)}{',' if len(parts) == 1 else ''})", _ATOM
        case SetOf(parts):
            return f"{{{_commas(parts)}}}", _ATOM
        case DictOf(items):
            pairs = (f"{write_expr(key)}: {write_expr(value)}" for key, value in items)
            return f"{{{', '.join(pairs)}}}", _ATOM
        case FString():
            return _fstring(expr), _ATOM
        case Comprehension():
            return _comprehension(expr), _ATOM
        case Call():
            return _call(expr), _ATOM
        case _:
            assert_never(expr)


def _constant(value: object) -> tuple[str, int]:
    """A constant; a number below zero binds as a sign does."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return repr(value), _ATOM
    if isinstance(value, int | float):
        text = repr(value)
        text = f'float("{text}")' if text.lstrip("-") in {"inf", "nan"} else text
        return text, _SIGN if text.startswith("-") else _ATOM
    if isinstance(value, timedelta):
        return f'duration("{format_duration(value)}")', _ATOM
    if isinstance(value, datetime | date):
        return f'datetime("{value.isoformat()}")', _ATOM
    if isinstance(value, list | tuple | set | dict | bytes | frozenset):
        return repr(cast("object", value)), _ATOM
    return f"<{type(value).__name__}>", _ATOM


def _receiver(value: Expr) -> str:
    """What stands before a dot: `1.real` would be read as a number."""
    text = _write(value, _ATOM)
    return f"({text})" if isinstance(value, Const) and isinstance(value.value, int | float) else text


def _signed(op: str, operand: Expr) -> tuple[str, int]:
    """A sign and what it stands before; a number right behind a minus would be one number with it."""
    text = _write(operand, _SIGN)
    is_number = isinstance(operand, Const) and isinstance(operand.value, int | float)
    return f"{op}({text})" if op == "-" and is_number and text[0].isdigit() else f"{op}{text}", _SIGN


def _binary(op: str, left: Expr, right: Expr) -> tuple[str, int]:
    """`**` takes its right side first, and a sign there; the others their left side."""
    binds = _BINARY[op]
    if op == "**":
        return f"{_write(left, _ATOM)} ** {_write(right, _SIGN)}", binds
    return f"{_write(left, binds)} {op} {_write(right, binds + 1)}", binds


def _slice(lower: Expr | None, upper: Expr | None, step: Expr | None) -> str:
    text = f"{_optional(lower)}:{_optional(upper)}"
    return text if step is None else f"{text}:{write_expr(step)}"


def _optional(expr: Expr | None) -> str:
    return "" if expr is None else write_expr(expr)


def _call(call: Call) -> str:
    """A call; a generator that is its only argument needs no parentheses of its own."""
    func = _write(call.func, _ATOM)
    named = (f"{keyword.name}={write_expr(keyword.value)}" for keyword in call.kwargs)
    args = [*map(write_expr, call.args), *named]
    if len(args) == 1 and call.args and isinstance(call.args[0], Comprehension):
        text = args[0]
        return f"{func}{text}" if call.args[0].kind == "generator" else f"{func}({text})"
    return f"{func}({', '.join(args)})"


def _commas(parts: Iterable[Expr]) -> str:
    return ", ".join(write_expr(part) for part in parts)


def _fstring(expr: FString) -> str:
    """An f-string in the quotes that need the fewest escapes."""
    body = _fstring_body(expr)
    quote = '"' if '"' not in body else "'" if "'" not in body else '"""'
    return f"f{quote}{body}{quote}"


def _fstring_body(expr: FString) -> str:
    return "".join(_field(part) if isinstance(part, Field) else _literal(part) for part in expr.parts)


def _literal(text: str) -> str:
    shown = repr(text)[1:-1].replace("\\'", "'")
    return shown.replace("{", "{{").replace("}", "}}")


def _field(part: Field) -> str:
    value = write_expr(part.value)
    space = " " if value.startswith("{") else ""
    conversion = f"!{part.conversion}" if part.conversion else ""
    spec = "" if part.format is None else f":{_fstring_body(part.format)}"
    return f"{{{space}{value}{conversion}{spec}}}"


def _comprehension(expr: Comprehension) -> str:
    element = write_expr(expr.element)
    if expr.key is not None:
        element = f"{write_expr(expr.key)}: {element}"
    opening, closing = _BRACKETS[expr.kind]
    return f"{opening}{element}{''.join(map(_clause, expr.clauses))}{closing}"


def _clause(clause: Clause) -> str:
    conditions = "".join(f" if {_write(each, _OR)}" for each in clause.conditions)
    return f" for {_target(clause.targets)} in {_write(clause.items, _OR)}{conditions}"


def _target(target: Target) -> str:
    if isinstance(target, str):
        return target
    inner = ", ".join(map(_target, target))
    return f"({inner},)" if len(target) == 1 else f"({inner})"
