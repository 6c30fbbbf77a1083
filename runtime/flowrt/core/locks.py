"""`lock`: asking for it, the body that holds it, giving it back.

In: records and the end of the body. Out: commands, and the step's outcome once the lock is given back.

    StartLock   Queued    the run stands in the queue of the store
    AwaitLock   Locked    it has got the lock: the body begins
    Unlock      Unlocked  the body has ended, however that was, and the lock is given back

A step that is told to stop while it waits gives its place in the queue back by the same record, whether or
not the lock has come meanwhile: the queue is in the store, and what stands in it would be given the lock.

Who goes on behind a failure goes on inside the body, so what is blamed beside the failure is that the lock
was given back. The state then has a lock that the store has given to others: see `flowrt.engine.locks`.
"""

from flowrt.command import AwaitLock, StartLock, Unlock
from flowrt.core.actors import turn_came
from flowrt.core.frame import LockHold, Step
from flowrt.core.machine import Machine, halted
from flowrt.core.outcome import HALTED, Broken, Halted, Outcome
from flowrt.program import Lock, Task
from flowrt.record import Queued


def open_lock(machine: Machine, step: Step, op: Lock) -> None:
    """Ask for the lock."""
    machine.command(step.path, StartLock(step.path, op, step.env))


def queued(machine: Machine, step: Step, record: Queued, seq: int) -> None:
    """The run stands in the queue."""
    step.lock = LockHold(record.lock, record.limit, seq)
    if step.halting:
        return  # Its place is being given back.
    if machine.observer is not None:
        machine.observer.queued(step.path, record.lock)
    machine.command(step.path, AwaitLock(step.path, record.lock, record.limit))


def locked(machine: Machine, step: Step) -> None:
    """The run has the lock: begin the body, or the attempt whose turn it is."""
    hold, op = _hold(step), step.node.op
    hold.held = True
    if step.halting:
        return
    if machine.observer is not None:
        machine.observer.admitted(step.path)
    if isinstance(op, Task):
        turn_came(machine, step, op)
    else:
        assert isinstance(op, Lock), f"{step.path} is not a lock"
        machine.withdraw(step.path)
        machine.start_block(op.body, step)


def lock_body_ended(machine: Machine, step: Step, outcome: Outcome) -> None:
    """The body has ended: give the lock back."""
    _hold(step).outcome = outcome
    machine.command(step.path, Unlock(step.path))


def unlocked(machine: Machine, step: Step, seq: int) -> None:
    """The lock is given back: the step ends as its body did."""
    outcome = HALTED if step.lock is None else step.lock.outcome or HALTED
    if step.halting:
        outcome = halted(outcome)
    match outcome:
        case Broken(failure, seqs):
            outcome = Broken(failure, (*seqs, seq))
        case Halted(seqs):
            outcome = Halted((*seqs, seq))
        case _:
            pass
    machine.settle(step, outcome)


def stop_lock(machine: Machine, step: Step) -> None:
    """Stop a lock that is asked for, or whose body runs, or that is being given back."""
    if step.children:
        for child in step.children.values():
            machine.stop_frame(child, HALTED)
    elif not isinstance(machine.open_command(step.path), Unlock):
        machine.command(step.path, Unlock(step.path))


def _hold(step: Step) -> LockHold:
    assert step.lock is not None, f"{step.path} has asked for no lock"
    return step.lock
