"""Removing what is no longer needed, in SQL. In: a connection within a transaction; out: what was removed.

A run that failed may be reopened and look at its events again; one that succeeded or was cancelled is
over for good. So an event can go when every run that was made before it is over for good.
"""

from collections.abc import Collection
from itertools import chain

from sqlalchemy import Connection, and_, delete, exists, func, or_, select

from flowrt.errors import RunNotEnded, StoreCorrupt
from flowrt.store import sql_locks
from flowrt.store.actor_rows import actor_row
from flowrt.store.checksum import pair_checksum
from flowrt.store.schema import (
    actors,
    blob_refs,
    cache,
    code,
    deployments,
    events,
    locks,
    program_code,
    programs,
    records,
    runs,
    waits,
)
from flowrt.store.sql_rows import as_list, given_texts
from flowrt.store.sql_turns import Turn, take_turn
from flowrt.store.status import ENDED, OVER

_PAGE = 1_000

_SLICE = 20_000
"""How many events are looked at in one transaction: others wait for it who make runs, or write to SQLite."""


def check_ended(run_id: str, status: str) -> None:
    """Raise RunNotEnded for a run that goes on."""
    if status not in ENDED:
        raise RunNotEnded(
            f"Run {run_id} is {status}; only a run that has ended can be deleted. "
            f"Cancel it first: flowc cancel {run_id}"
        )


def delete_run(connection: Connection, run_no: int, run_id: str) -> frozenset[str]:
    """Remove a run whose row is locked; return the blobs that nothing refers to any more."""
    refs = blob_refs.c.run_no == run_no
    digests = list(connection.scalars(select(blob_refs.c.digest).where(refs)))
    if connection.scalar(select(exists().where(locks.c.run_no == run_no))):
        # It has ended, and should have none: who waits behind it is not to wait for ever.
        take_turn(connection, Turn.EVENTS)
        sql_locks.drop(connection, run_no)
    for table in (blob_refs, waits, cache, records):
        connection.execute(delete(table).where(table.c.run_no == run_no))
    connection.execute(delete(events).where(events.c.run_id == run_id))
    connection.execute(delete(runs).where(runs.c.run_no == run_no))
    return frozenset(digests) - needed(connection, digests)


def check_references(connection: Connection) -> None:
    """See that nothing that says what is needed is damaged, before what is not needed is removed."""
    for table in (blob_refs, program_code):
        first, second = table.primary_key.columns
        rows = connection.execution_options(yield_per=_PAGE).execute(select(first, second, table.c.checksum))
        for one, other, checksum in rows:
            if checksum != pair_checksum(one, other):
                raise StoreCorrupt(
                    f"A row of {table.name} ({one!r}, {other!r}) is damaged: what it kept from being removed "
                    "cannot be told, so nothing is removed. Restore the store from a copy."
                )
    for row in connection.execution_options(yield_per=_PAGE).execute(select(actors)):
        actor_row(row)  # It says which blob the state is in.


def needed(connection: Connection, digests: Collection[str]) -> frozenset[str]:
    """Which of these blobs a run, a deployment or an actor refers to."""
    if not digests:
        return frozenset()
    given = given_texts(connection.dialect.name)
    wanted = as_list(digests)
    by_runs = select(blob_refs.c.digest).where(blob_refs.c.digest.in_(given)).distinct()
    by_names = select(deployments.c.snapshot).where(deployments.c.snapshot.in_(given))
    by_states = select(actors.c.blob).where(actors.c.blob.in_(given))
    found = (connection.scalars(query, wanted) for query in (by_runs, by_names, by_states))
    return frozenset(chain.from_iterable(found))


def sweep_programs(connection: Connection) -> int:
    """Remove programs and callables that nothing refers to; how many there were."""
    take_turn(connection, Turn.PROGRAMS)
    used = or_(
        exists().where(runs.c.program_digest == programs.c.digest),
        exists().where(deployments.c.program_digest == programs.c.digest),
    )
    removed = connection.execute(delete(programs).where(~used)).rowcount
    has_program = exists().where(programs.c.digest == program_code.c.program)
    connection.execute(delete(program_code).where(~has_program))
    has_user = exists().where(program_code.c.code == code.c.digest)
    return removed + connection.execute(delete(code).where(~has_user)).rowcount


def sweep_events(connection: Connection, before: int, after_id: int) -> tuple[int, int | None]:
    """Remove some of the events before an instant that no run can take: of the next ones after a number.

    Returns:
        How many were removed, and the last number that was looked at; None when there is no more.
    """
    take_turn(connection, Turn.PROGRAMS)  # No run is being made meanwhile.
    some = select(events.c.event_id).where(events.c.event_id > after_id).order_by(events.c.event_id)
    last = connection.scalar(select(func.max(some.limit(_SLICE).subquery().c.event_id)))
    if last is None:
        return 0, None
    goes_on = runs.c.status.not_in(OVER)
    floor = connection.scalar(select(func.min(runs.c.events_after)).where(goes_on))
    has_taker = exists().where(runs.c.run_id == events.c.run_id, goes_on)
    takeable = [] if floor is None else [events.c.event_id <= floor]
    gone = or_(and_(events.c.run_id.is_not(None), ~has_taker), *takeable)
    looked_at = events.c.event_id > after_id, events.c.event_id <= last
    statement = delete(events).where(*looked_at, events.c.at < before)
    return connection.execute(statement if floor is None else statement.where(gone)).rowcount, last
