"""What the engine did to runs and why, for people. In: records and wishes; out: lines of a log.

The logger is `flowrt.log`. `flowc serve` shows it, and `flowc run` with `--verbose`. Values never stand in
it; the message of a failure stands in the journal, where `flowc why` finds it.
"""

import logging
from datetime import UTC, datetime

from flowrt.record import Failed, Record, Retrying
from flowrt.store.rows import Cancel

LOG = logging.getLogger("flowrt.log")


def tell_attempt(run_id: str, record: Record) -> None:
    """An attempt has ended, and not well."""
    match record:
        case Retrying(step, failure, attempt, _, _, retry_at, True):
            said = "run %s: step %s: attempt %d was lost: %s It is made again %s"
            LOG.warning(said, run_id, step, attempt, failure.message, _when(retry_at))
        case Retrying(step, failure, attempt, _, _, retry_at):
            said = "run %s: step %s: attempt %d failed with %s; the next is made %s"
            LOG.info(said, run_id, step, attempt, failure.type, _when(retry_at))
        case Failed(step, failure, 0):
            LOG.info("run %s: step %s failed with %s", run_id, step, failure.type)
        case Failed(step, failure, attempt):
            LOG.info("run %s: step %s failed at attempt %d with %s", run_id, step, attempt, failure.type)
        case _:
            pass


def tell_forced(run_id: str, step: str) -> None:
    """A task has not ended in the time that it had after it was told to."""
    LOG.info("run %s: step %s did not end when it was told to, and is stopped by force", run_id, step)


def tell_cancel(run_id: str, cancel: Cancel) -> None:
    """Somebody wants the run to be cancelled."""
    how = "cancelled at once" if cancel.force else "cancelled"
    LOG.info("run %s is being %s: %s", run_id, how, cancel.reason or "no reason was given")


def tell_taken_up(run_id: str, epoch: int, records: int, *, often: bool) -> None:
    """A run that was begun before goes on; `often`: as parked runs do each time they are due."""
    level = logging.DEBUG if often else logging.INFO
    LOG.log(level, "run %s goes on from its %d records, under epoch %d", run_id, records, epoch)


def _when(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1_000_000, UTC).strftime("at %H:%M:%S UTC")
