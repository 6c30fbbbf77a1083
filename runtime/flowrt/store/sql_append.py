"""Appending to journals in SQL. In: a connection within a transaction, and batches; out: superseded runs.

One update moves the heads of all runs whose epoch and head are those that their batches name, and lets go
of those that are to be parked; then the records of all batches go in by one statement.

A batch that is sent again after its answer was lost finds its own records in place: that is how it is
known, whoever has the run by then. One without records is carried out again as long as the epoch is its
own, which changes nothing: a run that was woken in the meantime is woken by what woke it, once more.
"""

from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import Connection, and_, case, func, insert, null, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from flowrt.errors import StoreCorrupt
from flowrt.failpoint import hit
from flowrt.store import sql_actors, sql_cache, sql_create, sql_events, sql_locks
from flowrt.store.checksum import wait_checksum
from flowrt.store.rows import Batch, NewEvent, WaitRow
from flowrt.store.run_rows import run_row
from flowrt.store.schema import blob_refs, records, runs, waits
from flowrt.store.sql_checksum import RUNS, SOUND, checksum_of
from flowrt.store.sql_create import record_row, ref_row
from flowrt.store.sql_insert import insert_absent
from flowrt.store.sql_rows import as_rows, given_rows
from flowrt.store.sql_turns import Turn, take_turn
from flowrt.store.status import ENDED
from flowrt.store.texts import spelt

_KINDS: Mapping[str, type] = {
    "run_id": str,
    "epoch": int,
    "first_seq": int,
    "next_seq": int,
    "status": str,
    "started_at": int,
    "ended_at": int,
    "goes_on": bool,
    "parks": bool,
    "wake_at": int,
    "head_seal": str,
}


@cache
def _advance(dialect: str) -> ReturningUpdate[str, int, bool]:
    to = given_rows(dialect, _KINDS)
    status = func.coalesce(to["status"], runs.c.status)
    ended_at = func.coalesce(to["ended_at"], runs.c.ended_at)
    wake_at = case(
        (status.in_(sorted(ENDED)), null()),
        (~runs.c.served, null()),
        (and_(~to.truth("parks"), runs.c.owner.is_not(None)), runs.c.lease_until),
        (~to.truth("parks"), runs.c.wake_at),
        (runs.c.cancel_unseen, 0),
        else_=to["wake_at"],
    )
    values = {
        "head": to["next_seq"],
        "status": status,
        "started_at": func.coalesce(to["started_at"], runs.c.started_at),
        # A run that goes on after its end has not ended.
        "ended_at": case((to.truth("goes_on"), null()), else_=ended_at),
        "owner": case((to.truth("parks"), null()), else_=runs.c.owner),
        "lease_until": case((to.truth("parks"), 0), else_=runs.c.lease_until),
        "wake_at": wake_at,
        "head_seal": case((to["head_seal"] == "", runs.c.head_seal), else_=to["head_seal"]),
    }
    return (
        update(runs)
        .where(
            runs.c.run_id == to["run_id"],
            runs.c.epoch == to["epoch"],
            runs.c.head == to["first_seq"],
            SOUND,
        )
        .values({**values, "checksum": checksum_of(values)})
        .returning(runs.c.run_id, runs.c.run_no, and_(runs.c.served, runs.c.status.not_in(sorted(ENDED))))
    )


def append(connection: Connection, batches: Sequence[Batch]) -> frozenset[str]:
    """Write the batches whose epoch is still that of their run; return the runs of the others."""
    superseded: set[str] = set()
    rest = list(batches)
    while rest:
        # A statement changes a row once: batches of one run follow one another.
        now: dict[str, Batch] = {}
        rest = [batch for batch in rest if now.setdefault(batch.run_id, batch) is not batch]
        superseded |= _append_once(connection, list(now.values()))
    return frozenset(superseded)


