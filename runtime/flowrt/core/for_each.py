"""`for`: how its bodies are started, what each one's end means, and what the step's value is.

Bodies are started as there is room for them, never more than `parallel` at once (one, when it is not
given), so a loop over a million items holds what runs and the contributions, nothing else.
"""

from flowrt.command import Expand
from flowrt.core.frame import EachBodies, Frame, Step
from flowrt.core.machine import Machine, broken
from flowrt.core.outcome import HALTED, Broken, Done, Halted, Left, Names, Outcome
from flowrt.core.path import body_prefix
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
        case Halted(seqs):
            each.blamed += seqs
        case Done():
            pass  # It was told to stop, and came too late to count.
    _go_on(machine, step, op, each)


def _carry(each: EachBodies, op: ForEach, names: Names) -> None:
    if op.carried:
        each.carried = {name: names[name] for name in op.carried}


def _note_broken(machine: Machine, step: Step, op: ForEach, index: int, outcome: Broken) -> None:
    each = step.each
    assert each is not None
    if op.errors == "fail":
        each.blamed += outcome.seqs
        _close(machine, step, each, outcome)
    elif op.errors == "collect" and each.verdict is None:
        each.errors[index] = (outcome.failure.type, outcome.failure.message)


def _close(machine: Machine, step: Step, each: EachBodies, verdict: Outcome) -> None:
    if each.verdict is not None:
        return
    each.verdict = verdict
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
        machine.settle(step, Halted(tuple(each.blamed)))
    else:
        machine.settle(step, _verdict(step, op, each))


def _item(step: Step, op: ForEach, each: EachBodies, index: int) -> Handle:
    return item_of(step.env[op.items], index, each.batch)


def item_of(of: Handle, index: int, batch: int) -> Handle:
    """Item `index` of a value, or with `batch` n its items index*n to index*n+n.

    What can be named without what it is an item of, is: a loop over the results of a loop, round after
    round, would else drag all rounds along.
    """
    while True:
        match of:
            case Items(parts) if batch:
                return Items(parts[index * batch : (index + 1) * batch])
            case Items(parts):
                return parts[index]
            case Element(_, _, size) if batch and 0 < size <= batch:
                return of  # The list of at most `size` items is its own and only batch.
            case Element(whole, at, size) if size and not batch:
                of, index = whole, at * size + index
            case _:
                return Element(of, index, batch)


def _verdict(step: Step, op: ForEach, each: EachBodies) -> Outcome:
    if isinstance(each.verdict, Broken):
        return Broken(each.verdict.failure, tuple(each.blamed))
    if each.verdict is not None and not isinstance(each.verdict, Done):
        return each.verdict
    if each.verdict is None and each.succeeded < each.need:
        message = f"{each.need} bodies had to succeed and {each.succeeded} of {each.next} did."
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
