"""Who owns runs, in SQL. In: a connection within a transaction; out: epochs, rows, what was lost.

A claim locks the row that it reads (SQLite has one writer anyway), so what it decides holds when it
writes. Leases are extended, and due runs are taken, a thousand at a time by one statement each.
"""

from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    and_,
    bindparam,
    case,
    delete,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy import Text as TextType
from sqlalchemy.sql.dml import ReturningUpdate

from flowrt.errors import StoreCorrupt
from flowrt.noun import replace
from flowrt.store import sql_locks
from flowrt.store.owner import alive
from flowrt.store.ownership import check_free
from flowrt.store.rows import Owner, RunRow, RunStatus
from flowrt.store.run_rows import owner_text, read_owner, run_row
from flowrt.store.schema import runs, waits
from flowrt.store.sql_checksum import RUNS, SOUND, changed
from flowrt.store.sql_rows import as_list, as_rows, given_numbers, given_rows
from flowrt.store.sql_turns import Turn, take_turn
from flowrt.store.status import ENDED
from flowrt.store.texts import spelt

_LOOKED_AT = 2_000
"""How many rows are looked at in one transaction: a few milliseconds' worth."""


def claim(
    connection: Connection, found: Row[*tuple[object, ...]], owner: Owner, now: int, lease_until: int
) -> int:
    """Take a run whose row is locked; return its new epoch. Raises RunOwned."""
    row = run_row(found)
    check_free(row.run_id, row.owner, row.lease_until, owner, now)
    again = row.status in ENDED
    connection.execute(
        update(runs)
        .where(runs.c.run_no == found.run_no)
        .values(
            changed(
                {
                    "epoch": row.epoch + 1,
                    "owner": owner_text(owner),
                    "lease_until": lease_until,
                    "wake_at": lease_until if row.served else None,
                    "problem": None,
                    "cancel_reason": None if again else runs.c.cancel_reason,
                    "cancel_force": False if again else runs.c.cancel_force,
                    "cancel_unseen": False,
                }
            )
        )
    )
    connection.execute(delete(waits).where(waits.c.run_no == found.run_no))
    return row.epoch + 1