def _append_once(connection: Connection, batches: Sequence[Batch]) -> frozenset[str]:
    if any(batch.events or batch.locks or batch.unlocks for batch in batches):
        take_turn(connection, Turn.EVENTS)
    elif any(batch.park and (batch.park.waits or batch.park.locks) for batch in batches):
        take_turn(connection, Turn.EVENTS, shared=True)
    moved = connection.execute(_advance(connection.dialect.name), as_rows(map(_moves, batches))).all()
    hit("append.advanced")
    numbers = {run_id: run_no for run_id, run_no, _ in moved}
    written = [batch for batch in batches if batch.run_id in numbers]
    _write(connection, written, numbers)
    hit("append.written")
    sql_locks.change(connection, written, numbers)
    sql_cache.add(connection, written, numbers)
    sql_actors.change(connection, written)
    _park(connection, written, {run_id: run_no for run_id, run_no, waits_on in moved if waits_on})
    sent: list[NewEvent] = [event for batch in written for event in batch.events]
    sql_events.accept_all(connection, sent)
    started = [run for batch in written for run in batch.creates]
    if started:
        sql_create.create_all(connection, started)
        hit("append.created")
    others = [batch for batch in batches if batch.run_id not in numbers]
    return frozenset(batch.run_id for batch in others if not _is_there(connection, batch))


def _moves(batch: Batch) -> dict[str, object]:
    return {
        "run_id": batch.run_id,
        "epoch": batch.epoch,
        "first_seq": batch.first_seq,
        "next_seq": batch.first_seq + len(batch.records),
        "status": batch.status,
        "started_at": batch.started_at,
        "ended_at": batch.ended_at,
        "goes_on": batch.status is not None and batch.status not in ENDED,
        "parks": batch.park is not None,
        "wake_at": batch.park.wake_at if batch.park else None,
        "head_seal": batch.head_seal.hex(),
    }


def _write(connection: Connection, batches: Sequence[Batch], numbers: Mapping[str, int]) -> None:
    rows = [
        record_row(batch.run_id, numbers[batch.run_id], seq, batch.epoch, data)
        for batch in batches
        for seq, data in enumerate(batch.records, batch.first_seq)
    ]
    if rows:
        connection.execute(insert(records), rows)
    refs = {(numbers[batch.run_id], digest) for batch in batches for digest in batch.blobs}
    insert_absent(connection, blob_refs, [ref_row(run_no, digest) for run_no, digest in sorted(refs)])


def _park(connection: Connection, batches: Sequence[Batch], numbers: Mapping[str, int]) -> None:
    """Write for which events the runs wait that were let go; those that have missed one are due."""
    parked = [
        _wait_row(numbers[batch.run_id], w)
        for batch in batches
        if batch.park is not None and batch.run_id in numbers
        for w in batch.park.waits
    ]
    if parked:
        connection.execute(insert(waits), parked)
        sql_events.wake_late(
            connection, list({numbers[b.run_id] for b in batches if b.park and b.run_id in numbers})
        )
        hit("park.written")
    for batch in batches:
        if batch.park is not None and batch.park.locks and batch.run_id in numbers:
            sql_locks.wake_answered(connection, numbers[batch.run_id], batch.park.locks)


def _wait_row(run_no: int, wait: WaitRow) -> dict[str, object]:
    name, key = spelt(wait.name), spelt(wait.key)
    checksum = wait_checksum(run_no, name, key, wait.looked)
    return {"run_no": run_no, "name": name, "key": key, "looked": wait.looked, "checksum": checksum}


def _is_there(connection: Connection, batch: Batch) -> bool:
    """Whether a batch was written before; False when its epoch is superseded. Raises StoreCorrupt."""
    run = connection.execute(RUNS.where(runs.c.run_id == batch.run_id)).first()
    if run is None:
        return False
    run_row(run)
    there = connection.execute(
        select(records.c.epoch, records.c.data)
        .where(
            records.c.run_no == run.run_no,
            records.c.seq >= batch.first_seq,
            records.c.seq < batch.first_seq + len(batch.records),
        )
        .order_by(records.c.seq)
    )
    same = bool(batch.records) and [tuple(row) for row in there] == [
        (batch.epoch, data) for data in batch.records
    ]
    if not same and run.epoch == batch.epoch:
        raise StoreCorrupt(
            f"The journal of run {batch.run_id} is damaged, or somebody else has written to it: its row has "
            f"{run.head} records under the epoch of its owner, whose next is number {batch.first_seq}."
        )
    return same
