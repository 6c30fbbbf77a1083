"""Two files as IR come in; whether they say the same, wherever it stands in their texts, goes out."""

from dataclasses import fields, is_dataclass

from flowrt.expr.tree import Const, Unary

PLACES = frozenset({"span", "at", "source"})


def plain(part):
    """A part of an IR as data without places: equal data is equal IR, and what differs shows in a diff.

    A minus before a number is a part of it, as it is where YAML reads the number.
    """
    match part:
        case Unary(op="-", operand=Const(value=int() | float() as number)) if type(number) is not bool:
            return plain(Const(-number))
        case _:
            pass
    if is_dataclass(part) and not isinstance(part, type):
        named = {
            each.name: plain(getattr(part, each.name)) for each in fields(part) if each.name not in PLACES
        }
        return (type(part).__name__, named)
    if isinstance(part, tuple | list):
        return [plain(each) for each in part]
    if isinstance(part, dict):
        return {key: plain(value) for key, value in part.items()}
    return (type(part).__name__, repr(part))


def ir_equal(a, b):
    """Whether two files, flows or steps are the same but for their places."""
    return plain(a) == plain(b)
