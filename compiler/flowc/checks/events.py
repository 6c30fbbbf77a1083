"""Events: those that are not declared, and those that are used otherwise than they are declared."""

from collections.abc import Iterator, Mapping, Sequence

from flowc.checks.nearest import Nearest
from flowc.checks.places import listed
from flowc.diagnostic import Diagnostic, Fix, Label
from flowc.expr.types import show
from flowc.ir import Emit, Event, File, Ident, Wait
from flowc.scope.blocks import steps_in
from flowc.scope.facts import FlowFacts
from flowrt.type_ref import TypeRef


def undeclared_events(facts: FlowFacts) -> Iterator[Diagnostic]:
    """An event has to be declared, or a misspelt one would be waited for without end."""
    told: set[str] = set()
    nearest = Nearest()
    for step in steps_in(facts.flow.body):
        if (
            isinstance(step, Wait | Emit)
            and step.event.text not in facts.file.events
            and step.event.text not in told
        ):
            finding = _finding(step.event, facts.file, nearest)
            if not finding.fixes:
                told.add(step.event.text)
            yield finding


def emitted_inside(facts: FlowFacts) -> Iterator[Diagnostic]:
    """An event that only the outside emits, and that this flow emits."""
    for step in steps_in(facts.flow.body):
        declared = facts.file.events.get(step.event.text) if isinstance(step, Emit) else None
        if isinstance(step, Emit) and declared is not None and declared.external:
            yield Diagnostic(
                "F0222",
                f"`{step.event.text}` is declared `external`, and this flow emits it",
                facts.file.source,
                step.event.span,
                help="`external` says that only the outside emits it: take that away, or emit another event",
                labels=(Label(declared.name.span, "declared here"),),
                severity="warning",
            )


def missing_payloads(facts: FlowFacts) -> Iterator[Diagnostic]:
    """An event that is emitted without the payload that it is declared with: the step would always fail."""
    source = facts.file.source
    for step in steps_in(facts.flow.body):
        declared = step.type if isinstance(step, Emit) and step.payload is None else None
        if isinstance(step, Emit) and declared is not None and not _may_be_none(declared):
            yield Diagnostic(
                "F0225",
                f"`{step.event.text}` has a payload of the type `{show(declared)}`, and none is given here",
                source,
                step.event.span,
                help=source.either("add `with:` and the payload", "add `with` and the payload"),
            )


def _may_be_none(ref: TypeRef) -> bool:
    return ref.name in ("None", "any") or (ref.name == "|" and any(map(_may_be_none, ref.args)))


def differing_events(file: File, used: Mapping[str, Sequence[File]]) -> Iterator[Diagnostic]:
    """Events that a file and those it uses declare differently.

    Args:
        file: The file.
        used: By each of its aliases the file behind it, and those that this one uses in turn.
    """
    known: dict[str, tuple[Event, str]] = {}
    for alias, others in used.items():
        path = file.used[alias]
        behind: dict[str, Event] = {}
        for other in others:
            behind = {**other.events, **behind}
        for name, event in behind.items():
            own = file.events.get(name)
            if own is not None:
                first, where, at = own, "here", own.name
            elif name in known:
                first, where, at = (*known[name], path)
            else:
                continue
            said = _difference(first, event)
            if said is not None:
                yield _differing(file, at, f"`{name}` has {said[0]} {where}, and {said[1]}", path)
        known = {**{name: (event, f"in `{path.text}`") for name, event in behind.items()}, **known}


def _difference(one: Event, other: Event) -> tuple[str, str] | None:
    """What two declarations of an event say differently; what one of them leaves open is no difference."""
    if "any" not in (one.type.name, other.type.name) and one.type != other.type:
        return f"the type `{show(one.type)}`", f"the type `{show(other.type)}`"
    if one.key is not None and other.key is not None and one.key != other.key:
        return f"a key of the type `{show(one.key)}`", f"one of the type `{show(other.key)}`"
    return None


def _differing(file: File, at: Ident, said: str, path: Ident) -> Diagnostic:
    return Diagnostic(
        "F0223",
        f"the event {said} in `{path.text}`",
        file.source,
        at.span,
        help="all flows of a store share its events: declare it alike, or give one of the two another name",
        severity="warning",
    )


def _finding(event: Ident, file: File, nearest: Nearest) -> Diagnostic:
    meant = nearest.to(event.text, file.events)
    either = "" if meant is None else "or "
    line = file.source.either(f"events: {{{event.text}: {{}}}}", f"event {event.text}")
    declared = f"; declared are {listed(list(file.events))}" if file.events else ""
    return Diagnostic(
        "F0214",
        f"the event `{event.text}` is not declared",
        file.source,
        event.span,
        hint="" if meant is None else f"did you mean `{meant}`?",
        help=f"{either}declare it at the head of the file: `{line}`{declared}",
        fixes=() if meant is None else (Fix(event.span, meant, f"write `{meant}`"),),
    )
