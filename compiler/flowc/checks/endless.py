"""Loops and flows that nothing in them ends. Warnings: a failure or a cancellation still ends them."""

from collections.abc import Iterator

from flowc.checks.places import first_line
from flowc.diagnostic import Diagnostic, Label
from flowc.ir import Call, Fail, FlowCallee, GraphBody, Loop, Raise, Return, Sleep, Step, Wait
from flowc.scope.blocks import blocks_of, calls_of, steps_in
from flowc.scope.facts import FlowFacts, Unreached
from flowrt.expr.tree import Const

ENDS = (Return, Raise, Fail, Wait, Sleep)
"""What ends a loop or a flow, or makes one that goes on for ever a service that was meant to."""


def endless_in(facts: FlowFacts) -> Iterator[tuple[Loop, Unreached | None]]:
    """The loops without an end, each with the step below that is never reached, if one stands there."""
    for loop, break_count in facts.loops:
        forever = isinstance(loop.cond, Const) and loop.cond.value is (loop.kind == "while")
        if not forever or break_count or loop.max is not None or loop.every is not None:
            continue
        if not any(isinstance(step, ENDS) for step in steps_in(loop.body)):
            yield loop, next((each for each in facts.unreached if each.after is loop), None)


def endless_loops(facts: FlowFacts) -> Iterator[Diagnostic]:
    """`while: true` (or `until: false`) that nothing leaves and that never pauses."""
    source = facts.file.source
    for loop, below in endless_in(facts):
        yield Diagnostic(
            "F0215",
            "nothing in this loop ends it",
            source,
            first_line(source, loop.meta.span),
            help="add a `break` or `return`, a bound with `max`, or a condition that changes; a loop that is "
            f"meant to go on for ever pauses, with `{source.either('every: 30s', 'every 30s')}` or a `wait`",
            labels=()
            if below is None
            else (Label(first_line(source, below.span), "so this is never reached"),),
            severity="warning",
        )


def endless_recursion(facts: FlowFacts) -> Iterator[Diagnostic]:
    """A flow that calls itself on its way down, before anything could have ended it."""
    flow = facts.flow
    if isinstance(flow.body, GraphBody):
        steps: tuple[Step, ...] = ()
    else:
        steps = flow.body.steps
    for step in steps:
        call = next((call for call in _calls(step) if _calls_flow(call, flow.name.text)), None)
        if call is not None:
            yield Diagnostic(
                "F0216",
                f"`{flow.name.text}` calls itself every time it runs",
                facts.file.source,
                call.callee.span,
                hint="nothing above can end the flow",
                help="put the call under an `if` whose condition becomes false at some time",
                severity="warning",
            )
            return
        if _may_end(step):
            return


def _calls(step: Step) -> Iterator[Call]:
    """The calls that a step makes in any case."""
    if isinstance(step, Loop) and step.kind == "until":
        yield from step.meta.prelude
    elif not isinstance(step, Loop):
        yield from (call for call in calls_of(step) if call in step.meta.prelude or isinstance(step, Return))
    if isinstance(step, Call):
        yield step


def _may_end(step: Step) -> bool:
    """Whether the flow may end in this step, or makes a pause that was meant."""
    if isinstance(step, ENDS):
        return True
    return any(isinstance(inner, ENDS) for block in blocks_of(step) for inner in steps_in(block))


def _calls_flow(call: Call, name: str) -> bool:
    return isinstance(call.callee, FlowCallee) and call.callee.name == name
