"""Locks in SQL. In: a connection within a transaction, and what batches ask for or give back; out: rows.

Whoever changes the queues has the turn of `EVENTS`, like all who wake others: see `flowrt.store.sql_turns`.
A release looks at the holders of one name and at the head of its queue, both by index: it costs the same
whoever many wait.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, func, or_, select, update

from flowrt.errors import StoreCorrupt
from flowrt.failpoint import hit
from flowrt.store.checksum import lock_checksum
from flowrt.store.lock_rules import LOCKS_LOST, blocks, circle
from flowrt.store.owner import alive
from flowrt.store.rows import Batch, LockRequest, LockRow
from flowrt.store.run_rows import run_row
from flowrt.store.schema import locks, runs
from flowrt.store.sql_checksum import RUNS, changed
from flowrt.store.sql_insert import insert_absent
from flowrt.store.sql_rows import as_list, given_texts
from flowrt.store.sql_turns import Turn, take_turn
from flowrt.store.status import ENDED
from flowrt.store.texts import AFTER_SPELT, SPELT, spelt, unspelt, unspelt_or_none

_ROWS = select(locks, runs.c.run_id).join(runs, runs.c.run_no == locks.c.run_no)

_ANSWERED = or_(locks.c.granted, locks.c.problem.is_not(None))

_CHECKED = ("granted", "run_no", "name", "step", "held_max", "seal", "problem")
"""The columns under the checksum. The first is a truth, which databases give in ways of their own."""


def change(connection: Connection, batches: Sequence[Batch], numbers: Mapping[str, int]) -> None:
    """Give back and ask for what the batches say; what is free then goes to the next in line."""
    touched: dict[str, None] = {}
    for batch in batches:
        for step in batch.unlocks:
            this = locks.c.run_no == numbers[batch.run_id], locks.c.step == spelt(step)
            touched.update(dict.fromkeys(_removed(connection, *this)))
    asked = [(batch, request) for batch in batches for request in batch.locks]
    for batch, request in asked:
        insert_absent(connection, locks, [_row(numbers[batch.run_id], request)])
        touched[spelt(request.name)] = None
    for name in sorted(touched):
        _grant(connection, name)
    for batch, request in asked:
        _look_for_circle(connection, numbers[batch.run_id], request)
    if touched:
        hit("locks.written")


def drop(connection: Connection, run_no: int) -> None:
    """A run goes on no more for now: what it has, and its places, are given to others."""
    for name in sorted(set(_removed(connection, locks.c.run_no == run_no))):
        _grant(connection, name)


def wake_answered(connection: Connection, run_no: int, steps: Sequence[str]) -> None:
    """Make a parked run due if one of these steps has got its lock, or never will, in the meantime."""
    its = locks.c.step.in_(given_texts(connection.dialect.name))
    news = exists().where(locks.c.run_no == run_no, its, _ANSWERED)
    this = runs.c.run_no == run_no, runs.c.owner.is_(None), news
    statement = update(runs).where(*this).values(changed({"wake_at": 0}))
    connection.execute(statement, as_list([*map(spelt, steps)]))


def of_runs(connection: Connection, run_ids: Sequence[str], *, answered: bool) -> list[LockRow]:
    """All places of some runs, or those that have got their locks, or never will."""
    query = _ROWS.where(runs.c.run_id.in_(given_texts(connection.dialect.name)))
    if answered:
        query = query.where(_ANSWERED)
    return [lock_row(row) for row in connection.execute(query.order_by(locks.c.ticket), as_list(run_ids))]


def queue(connection: Connection, name: str, limit: int) -> list[LockRow]:
    """Who holds a lock, and then who waits for it, in order."""
    query = _ROWS.where(locks.c.name == spelt(name)).order_by(locks.c.granted.desc(), locks.c.ticket)
    return [lock_row(row) for row in connection.execute(query.limit(limit))]


def every(connection: Connection, after: int, limit: int) -> list[LockRow]:
    """Places with tickets above `after`, in order."""
    query = _ROWS.where(locks.c.ticket > after).order_by(locks.c.ticket).limit(limit)
    return [lock_row(row) for row in connection.execute(query)]


def abandoned(connection: Connection, now: int) -> list[int]:
    """The runs that have a lock for which others wait, and that nobody goes on with."""
    other = locks.alias("other")
    waited_for = exists().where(other.c.name == locks.c.name, ~other.c.granted, other.c.problem.is_(None))
    left = or_(~runs.c.served, runs.c.status == "suspended")
    query = RUNS.where(runs.c.run_no.in_(select(locks.c.run_no).where(locks.c.granted, waited_for)), left)
    return [row.run_no for row in connection.execute(query) if _is_left(row, now)]


def free_abandoned(connection: Connection, now: int, run_nos: Sequence[int]) -> int:
    """Give to others what these runs have, as far as nobody goes on with them; how many runs that were.

    Whoever comes back to such a run after all is superseded, and can commit nothing.
    """
    take_turn(connection, Turn.EVENTS)
    freed = 0
    for run_no in run_nos:
        row = connection.execute(RUNS.where(runs.c.run_no == run_no).with_for_update()).first()
        if row is None or row.status in ENDED or not _is_left(row, now):
            continue
        values = {
            "epoch": runs.c.epoch + 1,
            "owner": None,
            "lease_until": 0,
            "status": "suspended",
            "wake_at": None,
            "problem": row.problem or LOCKS_LOST,
        }
        connection.execute(update(runs).where(runs.c.run_no == run_no).values(changed(values)))
        drop(connection, run_no)
        freed += 1
    if freed:
        hit("locks.freed")
    return freed


def _is_left(row: Row[*tuple[object, ...]], now: int) -> bool:
    """Whether nobody goes on with a run that is not served; of one that is damaged that cannot be told."""
    try:
        run = run_row(row)
    except StoreCorrupt:
        return False
    if run.served and run.status != "suspended":
        return False
    return run.owner is None or run.lease_until <= now or alive(run.owner) is False


def _removed(connection: Connection, *where: ColumnElement[bool]) -> Sequence[str]:
    return connection.scalars(delete(locks).where(*where).returning(locks.c.name)).all()


def _row(run_no: int, request: LockRequest) -> dict[str, object]:
    row: dict[str, object] = {
        "run_no": run_no,
        "name": spelt(request.name),
        "step": spelt(request.step),
        "held_max": request.limit,
        "granted": False,
        "problem": None,
        "seal": request.seal.hex(),
    }
    return {**row, "checksum": _checksum(row)}


def _columns(row: Row[*tuple[object, ...]]) -> dict[str, object]:
    return {name: getattr(row, name) for name in _CHECKED}


def _checksum(row: Mapping[str, object]) -> int:
    columns = tuple(row[name] for name in _CHECKED[1:])
    return lock_checksum(columns, granted=bool(row["granted"]))


def _is_sound(row: Row[*tuple[object, ...]]) -> bool:
    try:
        return bool(row.checksum == _checksum(_columns(row)))
    except (ValueError, TypeError, AttributeError):
        return False


def _grant(connection: Connection, name: str) -> None:
    """Give a lock to those at the head of its queue, as long as they may have it."""
    waiting = select(locks).where(locks.c.name == name, ~locks.c.granted, locks.c.problem.is_(None))
    holding = select(func.count(), func.min(locks.c.held_max)).where(locks.c.name == name, locks.c.granted)
    held, most = connection.execute(holding).one()
    while True:
        head = connection.execute(waiting.order_by(locks.c.ticket).limit(1)).first()
        if head is None or held >= min(head.held_max, most or head.held_max):
            return
        _set(connection, head, {"granted": True})
        held, most = held + 1, min(head.held_max, most or head.held_max)


def _set(connection: Connection, row: Row[*tuple[object, ...]], values: Mapping[str, object]) -> None:
    """Change a row, and wake its run if that is parked.

    One that is damaged stays so: its run finds that out, is laid aside, and the next in line has its turn.
    """
    checksum = _checksum({**_columns(row), **values}) if _is_sound(row) else row.checksum
    this = locks.c.ticket == row.ticket
    connection.execute(update(locks).where(this).values(**values, checksum=checksum))
    parked = runs.c.run_no == row.run_no, runs.c.served, runs.c.owner.is_(None)
    goes_on = runs.c.status.not_in([*ENDED, "suspended"])
    connection.execute(update(runs).where(*parked, goes_on).values(changed({"wake_at": 0})))


class _Queues:
    """The queues as they are in a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def holders(self, name: str) -> list[LockRow]:
        return self._rows(locks.c.name == spelt(name), locks.c.granted)

    def inside(self, held: LockRow) -> list[LockRow]:
        run_no = select(runs.c.run_no).where(runs.c.run_id == held.run_id).scalar_subquery()
        # By the index of the steps of a run. A step that is spelt in another way stands at its own place.
        first, behind = spelt(f"{held.step}."), spelt(f"{held.step}/")
        odd = first.startswith(SPELT)
        steps = locks.c.step >= (SPELT if odd else first), locks.c.step < (AFTER_SPELT if odd else behind)
        waits = locks.c.run_no == run_no, ~locks.c.granted
        return [row for row in self._rows(*waits, *steps) if blocks(row, held)]

    def least_before(self, place: LockRow) -> int | None:
        waits = locks.c.name == spelt(place.name), ~locks.c.granted, locks.c.problem.is_(None)
        query = select(func.min(locks.c.held_max)).where(*waits, locks.c.ticket < place.ticket)
        least: int | None = self._connection.scalar(query)
        return least

    def _rows(self, *where: ColumnElement[bool]) -> list[LockRow]:
        return [
            lock_row(row) for row in self._connection.execute(_ROWS.where(*where).order_by(locks.c.ticket))
        ]


