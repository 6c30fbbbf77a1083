"""Events that a flow waits for or emits without a declaration."""

from collections.abc import Iterator

from flowc.checks.nearest import Nearest
from flowc.checks.places import listed
from flowc.diagnostic import Diagnostic, Fix
from flowc.ir import Emit, File, Ident, Wait
from flowc.scope.blocks import steps_in
from flowc.scope.facts import FlowFacts


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


def _finding(event: Ident, file: File, nearest: Nearest) -> Diagnostic:
    meant = nearest.to(event.text, file.events)
    either = "" if meant is None else "or "
    declared = f"; declared are {listed(list(file.events))}" if file.events else ""
    return Diagnostic(
        "F0214",
        f"the event `{event.text}` is not declared",
        file.source,
        event.span,
        hint="" if meant is None else f"did you mean `{meant}`?",
        help=f"{either}declare it at the head of the file: `events: {{{event.text}: {{}}}}`{declared}",
        fixes=() if meant is None else (Fix(event.span, meant, f"write `{meant}`"),),
    )
