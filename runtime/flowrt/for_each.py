"""`for`: how its bodies are started, what each one's end means, and what the step's value is.

Bodies are started as there is room for them, never more than `parallel` at once (one, when it is not
given), so a loop over a million items holds what runs and the contributions, nothing else.
"""

from flowrt.command import Expand
from flowrt.frame import EachBodies, Frame, Step
from flowrt.machine import Machine, broken
from flowrt.outcome import HALTED, Broken, Done, Halted, Left, Names, Outcome
from flowrt.path import body_prefix
from flowrt.program import ForEach
from flowrt.record import Expanded
from flowrt.value import NONE, BodyError, Collected, Element, Handle, Items


def open_for(machine: Machine, step: Step, op: ForEach) -> None:
    """Ask how many items there are."""
    command = Expand(step.path, step.env[op.items], step.env, op.parallel, op.need, op.batch)
    machine.command(step.path, command)


def expanded(machine: Machine, step: Step, op: ForEach, record: Expanded) -> None:
    """Start as many bodies as may run at once."""
    machine.withdraw(step.path)
    if machine.observer is not None:
        machine.observer.expanded(step.path, record.count)
    carried = {name: step.env[name] for name in op.carried}
    step.each = EachBodies(record.count, record.parallel or 1, record.need, record.batch, carried)
    _go_on(machine, step, op, step.each)


def body_ended(machine: Machine, step: Step, op: ForEach, frame: Frame, outcome: Outcome) -> None:
    """Note what a body came to, and go on."""
    each = step.each
    assert each is not None, "a body ended before the loop was expanded"
    match outcome:
        case Done(value, names) if each.verdict is None:
            each.succeeded += 1
            _carry(each, op, names)
            if op.keep:
                each.values[frame.tag] = value
            if each.need and each.succeeded >= each.need:
                _close(machine, step, each, Done())
        case Left("continue", _, names):
            _carry(each, op, names)
        case Left("break", _, names):
            _carry(each, op, names)
            each.verdict = each.verdict or Done()
        case Left():
            each.verdict = each.verdict or outcome
        case Broken():
            _note_broken(machine, step, op, frame.tag, outcome)
        case Done() | Halted():
            pass  # It was told to stop, and came too late to count or in time.
    _go_on(machine, step, op, each)


def _carry(each: EachBodies, op: ForEach, names: Names) -> None:
    if op.carried:
        each.carried = {name: names[name] for name in op.carried}


def _note_broken(machine: Machine, step: Step, op: ForEach, index: int, outcome: Broken) -> None:
    each = step.each
    assert each is not None
    if op.errors == "fail":
        _close(machine, step, each, outcome)
        return
    machine.failed_seqs.difference_update(outcome.seqs)
    if op.errors == "collect" and each.verdict is None:
        each.errors[index] = (outcome.failure.type, outcome.failure.message)


def _close(machine: Machine, step: Step, each: EachBodies, verdict: Outcome) -> None:
    each.verdict = each.verdict or verdict
    for child in step.children.values():
        machine.stop_frame(child, HALTED)


def _go_on(machine: Machine, step: Step, op: ForEach, each: EachBodies) -> None:
    total = -(-each.count // each.batch) if each.batch else each.count
    while (
        each.verdict is None and not step.halting and each.next < total and len(step.children) < each.parallel
    ):
        index = each.next
        each.next += 1
        env = {**step.env, **each.carried, op.var: _item(step, op, each, index)}
        machine.start_frame(op.body, body_prefix(step.path, index), env, step, index)
    if step.children:
        return
    if step.halting:
        machine.settle(step, HALTED)
    else:
        machine.settle(step, _verdict(step, op, each))


def _item(step: Step, op: ForEach, each: EachBodies, index: int) -> Handle:
    return Element(step.env[op.items], index, each.batch)


def _verdict(step: Step, op: ForEach, each: EachBodies) -> Outcome:
    if each.verdict is not None and not isinstance(each.verdict, Done):
        return each.verdict
    if each.verdict is None and each.succeeded < each.need:
        message = f"{each.need} bodies had to succeed and {each.succeeded} of {each.count} did."
        return broken("flowrt.NeedNotMet", message, step.path)
    return Done(_value(step, op, each), each.carried)


def _value(step: Step, op: ForEach, each: EachBodies) -> Handle:
    if not op.keep:
        return NONE
    values = tuple(each.values[index] for index in sorted(each.values))
    if op.errors != "collect":
        return Items(values)
    errors = tuple(
        BodyError(index, _item(step, op, each, index), *each.errors[index]) for index in sorted(each.errors)
    )
    return Collected(values, errors)
