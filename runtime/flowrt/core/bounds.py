"""A block with a bound in time, and one that is made again as a whole when it fails.

In: records of the block, and the end of its body. Out: the next attempt of the body, or the step's outcome.

    body runs ──▶ ends well, or leaves: so does the block
             ├──▶ fails: the engine is asked, by the policy of `retry`, whether and when there is another
             │    attempt (`Retrying`) or not (`Failed`); after the pause the body begins anew
             └──▶ its time is up (`Fired`): what runs in it is stopped, and it has failed by that

The bound counts for each attempt, from the record `Entered` on, which holds the instant at which it is over.
The body does not wait for that record. Who goes on behind a failure goes on inside of the attempt, perhaps
days later, and has all of its time again: an attempt that failed or was stopped blames the record, so a run
that is reopened gets a new one, and what the body recorded before it stays done. Attempt n > 1 has paths of
its own (`step~r2.x`), so nothing of an earlier one is taken for done.
"""

from flowrt.command import AwaitTimer, EnterBlock, RetryBlock
from flowrt.core.catching import EVERY, is_one_of, together
from flowrt.core.frame import BlockTries, Step
from flowrt.core.machine import Machine, broken, halted
from flowrt.core.outcome import Broken, Halted, Outcome
from flowrt.core.path import attempt_prefix
from flowrt.program import Bounded
from flowrt.record import Entered, Failed, Retrying

BODY = 0


def open_bounded(machine: Machine, step: Step, op: Bounded) -> None:
    """Begin the first attempt."""
    step.tries = BlockTries()
    _begin(machine, step, op, step.tries)


def _begin(machine: Machine, step: Step, op: Bounded, tries: BlockTries) -> None:
    within = op.retry is not None and op.retry.within is not None
    if op.timeout is not None or (within and tries.attempt == 1):
        machine.command(step.path, EnterBlock(step.path, tries.attempt, op.timeout, step.env))
    frame = machine.start_frame(op.body, attempt_prefix(step.path, tries.attempt), step.env, step, BODY)
    if op.retry is not None:
        frame.catches = together(frame.catches, (*op.retry.catch, *op.retry.unless, EVERY))


def entered(machine: Machine, step: Step, record: Entered, seq: int) -> None:
    """The attempt has begun, and its bound, if it has one, is known."""
    tries = _tries(step)
    machine.withdraw(step.path)
    tries.entered = (seq,)
    tries.first_at = tries.first_at or record.at
    if record.due_at and not step.halting:
        machine.command(step.path, AwaitTimer(step.path, record.due_at))


def time_is_up(machine: Machine, step: Step, op: Bounded, seq: int) -> None:
    """The pause before the next attempt is over, or the time of this one."""
    tries = _tries(step)
    machine.withdraw(step.path)
    if tries.failed is not None:
        tries.failed = None
        tries.entered = ()
        tries.attempt += 1
        _begin(machine, step, op, tries)
        return
    message = "The block took longer than its `timeout`."
    _stop_body(machine, step, broken("flowrt.BlockTimedOut", message, step.path, (seq,)))


def block_failed(machine: Machine, step: Step, record: Failed, seq: int) -> None:
    """There is no other attempt; or an expression of the block itself failed."""
    tries = _tries(step)
    machine.withdraw(step.path)
    if tries.failed is not None:
        machine.settle(step, Broken(record.failure, (*tries.failed.seqs, seq)))
        return
    tries.is_last = True
    _stop_body(machine, step, Broken(record.failure, (seq,)))


def block_retries(machine: Machine, step: Step, record: Retrying) -> None:
    """There is another attempt, at some instant."""
    if machine.observer is not None:
        error = f"{record.failure.type}: {record.failure.message}"
        machine.observer.attempted(step.path, record.attempt, error, record.started_at, record.ended_at)
    machine.command(step.path, AwaitTimer(step.path, record.retry_at))


def _stop_body(machine: Machine, step: Step, verdict: Broken) -> None:
    for child in step.children.values():
        child.blamed += verdict.seqs
        machine.stop_frame(child, verdict)


def block_ended(machine: Machine, step: Step, op: Bounded, outcome: Outcome) -> None:
    """An attempt has ended."""
    tries = _tries(step)
    machine.withdraw(step.path)
    outcome = _blaming(outcome, tries.entered)
    if step.halting:
        machine.settle(step, halted(outcome))
    elif (
        op.retry is None
        or tries.is_last
        or not isinstance(outcome, Broken)
        or not is_one_of((EVERY,), outcome.failure)
    ):
        machine.settle(step, outcome)
    else:
        tries.failed = outcome
        command = RetryBlock(step.path, op.retry, step.env, outcome.failure, tries.attempt, tries.first_at)
        machine.command(step.path, command)


def _blaming(outcome: Outcome, entered: tuple[int, ...]) -> Outcome:
    """The end of an attempt, with the record that set its bound when it did not end well."""
    match outcome:
        case Broken(failure, seqs):
            return Broken(failure, (*seqs, *entered))
        case Halted(seqs):
            return Halted((*seqs, *entered))
        case _:
            return outcome


def _tries(step: Step) -> BlockTries:
    assert step.tries is not None, f"{step.path} is not a bounded block"
    return step.tries
