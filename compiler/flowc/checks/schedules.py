"""Flows that run by themselves: nobody is there to give them inputs."""

from collections.abc import Iterator

from flowc.checks.places import listed
from flowc.diagnostic import Diagnostic, Label
from flowc.scope.facts import FlowFacts


def scheduled_inputs(facts: FlowFacts) -> Iterator[Diagnostic]:
    """A flow with a schedule takes its inputs from their defaults."""
    flow = facts.flow
    needed = [each for each in flow.inputs if each.default is None]
    if flow.schedule is None or not needed:
        return
    first = needed[0].name
    yield Diagnostic(
        "F0505",
        f"`{flow.name.text}` runs by itself, and its input `{first.text}` has no default",
        facts.file.source,
        first.span,
        labels=(Label(flow.schedule.span, "it is scheduled here"),),
        help="give each input a default, or compute it in the flow (`today()`)"
        + (f"; without a default are {listed([each.name.text for each in needed])}" if needed[1:] else ""),
    )
