"""Cancelling: a person's wish becomes a record in the run's journal.

The wish is noted in the store first, where it outlives whoever has the run. It has been heard when the
owner of the run has it in the journal: from then on nothing new starts but what undoes the run's sagas. So
who asks waits for that.
"""

import time
from collections.abc import Callable

from flowrt.clock import Clock, WallClock
from flowrt.encoding.pack import decode_program, decode_record
from flowrt.engine.drive import owned
from flowrt.engine.fold import fold
from flowrt.errors import FlowrtError
from flowrt.record import CancelRequested
from flowrt.store.port import Store
from flowrt.store.rows import RunRow, RunStatus
from flowrt.store.status import ENDED

LOOK_S = 0.05
SERVED_PATIENCE_US = 3_000_000
"""How long a run that nobody has is left to those who serve the store, before it is driven here."""


def cancel(
    store: Store,
    run_id: str,
    reason: str,
    *,
    force: bool = False,
    clock: Clock | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """Have a run cancelled; with `force` its tasks are not given time to end by themselves.

    True when its owner has heard it, or the run has ended: nothing new starts. False when nobody owns the
    run, any more or yet: drive it, and it ends.
    Raises UnknownRun, StoreError; FlowrtError when it had ended before.
    """
    clock = clock or WallClock()
    row = store.run(run_id)
    refuse_ended(row)
    first = row.head if row.cancel_reason is None else 0
    store.request_cancel(run_id, reason, force=force)
    asked_at = clock.now()
    told = False
    while True:
        again, first = heard(store, run_id, first)
        told = told or again
        row = store.run(run_id)
        now = clock.now()
        # Whoever heard it may be gone, and what is to be undone is still to be undone.
        somebody_has_it = row.served or owned(row, now)
        if row.status in ENDED or (told and somebody_has_it):
            return True
        left_to_others = row.served and now - asked_at < SERVED_PATIENCE_US
        if not owned(row, now) and not left_to_others:
            return False
        pause(LOOK_S)


def refuse_ended(row: RunRow) -> None:
    """Raise FlowrtError when a run has ended."""
    if row.status in ENDED:
        message = f"Run {row.run_id} has ended already: it {_ended_how(row.status)}."
        raise FlowrtError(message)


def has_undos(store: Store, run_id: str) -> bool:
    """Whether a run that is cancelled has tasks to run all the same, those that undo what its sagas did.

    Raises UnknownRun, StoreError.
    """
    program = decode_program(store.program(store.run(run_id).program_digest))
    return fold(store, run_id, program).state.has_undos


def heard(store: Store, run_id: str, first: int) -> tuple[bool, int]:
    """Whether the journal has the wish to cancel, at number `first` or behind it; and where to look next.

    Once it has, nothing new starts in the run. Raises UnknownRun, StoreError.
    """
    for line in store.journal(run_id, first):
        first = line.seq + 1
        if isinstance(decode_record(line.data), CancelRequested):
            return True, first
    return False, first


def _ended_how(status: RunStatus) -> str:
    return "was cancelled" if status == "cancelled" else status