def claim_due(
    connection: Connection, owner: Owner, now: int, lease_until: int, limit: int, ahead: int
) -> list[RunRow]:
    """Take served runs that are due, the earliest first; those that others are just taking are left out."""
    found = connection.execute(
        RUNS.where(
            runs.c.wake_at <= now + ahead,
            or_(runs.c.wake_at <= now, runs.c.owner.is_(None)),
            runs.c.status.not_in(ENDED),
        )
        .order_by(runs.c.wake_at, runs.c.run_no)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    rows = _sound(connection, found)
    if not rows:
        return []
    taken = as_list(rows)
    these = given_numbers(connection.dialect.name)
    connection.execute(
        update(runs)
        .where(runs.c.run_no.in_(these))
        .values(
            changed(
                {
                    "epoch": runs.c.epoch + 1,
                    "owner": owner_text(owner),
                    "lease_until": lease_until,
                    "wake_at": lease_until,
                    "problem": None,
                    "cancel_unseen": False,
                }
            )
        ),
        taken,
    )
    connection.execute(delete(waits).where(waits.c.run_no.in_(these)), taken)
    return [
        replace(
            row,
            epoch=row.epoch + 1,
            owner=owner,
            lease_until=lease_until,
            wake_at=lease_until,
            problem=None,
        )
        for row in rows.values()
    ]


def _sound(connection: Connection, found: Sequence[Row[*tuple[object, ...]]]) -> dict[int, RunRow]:
    """The rows by number; those that are damaged are laid aside, and do not keep the others from going on."""
    rows: dict[int, RunRow] = {}
    for row in found:
        try:
            rows[row.run_no] = run_row(row)
        except StoreCorrupt as damage:
            aside = update(runs).where(runs.c.run_no == row.run_no)
            connection.execute(aside.values(wake_at=None, problem=spelt(str(damage))))
    return rows


def free_dead(connection: Connection) -> int:
    """Make due at once what served runs are held by processes of this machine that live no more."""
    held = and_(runs.c.owner.is_not(None), runs.c.served, runs.c.status.not_in(ENDED))
    freed = 0
    for text in connection.scalars(select(runs.c.owner).where(held).distinct()).all():
        try:
            holder = read_owner(text)
        except (ValueError, TypeError):
            continue  # It is damaged: told by who takes the run when its lease has ended.
        if holder is not None and alive(holder) is False:
            found = connection.execute(
                update(runs)
                .where(held, runs.c.owner == text)
                .values(changed({"owner": None, "lease_until": 0, "wake_at": 0}))
            )
            freed += found.rowcount
    return freed


def free_unknown(connection: Connection, owner: Owner, known: Mapping[str, int]) -> int:
    """Make due at once the served runs that `owner` has, but for those `known` to it, by id and epoch."""
    held = and_(runs.c.owner == owner_text(owner), runs.c.served, runs.c.status.not_in(ENDED))
    found = connection.execute(select(runs.c.run_no, runs.c.run_id, runs.c.epoch).where(held)).all()
    unknown = [row.run_no for row in found if known.get(row.run_id) != row.epoch]
    if unknown:
        these = runs.c.run_no.in_(given_numbers(connection.dialect.name))
        free = update(runs).where(these, held)
        connection.execute(
            free.values(changed({"owner": None, "lease_until": 0, "wake_at": 0})), as_list(unknown)
        )
    return len(unknown)


def call_damaged(connection: Connection, after: int) -> int:
    """Make due some of the served runs that are damaged; the number of the last that was looked at, or 0.

    Those with a problem have been laid aside already.
    """
    some = select(runs.c.run_no).where(runs.c.run_no > after).order_by(runs.c.run_no).limit(_LOOKED_AT)
    last = connection.scalar(select(func.max(some.subquery().c.run_no)))
    if last is None:
        return 0
    looked_at = and_(runs.c.run_no > after, runs.c.run_no <= last)
    found = connection.scalars(select(runs.c.run_no).where(looked_at, ~SOUND, runs.c.problem.is_(None))).all()
    if found:
        connection.execute(update(runs).where(runs.c.run_no.in_(found)).values(wake_at=0))
    return int(last)


def renew(connection: Connection, held: Mapping[str, int], lease_until: int) -> frozenset[str]:
    """Extend the leases of runs by id and epoch; return those that are no longer ours."""
    given = as_rows({"run_id": run_id, "epoch": epoch} for run_id, epoch in held.items())
    renewed = connection.scalars(_renewal(connection.dialect.name), {**given, "until": lease_until})
    return frozenset(held) - frozenset(renewed)


@cache
def _renewal(dialect: str) -> ReturningUpdate[str]:
    ours = given_rows(dialect, {"run_id": str, "epoch": int})
    until = bindparam("until", type_=BigInteger())
    goes_on = and_(runs.c.served, runs.c.status.not_in(sorted(ENDED)))
    return (
        update(runs)
        .where(runs.c.run_id == ours["run_id"], runs.c.epoch == ours["epoch"], runs.c.owner.is_not(None))
        .values(changed({"lease_until": until, "wake_at": case((goes_on, until))}))
        .returning(runs.c.run_id)
    )


def release(
    connection: Connection,
    run_id: str,
    epoch: int,
    status: RunStatus | None,
    wake_at: int | None,
    problem: str | None,
) -> None:
    """Give a run up, if it is still ours; what is laid aside holds no locks."""
    if status == "suspended":
        take_turn(connection, Turn.EVENTS)
    wanted = func.coalesce(bindparam("to_status", type_=TextType()), runs.c.status)
    after = case((runs.c.status.in_(ENDED), runs.c.status), else_=wanted)
    due = case(
        (or_(~runs.c.served, after.in_(ENDED)), null()),
        (runs.c.cancel_unseen, 0),
        (after == "suspended", null()),
        else_=wake_at,
    )
    run_no = connection.scalar(
        update(runs)
        .where(runs.c.run_id == run_id, runs.c.epoch == epoch, runs.c.owner.is_not(None))
        .values(
            changed(
                {
                    "owner": None,
                    "lease_until": 0,
                    "status": after,
                    "wake_at": due,
                    "problem": spelt(problem),
                }
            )
        )
        .returning(runs.c.run_no),
        {"to_status": status},
    )
    if status == "suspended" and run_no is not None:
        sql_locks.drop(connection, run_no)


def serve(connection: Connection, run_id: str, now: int) -> None:
    """Hand a run to whoever serves the store; one that is owned is due when its lease ends."""
    due = case(
        (runs.c.status.in_(ENDED), null()),
        (runs.c.owner.is_not(None), runs.c.lease_until),
        else_=now,
    )
    connection.execute(
        update(runs).where(runs.c.run_id == run_id).values(changed({"served": True, "wake_at": due}))
    )