def _look_for_circle(connection: Connection, run_no: int, request: LockRequest) -> None:
    """Say of a place that it waits in a circle. Only who holds a lock can have closed one."""
    this = locks.c.run_no == run_no, locks.c.step == spelt(request.step), ~locks.c.granted
    holds = select(locks.c.ticket).where(locks.c.run_no == run_no, locks.c.granted).limit(1)
    while (found := connection.execute(_ROWS.where(*this)).first()) and connection.scalar(holds):
        try:
            closed = circle(lock_row(found), _Queues(connection))
        except StoreCorrupt:
            return  # The place of another is damaged: that is told to whoever has it.
        if closed is None:
            return
        others = (
            select(runs.c.run_no).where(runs.c.run_id.in_(sorted(closed.run_ids))).order_by(runs.c.run_no)
        )
        if not free_abandoned(connection, request.at, connection.scalars(others).all()):
            _set(connection, found, {"problem": spelt(closed.problem)})
            return


def lock_row(row: Row[*tuple[object, ...]]) -> LockRow:
    """A place as it is stored. Raises StoreCorrupt."""
    sound = _is_sound(row)
    try:
        found = LockRow(
            row.ticket,
            unspelt(row.name),
            row.run_id,
            unspelt(row.step),
            row.held_max,
            bool(row.granted),
            unspelt_or_none(row.problem),
            bytes.fromhex(row.seal),
        )
    except (ValueError, TypeError, AttributeError):
        found = None
    if found is None or not sound:
        raise StoreCorrupt(
            f"The place {row.ticket} in the queue for a lock, of run {row.run_id}, is damaged. Restore the "
            "store from a copy, or cancel the run."
        )
    return found
