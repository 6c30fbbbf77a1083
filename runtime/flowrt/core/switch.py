"""`switch`: which body runs. In: a step, and the number of its case. Out: a frame, or an outcome."""

from flowrt.core.frame import Step
from flowrt.core.machine import Machine
from flowrt.core.outcome import Done
from flowrt.core.path import arm_prefix, case_prefix
from flowrt.program import Switch


def chosen(machine: Machine, step: Step, index: int) -> None:
    """Run the case of this number, or `orelse` for -1."""
    op = step.node.op
    assert isinstance(op, Switch), f"{step.path} is not a switch"
    machine.withdraw(step.path)
    if index >= 0:
        machine.start_frame(op.cases[index].body, case_prefix(step.path, index), step.env, step, index)
    elif op.orelse is not None:
        machine.start_frame(op.orelse, arm_prefix(step.path, "else"), step.env, step, index)
    else:
        machine.settle(step, Done())
