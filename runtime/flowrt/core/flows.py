"""Calls of flows: how a flow begins for a step, and what its end means, a tail call included.

In: a step and the inputs given. Out: a frame of the flow's body, or the step's outcome.
"""

from flowrt.core.frame import Step
from flowrt.core.machine import Machine, broken
from flowrt.core.outcome import Done, Left, Outcome
from flowrt.core.path import flow_prefix
from flowrt.value import Handle, Literal

DEPTH_MAX = 1_000
"""How deep flows may call each other, tail calls not counted."""


def flow_env(machine: Machine, flow: str, given: dict[str, Handle]) -> dict[str, Handle]:
    """The inputs of a flow: those given, and the defaults of the others."""
    defaults = {
        declared.name: Literal(declared.default)
        for declared in machine.program.flows[flow].inputs
        if declared.default is not None
    }
    return {**defaults, **given}


def start_flow(machine: Machine, step: Step, flow: str, given: dict[str, Handle]) -> None:
    """Run a flow for a step, unless that is too deep."""
    if step.frame.depth >= DEPTH_MAX:
        message = (
            f"Flows call each other {DEPTH_MAX} deep. End the recursion, or call as the last thing of "
            "the flow (`return`), which takes no depth."
        )
        machine.settle(step, broken("flowrt.RecursionLimit", message, step.path))
        return
    env = flow_env(machine, flow, given)
    body = machine.program.flows[flow].body
    frame = machine.start_frame(body, flow_prefix(step.path, step.hops), env, step)
    frame.depth += 1
    frame.saga = None


def flow_ended(machine: Machine, step: Step, outcome: Outcome) -> None:
    """The flow of a step ended, or goes on as another one."""
    match outcome:
        case Left("tail", _, names, flow):
            step.hops += 1
            start_flow(machine, step, flow, dict(names))
        case Left(_, value):
            machine.settle(step, Done(value))
        case Done(value):
            machine.settle(step, Done(value))
        case _:
            machine.settle(step, outcome)
