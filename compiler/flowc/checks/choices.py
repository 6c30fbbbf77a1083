"""Cases of a `switch` that are never chosen, and races that need what they cannot have."""

from collections.abc import Iterator

from flowc.diagnostic import Diagnostic, Label
from flowc.expr.types import show
from flowc.ir import Case, Race, Switch
from flowc.scope.facts import FlowFacts
from flowc.scope.reads import span_of
from flowc.span import Span
from flowrt.expr.tree import Const
from flowrt.type_ref import TypeRef

_FAMILIES = {"bool": "number", "int": "number", "float": "number", "str": "str", "None": "None"}
"""The types whose constants YAML can write, and which of them can be equal to one another."""


def unreached_cases(facts: FlowFacts) -> Iterator[Diagnostic]:
    """Values that an earlier case has, and constants that are of another type than the subject."""
    for switch, subject in facts.switches:
        seen: dict[tuple[str, object], Span] = {}
        for case in switch.cases:
            for value in case.values:
                if isinstance(value, Const) and _family(value) is not None:
                    yield from _constant(value, case, seen, subject, switch, facts)


def _constant(
    value: Const,
    case: Case,
    seen: dict[tuple[str, object], Span],
    subject: TypeRef,
    switch: Switch,
    facts: FlowFacts,
) -> Iterator[Diagnostic]:
    family = _family(value)
    assert family is not None
    at = span_of(value, case.span)
    shown = facts.file.source.text[at.start : at.end]
    before = seen.setdefault((family, value.value), at)
    if before is not at:
        yield Diagnostic(
            "F0220",
            f"`{shown}` has a case already",
            facts.file.source,
            at,
            hint="never chosen: the first case that fits is",
            help="take it out of one of the two cases",
            labels=(Label(before, "this one is chosen"),),
        )
    families = _families(subject)
    if families is not None and family not in families:
        yield Diagnostic(
            "F0220",
            f"`{shown}` is {_a(value)}, and what is switched on is of the type `{show(subject)}`",
            facts.file.source,
            at,
            hint="never equal, so never chosen",
            help=_way_out(family, subject, families, shown),
            labels=(Label(span_of(switch.subject, switch.meta.span), f"of the type `{show(subject)}`"),),
            severity="warning",
        )


def _family(expr: Const) -> str | None:
    return "None" if expr.value is None else _FAMILIES.get(type(expr.value).__name__)


def _families(subject: TypeRef) -> set[str] | None:
    """What a value of this type may be equal to; None when that is not known."""
    parts = subject.args if subject.name == "|" else (subject,)
    found = [_FAMILIES.get(part.name) for part in parts]
    known = {family for family in found if family is not None}
    return known if len(known) > 0 and None not in found else None


def _a(value: Const) -> str:
    match value.value:
        case bool():
            return "a bool"
        case int() | float():
            return "a number"
        case None:
            return "None"
        case _:
            return "text"


def _way_out(family: str, subject: TypeRef, families: set[str], shown: str) -> str:
    if subject.name == "bool":
        return "write `true` or `false`, without quotes, or take the value away"
    if "str" in families and family == "number":
        return f'if the text is meant, write `"{shown}"`; else take the value away'
    if family == "str" and "number" in families:
        return "write a number without quotes, or take the value away"
    return "take the value away, or switch on something else"


def race_needs(facts: FlowFacts) -> Iterator[Diagnostic]:
    """A constant `need` that is no number of branches, or of more branches than there are."""
    for race in facts.races:
        if isinstance(race.need, Const) and race.branches:
            yield from _need(race, race.need, facts)


def _need(race: Race, need: Const, facts: FlowFacts) -> Iterator[Diagnostic]:
    at = span_of(need, race.meta.span)
    count = len(race.branches)
    if type(need.value) is not int or need.value < 1:
        yield Diagnostic(
            "F0221",
            "`need` of a race is a whole number from 1 upwards",
            facts.file.source,
            at,
            help="write how many branches have to end, or leave `need` out for one",
        )
    elif need.value > count:
        yield Diagnostic(
            "F0221",
            f"this race needs {need.value} branches to end, and has {count}",
            facts.file.source,
            at,
            hint="it fails every time it is reached",
            help=f"write at most {count}, or add branches",
            severity="warning",
        )
