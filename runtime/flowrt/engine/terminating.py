"""Terminating: a run is ended here and now, whoever has it. In: a run; out: its end, durable.

A cancel leaves undos and `finally` blocks to end by themselves, and one that hangs keeps its run alive. This
is the way out: whoever terminates takes the run over, also from an owner that is alive, and records its end.
The new epoch fences that owner, which stops its tasks when it finds that the run is no longer its own, within
two seconds. The journal is not folded, so that a run that nobody can go on with can be ended, and deleted.
"""

from collections.abc import Sequence

from flowrt.clock import Clock, WallClock
from flowrt.encoding.pack import encode_record
from flowrt.engine.cancelling import refuse_ended
from flowrt.errors import RunOwned, StoreCorrupt, StoreUnavailable, WrongStoreKey
from flowrt.record import TERMINATED, CancelRequested, Ended, Failure
from flowrt.store.owner import this_owner
from flowrt.store.port import Store
from flowrt.store.rows import Batch, Park, RunRow
from flowrt.store.status import ENDED

LEASE_US = 30_000_000
_RENEWALS = 10
"""How often an owner may extend its lease just before it is passed over: once, as a rule."""

_MESSAGE = "The run was terminated: nothing was undone, and no `finally` was run, from then on."


def terminate(store: Store, run_id: str, reason: str, *, clock: Clock | None = None) -> None:
    """End a run as cancelled without anything more being done for it.

    Its locks are free from then on. Raises UnknownRun, StoreError; FlowrtError when it had ended before.
    """
    clock = clock or WallClock()
    refuse_ended(store.run(run_id))
    store.request_cancel(run_id, reason, force=True)
    epoch = _take(store, run_id, clock)
    row = store.run(run_id)
    if row.status in ENDED:
        # It ended between the two looks.
        store.release(run_id, epoch)
        refuse_ended(row)
    try:
        unlocks = tuple(place.step for place in store.locks_of([run_id]))
    except (StoreCorrupt, WrongStoreKey):
        # Which steps have places cannot be told. Who is laid aside has none.
        store.release(run_id, epoch, "suspended")
        _take(store, run_id, clock)
        row, unlocks = store.run(run_id), ()
    _end(store, row, unlocks, reason, clock.now())


def _take(store: Store, run_id: str, clock: Clock) -> int:
    """Own a run, as if the lease of its owner had run out. Raises StoreUnavailable."""
    for _ in range(_RENEWALS):
        row, now = store.run(run_id), clock.now()
        try:
            return store.claim(run_id, this_owner(), max(now, row.lease_until), now + LEASE_US)
        except RunOwned:
            continue
    message = f"The owner of run {run_id} renewed its lease each time it was to be taken over. Try again."
    raise StoreUnavailable(message)


def _end(store: Store, row: RunRow, unlocks: Sequence[str], reason: str, now: int) -> None:
    records = (
        CancelRequested(now, reason, force=True),
        Ended(now, "cancelled", None, Failure(TERMINATED, _MESSAGE)),
    )
    batch = Batch(
        run_id=row.run_id,
        epoch=row.epoch,
        first_seq=row.head,
        records=[encode_record(record) for record in records],
        unlocks=unlocks,
        status="cancelled",
        ended_at=now,
        park=Park(),
    )
    if store.append([batch]):
        # Somebody has terminated it at the same time.
        refuse_ended(store.run(row.run_id))
