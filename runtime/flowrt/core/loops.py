"""`while` and `until`: round after round, with what the loop carries.

    while   [check] test  body  [pause]   and again
    until   body  [check] test  [pause]   and again

`check` runs the calls that stand in the condition. Of a finished round nothing is kept but the carried
names and the last body's value.
"""

from flowrt.command import Decide, Expand, StartSleep
from flowrt.core.frame import Frame, LoopRounds, Step
from flowrt.core.machine import Machine, broken, halted
from flowrt.core.outcome import Broken, Done, Halted, Left, Outcome
from flowrt.core.path import body_prefix, round_part
from flowrt.expr.tree import Const
from flowrt.program import Loop, Sleep
from flowrt.value import NONE, Handle

BODY = 0
CHECK = 1


def open_loop(machine: Machine, step: Step, op: Loop) -> None:
    """Begin the first round; a bound that is not a constant is computed first."""
    if op.max is None:
        begin(machine, step, op, 0)
    elif isinstance(op.max, Const) and isinstance(op.max.value, int) and op.max.value > 0:
        begin(machine, step, op, op.max.value)
    else:
        machine.command(step.path, Expand(step.path, None, step.env, op.max, None, None))


def begin(machine: Machine, step: Step, op: Loop, bound: int) -> None:
    """Begin the first round; `bound` 0 is none."""
    machine.withdraw(step.path)
    step.loop = LoopRounds(bound, {name: step.env[name] for name in op.carried}, NONE)
    if op.kind == "while":
        _check(machine, step, op, step.loop)
    else:
        _run_body(machine, step, op, step.loop)


def _check(machine: Machine, step: Step, op: Loop, loop: LoopRounds) -> None:
    if op.check is None:
        _test(machine, step, op, loop)
        return
    prefix = f"{round_part(step.path, loop.round, op.kind)}."
    machine.start_frame(op.check, prefix, {**step.env, **loop.carried, **loop.names}, step, CHECK)


def _test(machine: Machine, step: Step, op: Loop, loop: LoopRounds) -> None:
    if isinstance(op.cond, Const) and isinstance(op.cond.value, bool):
        decided(machine, step, op, choice=op.cond.value)
        return
    path = round_part(step.path, loop.round, op.kind)
    machine.route(path, step)
    machine.command(path, Decide(path, op.cond, {**step.env, **loop.carried, **loop.names}))


def decided(machine: Machine, step: Step, op: Loop, *, choice: bool) -> None:
    """The condition came to `choice`: another round, or the end."""
    loop = _rounds(step)
    machine.unroute(round_part(step.path, loop.round, op.kind), step)
    loop.names = {}
    if choice == (op.kind == "until"):
        machine.settle(step, Done(loop.value, loop.carried))
    elif op.kind == "while":
        _run_body(machine, step, op, loop)
    else:
        _pause(machine, step, op, loop)


def _run_body(machine: Machine, step: Step, op: Loop, loop: LoopRounds) -> None:
    if loop.max and loop.round >= loop.max:
        what = "still holds" if op.kind == "while" else "does not hold yet"
        message = f"The loop ran its `max` of {loop.max} rounds and its condition {what}."
        machine.settle(step, broken("flowrt.LoopLimit", message, step.path))
        return
    env = {**step.env, **loop.carried}
    machine.start_frame(op.body, body_prefix(step.path, loop.round), env, step, BODY)


def _pause(machine: Machine, step: Step, op: Loop, loop: LoopRounds) -> None:
    if op.every is None:
        next_round(machine, step, op)
        return
    path = round_part(step.path, loop.round, "every")
    machine.route(path, step)
    env = {**step.env, **loop.carried}
    machine.command(path, StartSleep(path, Sleep(duration=op.every), env))


def next_round(machine: Machine, step: Step, op: Loop) -> None:
    """The pause is over, or there was none."""
    loop = _rounds(step)
    if op.every is not None:
        machine.unroute(round_part(step.path, loop.round, "every"), step)
    loop.round += 1
    if op.kind == "while":
        _check(machine, step, op, loop)
    else:
        _run_body(machine, step, op, loop)


def part_ended(machine: Machine, step: Step, op: Loop, frame: Frame, outcome: Outcome) -> None:
    """A body or a check ended."""
    if step.halting:
        machine.settle(step, halted(outcome))
        return
    loop = _rounds(step)
    match outcome:
        case Done(value, names):
            if frame.tag == CHECK:
                loop.names = {**loop.names, **names}
                _test(machine, step, op, loop)
            else:
                loop.value = value
                _body_done(machine, step, op, dict(names))
        case Left("continue", _, names):
            _body_done(machine, step, op, dict(names))
        case Left("break", _, names):
            machine.settle(step, Done(loop.value, {name: names[name] for name in op.carried}))
        case Left() | Broken() | Halted():
            machine.settle(step, outcome)


def _body_done(machine: Machine, step: Step, op: Loop, names: dict[str, Handle]) -> None:
    loop = _rounds(step)
    loop.carried = {name: names[name] for name in op.carried}
    if op.kind == "while":
        _pause(machine, step, op, loop)
    else:
        loop.names = {name: value for name, value in names.items() if name not in loop.carried}
        _check(machine, step, op, loop)


def _rounds(step: Step) -> LoopRounds:
    assert step.loop is not None, "the loop has not begun"
    return step.loop
