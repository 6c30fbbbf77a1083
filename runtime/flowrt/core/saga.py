"""`saga`: which of its steps are completed, and how they are taken back when it does not end well.

In: completed tasks, and the end of the saga's body or of an undo. Out: undos as commands, one after
another, and then the saga's outcome.

    body runs      each completed task with an undo is kept, with the values that its undo reads
    body ends well the saga has; what it kept is the outer saga's, if there is one in the same flow
    else           the newest kept step is undone, then the one before it, …; then the failure (or the
                   stop) goes on, naming the undos that failed

The body ends before anything is undone: what ran in it has stopped or was completed by then. That is the
order of the records, live and in every fold, so a run that dies in between goes on with the undo that has
no record yet. An undo is a body of one task under the path of its step, opened by the saga: retries, lost
workers and records are those of any task. It is no part of the body, so whoever stops the saga, or the
run, does not stop it: a saga that is told to stop while it undoes notes that and goes on.

Going on behind a failure. The undone steps must not be taken for done, and what followed from them must
not stand on them. So a saga that has begun to undo blames, beside its failures, everything that it
recorded from the first completion of a step with an undo on (`Anew`): the records of its paths up to that
point are a journal of the saga that was cut there, and a journal may be cut after any record. What stood
before remains done and is not run again. The first such completion *anywhere* inside counts, sagas inside
that had ended included: else the record of a step could stay while that of its undo is voided, and it
would be undone twice. What was done after the cut is made anew with idempotency keys of its own, since
a service would take the old key of a step that was undone for a repetition.
"""

from flowrt.core.frame import Completed, Frame, SagaSteps, Step
from flowrt.core.machine import Machine
from flowrt.core.outcome import HALTED, Anew, Blame, Broken, Done, Halted, Left, Outcome
from flowrt.core.path import block_prefix
from flowrt.core.undo_failures import with_undo_failures
from flowrt.program import Saga, Task
from flowrt.value import Handle

BODY, UNDO = 0, 1


def open_saga(machine: Machine, step: Step, op: Saga) -> None:
    """Begin with nothing to take back."""
    step.saga = SagaSteps()
    machine.start_frame(op.body, block_prefix(step.path), step.env, step, BODY).saga = step


def task_env(step: Step, task: Task) -> dict[str, Handle]:
    """What the task of a step reads: its environment without the names that only its undo reads."""
    if task.undo is None or not task.undo.apart:
        return step.env
    return {name: handle for name, handle in step.env.items() if name not in task.undo.apart}


def completed(step: Step, value: Handle, seq: int) -> None:
    """A step has succeeded, by the record of this number: keep what takes it back."""
    task, around = step.node.op, step.frame.saga
    if not isinstance(task, Task) or task.undo is None or around is None:
        return
    env = {name: step.env[name] for name in task.undo.reads}
    if task.undo.own:
        env[task.undo.own] = value
    _saga(around).completed.append(Completed(seq, step.path, task.undo.body, env))
    _note_first(step, seq)


def _note_first(step: Step, seq: int) -> None:
    """Tell all sagas around a step, those around a calling flow too, unless they have been told before."""
    owner = step.frame.owner
    while owner is not None:
        if owner.saga is not None:
            if owner.saga.first is not None:
                return
            owner.saga.first = seq
        owner = owner.frame.owner


def saga_part_ended(machine: Machine, step: Step, frame: Frame, outcome: Outcome) -> None:
    """The body of a saga ended, or one of its undos."""
    saga = _saga(step)
    if frame.tag == UNDO:
        if isinstance(outcome, Broken):
            path = frame.prefix.removesuffix(".")
            saga.failures.add(path, outcome.failure)
            machine.undo_failures.add(path, outcome.failure)
            saga.blamed += outcome.seqs
    elif isinstance(outcome, Done | Left) and not step.halting:
        outer = step.frame.saga
        if outer is not None:
            _saga(outer).completed += saga.completed
        machine.settle(step, outcome)
        return
    else:
        saga.verdict = outcome if isinstance(outcome, Broken | Halted) else HALTED
        saga.undone_count = len(saga.completed)
        saga.completed.sort(key=lambda one: one.seq)
    _undo_next(machine, step, saga)


def _undo_next(machine: Machine, step: Step, saga: SagaSteps) -> None:
    if saga.completed:
        last = saga.completed.pop()
        machine.start_frame(last.undo, block_prefix(last.path), last.env, step, UNDO)
        return
    verdict, blamed = saga.verdict, _blamed(step, saga)
    if isinstance(verdict, Broken) and not step.halting:
        machine.settle(step, Broken(with_undo_failures(verdict.failure, saga.failures), blamed))
    else:
        machine.settle(step, Halted(blamed))


def _blamed(step: Step, saga: SagaSteps) -> tuple[Blame, ...]:
    assert isinstance(saga.verdict, Broken | Halted), "only what did not end well is undone"
    blamed = (*saga.verdict.seqs, *saga.blamed)
    if not saga.undone_count:
        return blamed
    assert saga.first is not None, "what is undone was completed"
    return (*blamed, Anew(block_prefix(step.path), saga.first))


def is_undoing(step: Step) -> bool:
    """Whether a step is a saga whose body has ended and whose undos run."""
    return step.saga is not None and step.saga.verdict is not None


def _saga(step: Step) -> SagaSteps:
    assert step.saga is not None, f"{step.path} is not a saga"
    return step.saga
