"""Methods of actors: a call waits for its turn at its object, and each attempt has a turn of its own.

In: records of a call. Out: commands.

    AskTurn     Queued                       the run stands in the queue for the object
    AwaitLock   Locked                       it is the call's turn: the attempt is made
    RunTask     Succeeded, Failed, Stopped   the call has ended, and its turn with it
                Retrying                     the turn has ended: the next attempt waits for one of its own

A turn is a lock that one call has at a time (see `flowrt.core.locks`). The record that ends an attempt gives
it back in its own transaction, in which the new state of the object is written too: nobody sees the one
without the other, and no record says that the turn is over. Between attempts the object is free, so that a
call that is made again in an hour holds nobody up for an hour; the next attempt begins from the state that it
finds then.

Who goes on behind a failure goes on with a call that has its turn, as far as the journal tells, though the
store has given it to others. That is mended outside: see `flowrt.engine.locks`.
"""

from flowrt.command import AskTurn, BeginTask, RunTask, StopTask, Unlock
from flowrt.core.frame import Step
from flowrt.core.machine import Machine
from flowrt.core.once import open_once
from flowrt.core.saga import task_env
from flowrt.noun import replace
from flowrt.program import Actor, Imported, Task
from flowrt.record import Failed, Record, Retrying, Stopped, Succeeded


def open_call(machine: Machine, step: Step, task: Task, actor: Actor) -> None:
    """Ask for a turn; one whose single attempt was begun before has failed without one."""
    if task.once and step.path in machine.unknown:
        open_once(machine, step)
    else:
        _ask(machine, step, task, actor, 0)


def ask_again(machine: Machine, step: Step, actor: Actor, again: RunTask) -> None:
    """Ask for another turn, when it is time for the next attempt."""
    step.lock, step.again = None, again
    _ask(machine, step, again.task, actor, again.not_before)


def _ask(machine: Machine, step: Step, task: Task, actor: Actor, not_before: int) -> None:
    assert isinstance(task.callee, Imported), f"{step.path} is a method of a class that has no name"
    path = step.path
    machine.command(path, AskTurn(path, task.callee.path, actor.key, step.env, not_before))


def turn_came(machine: Machine, step: Step, task: Task) -> None:
    """Make the attempt."""
    path = step.path
    if task.once:
        machine.command(path, BeginTask(path))
    else:
        # That it is time was seen before the turn was asked for. A clock that was put back since must not
        # let the call keep its turn until then.
        again = step.again and replace(step.again, not_before=0)
        machine.command(path, again or RunTask(path, task, task_env(step, task)))
    step.again = None


def stop_call(machine: Machine, step: Step) -> None:
    """Stop a call: leave the queue, or stop the attempt."""
    has_turn = step.lock is not None and step.lock.held
    machine.command(step.path, StopTask(step.path) if has_turn else Unlock(step.path))


def ends_turn(step: Step, record: Record) -> bool:
    """Whether a record of a step ends its turn at an object."""
    if not isinstance(record, Succeeded | Failed | Retrying | Stopped) or step.lock is None:
        return False
    return isinstance(step.node.op, Task)
