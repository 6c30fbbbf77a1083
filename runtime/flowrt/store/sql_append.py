"""Appending to journals in SQL. In: a connection within a transaction, and batches; out: superseded runs.

For each batch one update moves the head of its run, if the epoch and the head are those that the batch
names; then the records of all batches go in by one statement.
"""

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Text,
    bindparam,
    case,
    func,
    insert,
    null,
    select,
    update,
)

from flowrt.store import sql_events
from flowrt.store.checksum import record_checksum
from flowrt.store.port import Batch
from flowrt.store.schema import records, runs
from flowrt.store.status import ENDED

_ADVANCE = (
    update(runs)
    .where(
        runs.c.run_id == bindparam("of_run"),
        runs.c.epoch == bindparam("of_epoch"),
        runs.c.head == bindparam("first_seq"),
    )
    .values(
        head=bindparam("next_seq"),
        status=func.coalesce(bindparam("new_status", type_=Text), runs.c.status),
        started_at=func.coalesce(bindparam("new_started_at", type_=BigInteger), runs.c.started_at),
        # A run that goes on after its end has not ended.
        ended_at=case(
            (bindparam("goes_on", type_=Boolean), null()),
            else_=func.coalesce(bindparam("new_ended_at", type_=BigInteger), runs.c.ended_at),
        ),
    )
    .returning(runs.c.run_no)
)
_INSERT = insert(records)


def append(connection: Connection, batches: Sequence[Batch]) -> frozenset[str]:
    """Write the batches whose epoch is still that of their run; return the runs of the others."""
    superseded: set[str] = set()
    rows: list[dict[str, object]] = []
    for batch in batches:
        run_no = _advance(connection, batch)
        if run_no is not None:
            rows.extend(
                _row(batch, run_no, seq, data) for seq, data in enumerate(batch.records, batch.first_seq)
            )
            for event in batch.events:
                sql_events.accept(connection, event)
        elif not _is_there(connection, batch):
            superseded.add(batch.run_id)
    if rows:
        connection.execute(_INSERT, rows)
    return frozenset(superseded)


def first_row(run_id: str, run_no: int, data: bytes) -> dict[str, object]:
    """The row of the record that is written when its run is created."""
    checksum = record_checksum(run_id, 0, 0, data)
    return {"run_no": run_no, "seq": 0, "epoch": 0, "checksum": checksum, "data": data}


def _row(batch: Batch, run_no: int, seq: int, data: bytes) -> dict[str, object]:
    checksum = record_checksum(batch.run_id, seq, batch.epoch, data)
    return {"run_no": run_no, "seq": seq, "epoch": batch.epoch, "checksum": checksum, "data": data}


def _advance(connection: Connection, batch: Batch) -> int | None:
    """Move the head of a run; return the run's number, or None when epoch or head are not as told."""
    number: int | None = connection.scalar(
        _ADVANCE,
        {
            "of_run": batch.run_id,
            "of_epoch": batch.epoch,
            "first_seq": batch.first_seq,
            "next_seq": batch.first_seq + len(batch.records),
            "new_status": batch.status,
            "new_started_at": batch.started_at,
            "new_ended_at": batch.ended_at,
            "goes_on": batch.status is not None and batch.status not in ENDED,
        },
    )
    return number


def _is_there(connection: Connection, batch: Batch) -> bool:
    """Whether a batch was written before; False when its epoch is superseded."""
    run = connection.execute(
        select(runs.c.run_no, runs.c.epoch, runs.c.head).where(runs.c.run_id == batch.run_id)
    ).first()
    if run is None or run.epoch != batch.epoch:
        return False
    there = connection.scalars(
        select(records.c.data)
        .where(records.c.run_no == run.run_no, records.c.seq >= batch.first_seq)
        .order_by(records.c.seq)
    )
    assert list(there) == list(batch.records), (
        f"run {batch.run_id} has {run.head} records; a batch of its own epoch begins at {batch.first_seq}"
    )
    return True
