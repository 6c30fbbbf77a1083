"""`race`: its branches run at the same time, the first to end decide, and the others are stopped.

In: the ends of branches. Out: the step's outcome, when the last branch has ended.

    a branch ends well     its value counts; with the last one needed the race is won
    … leaves               (`return`, `break` …) the race is over, and leaves in that way
    … fails                the race fails; with `errors: drop` it does when too few are left

When the race is decided the other branches are stopped like any body: tasks are told to stop, waits and
timers are dropped, sagas are undone. The race ends when the last of them has. What they come to in that time
counts no more, so which branches won follows from the order of the records, live and in every fold.

A failed race blames the records of all branches that failed or were stopped: who reopens the run has them
run on, those included that were dropped before too few were left.
"""

from collections.abc import Sequence

from flowrt.command import Expand
from flowrt.core.frame import Frame, RaceBranches, Step
from flowrt.core.machine import Machine, broken
from flowrt.core.outcome import HALTED, Broken, Done, Halted, Left, Outcome
from flowrt.core.path import arm_prefix
from flowrt.core.undo_failures import LINE_MAX
from flowrt.expr.tree import Const
from flowrt.program import Race
from flowrt.value import Items


def open_race(machine: Machine, step: Step, op: Race) -> None:
    """Start the branches; a `need` that is not a constant is computed first."""
    if op.need is None:
        known_need(machine, step, op, 1)
    elif isinstance(op.need, Const) and type(op.need.value) is int and op.need.value > 0:
        known_need(machine, step, op, op.need.value)
    else:
        machine.command(step.path, Expand(step.path, None, step.env, None, op.need, None))


def known_need(machine: Machine, step: Step, op: Race, need: int) -> None:
    """Start the branches, unless they are too few."""
    machine.withdraw(step.path)
    if need > len(op.branches):
        message = too_few(need, len(op.branches), 0, ())
        machine.settle(step, broken("flowrt.NeedNotMet", message, step.path))
        return
    step.race = RaceBranches(need)
    for index, branch in enumerate(op.branches):
        machine.start_frame(branch.body, arm_prefix(step.path, branch.id), step.env, step, index)


def branch_ended(machine: Machine, step: Step, op: Race, frame: Frame, outcome: Outcome) -> None:
    """Note what a branch came to; decide the race, or end it with the last branch."""
    race = step.race
    assert race is not None, "a branch ended before the race began"
    match outcome:
        case Done(value) if race.verdict is None:
            race.values.append(value)
            if len(race.values) == race.need:
                won = race.values[0] if op.need is None else Items(tuple(race.values))
                _decide(machine, step, race, Done(won))
        case Left() if race.verdict is None:
            _decide(machine, step, race, outcome)
        case Broken(failure, seqs):
            race.blamed += seqs
            race.failures[frame.tag] = failure
            _note_broken(machine, step, op, race, outcome)
        case Halted(seqs):
            race.blamed += seqs
        case Done() | Left():
            pass  # It was told to stop, and came too late to count.
    if not step.children:
        machine.settle(step, _verdict(step, race))


def _note_broken(machine: Machine, step: Step, op: Race, race: RaceBranches, outcome: Broken) -> None:
    if op.errors == "fail":
        _decide(machine, step, race, outcome)
    elif len(op.branches) - len(race.failures) < race.need and race.verdict is None:
        told = [
            (op.branches[index].id, one.type, one.message) for index, one in sorted(race.failures.items())
        ]
        message = too_few(race.need, len(op.branches), len(race.values), told)
        _decide(machine, step, race, broken("flowrt.NeedNotMet", message, step.path))


def _decide(machine: Machine, step: Step, race: RaceBranches, verdict: Outcome) -> None:
    if race.verdict is not None:
        return
    race.verdict = verdict
    for child in step.children.values():
        machine.stop_frame(child, HALTED)


def _verdict(step: Step, race: RaceBranches) -> Outcome:
    blamed = tuple(race.blamed)
    if step.halting:
        return Halted(blamed)
    if isinstance(race.verdict, Broken):
        return Broken(race.verdict.failure, blamed)
    assert race.verdict is not None, "every branch has ended"
    return race.verdict


def too_few(need: int, count: int, ended: int, failed: Sequence[tuple[str, str, str]]) -> str:
    """That so many branches cannot end well any more; `failed` is name, type and message of each."""
    if not failed:
        return f"The race needs {need} of its branches to end well, and it has {count}."
    message = f"The race needs {need} of its {count} branches to end well: {ended} did, {len(failed)} failed."
    lines = [f"`{name}` failed: {_said(type_name, text)}" for name, type_name, text in failed]
    return "\n".join([message, *lines])


def _said(type_name: str, message: str) -> str:
    first = message.splitlines()[0][:LINE_MAX] if message else ""
    return f"{type_name}: {first}" if first else type_name
