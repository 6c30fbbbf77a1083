"""Making and finding runs in SQL. In: a connection within a transaction; out: rows, numbers."""

import json
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, Row, and_, case, func, literal, or_, select, update

from flowrt.failpoint import hit
from flowrt.noun import replace
from flowrt.store import sql_create, sql_deployments
from flowrt.store.rows import RunRow, RunStatus, Slot
from flowrt.store.run_rows import run_row, seal_text
from flowrt.store.schema import runs
from flowrt.store.sql_checksum import RUNS, changed
from flowrt.store.status import ENDED
from flowrt.store.texts import spelt


def move_slot(connection: Connection, slot: Slot) -> bool:
    """Move a schedule to the slot that a run is made for; False when it is not where the slot says."""
    moved = sql_deployments.move_cursor(connection, slot.schedule, slot.after, slot.at)
    hit("slot.written")
    return moved


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
        sql_create.refer(connection, run_no, [snapshot])


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
