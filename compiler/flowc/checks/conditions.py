"""Conditions that are not true or false by their type."""

from collections.abc import Iterator

from flowc.diagnostic import Diagnostic, Fix
from flowc.expr.types import show
from flowc.ir import File
from flowc.scope.facts import Condition, FlowFacts
from flowrt.expr.tree import Attribute, Binary, Call, Const, Expr, Index, Name
from flowrt.type_ref import TypeRef

SIZED = frozenset({"list", "dict", "set", "tuple"})


def conditions(facts: FlowFacts) -> Iterator[Diagnostic]:
    """Conditions of a known type that cannot be a truth value."""
    for condition in facts.conditions:
        if not _may_be_bool(condition.type):
            yield _finding(condition, facts.file)


def _may_be_bool(type_ref: TypeRef) -> bool:
    if type_ref.name == "|":
        return any(_may_be_bool(each) for each in type_ref.args)
    return type_ref.name in {"bool", "any"}


def _finding(condition: Condition, file: File) -> Diagnostic:
    proposal = _proposal(
        condition.expr, condition.type, file.source.text[condition.at.start : condition.at.end]
    )
    shown = "None" if condition.type.name == "None" else f"of the type `{show(condition.type)}`"
    return Diagnostic(
        "F0210",
        f"the condition of `{condition.place}` is {shown}, not true or false",
        file.source,
        condition.at,
        hint=f"write `{proposal}`" if proposal else "",
        help="write a comparison, or another value of the type `bool`: nothing else counts as true or false",
        fixes=(Fix(condition.at, proposal, f"write `{proposal}`"),) if proposal else (),
    )


def _proposal(expr: Expr, type_ref: TypeRef, text: str) -> str:
    """The comparison that was probably meant; nothing when there is no saying."""
    if isinstance(expr, Const) or "\n" in text or not text:
        return ""
    operand = text if isinstance(expr, Name | Attribute | Index | Call | Binary) else f"({text})"
    if type_ref.name == "|":
        has_none = any(each.name == "None" for each in type_ref.args)
        return f"{operand} is not None" if has_none else ""
    if type_ref.name in SIZED:
        return f"len({text}) > 0"
    if type_ref.name == "str":
        return f'{operand} != ""'
    return f"{operand} != 0" if type_ref.name in {"int", "float"} else ""
