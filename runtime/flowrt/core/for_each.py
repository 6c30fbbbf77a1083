"""`for`: how its bodies are started, what each one's end means, and what the step's value is.

A loop that needs so many bodies to succeed, and lets others fail, fails when too few have: who goes on behind
that has those run on that were let fail. While the records are folded that were written meanwhile, such a
body is laid aside where it failed (`lay_aside`): it takes no room, so the next ones begin where they did. It
goes on when all others have begun and there is room. In a loop that carries names, each body stands on the
ones before it: there all are made anew from the first one that was let fail.

Bodies are started as there is room for them, never more than `parallel` at once (one, when it is not
given), so a loop over a million items holds what runs and the contributions, nothing else.
"""

from flowrt.command import Expand
from flowrt.core.frame import EachBodies, Frame, Step
from flowrt.core.machine import Machine, broken
from flowrt.core.outcome import HALTED, Anew, Blame, Broken, Done, Halted, Left, Names, Outcome
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
    if frame.tag in each.aside:
        each.aside.remove(frame.tag)
        machine.let_go(frame)
    _note_end(machine, step, op, each, frame.tag, outcome)
    if each.verdict is not None and each.aside:
        _stop_rest(machine, step)
    _go_on(machine, step, op, each)


def _note_end(
    machine: Machine, step: Step, op: ForEach, each: EachBodies, index: int, outcome: Outcome
) -> None:
    match outcome:
        case Done(value, names) if each.verdict is None:
            each.succeeded += 1
            _carry(each, op, names)
            if op.keep:
                each.values[index] = value
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
            _note_broken(machine, step, op, index, outcome)
        case Halted(seqs):
            each.blamed += seqs
        case Done():
            pass  # It was told to stop, and came too late to count.


def _carry(each: EachBodies, op: ForEach, names: Names) -> None:
    if op.carried:
        each.carried = {name: names[name] for name in op.carried}


def _note_broken(machine: Machine, step: Step, op: ForEach, index: int, outcome: Broken) -> None:
    each = step.each
    assert each is not None
    if op.errors == "fail":
        each.blamed += outcome.seqs
        _close(machine, step, each, outcome)
    elif each.verdict is None:
        if each.need:
            each.dropped += outcome.seqs
            each.first_dropped = index if each.first_dropped is None else min(index, each.first_dropped)
        if op.errors == "collect":
            each.errors[index] = (outcome.failure.type, outcome.failure.message)


def _close(machine: Machine, step: Step, each: EachBodies, verdict: Outcome) -> None:
    if each.verdict is not None:
        return
    each.verdict = verdict
    _stop_rest(machine, step)


def _stop_rest(machine: Machine, step: Step) -> None:
    for child in step.children.values():
        machine.stop_frame(child, HALTED)


def lay_aside(machine: Machine, step: Step, op: ForEach, index: int) -> None:
    """A body failed here, and that counts no more: it is let go on when there is room."""
    each = step.each
    if each is None or not each.need or op.errors == "fail" or op.carried or each.verdict is not None:
        return
    if index in step.children and index not in each.aside:
        each.aside.add(index)
        machine.hold(step.children[index])
        _go_on(machine, step, op, each)


def _go_on(machine: Machine, step: Step, op: ForEach, each: EachBodies) -> None:
    total = -(-each.count // each.batch) if each.batch else each.count
    while (
        each.verdict is None
        and not step.halting
        and each.next < total
        and len(step.children) - len(each.aside) < each.parallel
    ):
        index = each.next
        each.next += 1
        env = {**step.env, **each.carried, op.var: _item(step, op, each, index)}
        machine.start_frame(op.body, body_prefix(step.path, index), env, step, index)
    while each.aside and len(step.children) - len(each.aside) < each.parallel:
        index = min(each.aside)
        each.aside.remove(index)
        machine.let_go(step.children[index])
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
        return broken("flowrt.NeedNotMet", message, step.path, _let_fail(step, op, each))
    return Done(_value(step, op, each), each.carried)


def _let_fail(step: Step, op: ForEach, each: EachBodies) -> tuple[Blame, ...]:
    """The records without which enough bodies might have succeeded."""
    first = min((seq for seq in each.dropped if isinstance(seq, int)), default=None)
    if not op.carried or first is None or each.first_dropped is None:
        return tuple(each.dropped)
    later = range(each.first_dropped, each.next)
    return (*each.dropped, *(Anew(body_prefix(step.path, index), first) for index in later))


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
