"""Making and finding runs in SQL. In: a connection within a transaction; out: rows, numbers."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, Row, Table, and_, case, func, insert, literal, or_, select, update

from flowrt.failpoint import hit
from flowrt.noun import replace
from flowrt.store import sql_append, sql_deployments
from flowrt.store.checksum import pair_checksum
from flowrt.store.rows import NewRun, RunRow, RunStatus, Slot
from flowrt.store.run_rows import columns, run_row, seal_text
from flowrt.store.schema import blob_refs, code, events, program_code, programs, records, runs
from flowrt.store.sql_checksum import RUNS, changed, checksum_of
from flowrt.store.sql_insert import insert_absent, insert_if_absent
from flowrt.store.sql_turns import Turn, take_turn
from flowrt.store.status import ENDED
from flowrt.store.texts import spelt


def create(connection: Connection, run: NewRun) -> bool:
    """Write a run with its program and its first record; False when its id is taken."""
    keep_program(connection, run.program_digest, run.program, run.code)
    hit("create.kept")
    newest = connection.scalar(select(func.max(events.c.event_id))) or 0
    values = columns(run, newest)
    run_no = insert_if_absent(connection, runs, {**values, "checksum": checksum_of(values)})
    if run_no is None:
        return False
    first = sql_append.record_row(run.run_id, int(run_no), 0, 0, run.first)
    connection.execute(insert(records).values(first))
    refer(connection, int(run_no), {*run.blobs, *([run.snapshot] if run.snapshot else [])})
    hit("create.written")
    return True


def move_slot(connection: Connection, slot: Slot) -> bool:
    """Move a schedule to the slot that a run is made for; False when it is not where the slot says."""
    moved = sql_deployments.move_cursor(connection, slot.schedule, slot.after, slot.at)
    hit("slot.written")
    return moved


def keep_program(connection: Connection, digest: str, program: bytes, callables: Mapping[str, bytes]) -> None:
    """Add a program and its callables unless they are there."""
    take_turn(connection, Turn.PROGRAMS, shared=True)
    _keep(connection, programs, digest, program)
    for key in sorted(callables):
        _keep(connection, code, key, callables[key])
    insert_absent(connection, program_code, [_code_row(digest, key) for key in sorted(callables)])


def _code_row(program: str, key: str) -> dict[str, object]:
    return {"program": program, "code": key, "checksum": pair_checksum(program, key)}


def _keep(connection: Connection, table: Table, digest: str, data: bytes) -> None:
    checksum = hashlib.sha256(data).hexdigest()
    insert_if_absent(connection, table, {"digest": digest, "sha256": checksum, "data": data})


def refer(connection: Connection, run_no: int, digests: Collection[str]) -> None:
    """Note that a run refers to blobs."""
    insert_absent(connection, blob_refs, [sql_append.ref_row(run_no, one) for one in sorted(digests)])


def reopen(
    connection: Connection,
    run_id: str,
    epoch: int,
    python_path: Sequence[str],
    snapshot: str | None,
    seal: bytes,
) -> None:
    """Give a run other code, if its epoch is this one."""
    row = found(connection, run_id, lock=True)
    if row is None:
        return
    other = replace(run_row(row), python_path=tuple(python_path), snapshot=snapshot)
    run_no = connection.scalar(
        update(runs)
        .where(runs.c.run_id == run_id, runs.c.epoch == epoch)
        .values(
            changed(
                {
                    "python_path": json.dumps(list(python_path)),
                    "snapshot": snapshot,
                    "seal": seal_text(other, seal),
                }
            )
        )
        .returning(runs.c.run_no)
    )
    if run_no is not None and snapshot is not None:
        refer(connection, run_no, [snapshot])


def found(connection: Connection, run_id: str, *, lock: bool = False) -> Row[*tuple[object, ...]] | None:
    """The row of a run; with `lock`, nobody else changes it until the transaction ends."""
    query = RUNS.where(runs.c.run_id == run_id)
    return connection.execute(query.with_for_update() if lock else query).first()


def listed(
    connection: Connection, status: Collection[RunStatus] | None, flow: str | None, limit: int | None
) -> list[RunRow]:
    """Runs, the newest first."""
    query = RUNS.order_by(runs.c.created_at.desc(), runs.c.run_no.desc()).limit(limit)
    if status is not None:
        query = query.where(runs.c.status.in_(status))
    if flow is not None:
        query = query.where(runs.c.flow == spelt(flow))
    return [run_row(row) for row in connection.execute(query)]


def ids(connection: Connection) -> list[str]:
    """The ids of all runs, the newest first."""
    newest_first = select(runs.c.run_id).order_by(runs.c.created_at.desc(), runs.c.run_no.desc())
    return list(connection.scalars(newest_first))


def request_cancel(connection: Connection, run_id: str, reason: str, *, force: bool) -> None:
    """Note that a run is to be cancelled, unless it has ended; one that is parked becomes due."""
    parked = and_(runs.c.served, runs.c.owner.is_(None))
    connection.execute(
        update(runs)
        .where(runs.c.run_id == run_id, runs.c.status.not_in(ENDED))
        .values(
            changed(
                {
                    "cancel_reason": func.coalesce(runs.c.cancel_reason, spelt(reason)),
                    "cancel_force": or_(runs.c.cancel_force, literal(force)),
                    "cancel_unseen": True,
                    "wake_at": case((parked, 0), else_=runs.c.wake_at),
                }
            )
        )
    )
