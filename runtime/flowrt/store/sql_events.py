"""The inbox of events in SQL. In: a connection within a transaction, events; out: their numbers, or rows.

An event wakes who waits for it: in the transaction that accepts it, the parked runs with a wait of its
name and key become due. Whoever accepts events has the turn for that: see `flowrt.store.sql_turns`.
"""

from collections.abc import Sequence

from sqlalchemy import (
    Connection,
    Row,
    and_,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)

from flowrt.errors import StoreCorrupt
from flowrt.store.bounds import PLACES_MAX
from flowrt.store.checksum import event_checksum
from flowrt.store.rows import Cancel, EventRow, NewEvent
from flowrt.store.schema import events, runs, waits
from flowrt.store.sql_checksum import changed
from flowrt.store.sql_rows import as_list, as_rows, given_rows, given_texts
from flowrt.store.sql_turns import Turn, take_turn
from flowrt.store.status import ENDED
from flowrt.store.texts import spelt, unspelt, unspelt_or_none


def missing_run(connection: Connection, sent: Sequence[NewEvent]) -> str | None:
    """The first run that an event is addressed to and that does not exist; the others stay until the end."""
    addressed = {event.run_id: None for event in sent if event.run_id is not None}
    if not addressed:
        return None
    there = connection.scalars(
        select(runs.c.run_id)
        .where(runs.c.run_id.in_(given_texts(connection.dialect.name)))
        .with_for_update(read=True, key_share=True),
        as_list(addressed),
    )
    known = set(there)
    return next((run_id for run_id in addressed if run_id not in known), None)


def accept_all(connection: Connection, sent: Sequence[NewEvent]) -> list[int]:
    """Add events, or find those that have their dedupe ids, and wake who waits; return their numbers."""
    if not sent:
        return []
    take_turn(connection, Turn.EVENTS)
    known = _known(connection, sent)
    fresh: list[NewEvent] = []
    places: list[int | None] = []
    """For each event sent, which of the fresh ones it is."""
    first: dict[str, int] = {}
    for event in sent:
        if event.dedupe is not None and event.dedupe in known:
            places.append(None)
        elif event.dedupe is not None and event.dedupe in first:
            places.append(first[event.dedupe])
        else:
            if event.dedupe is not None:
                first[event.dedupe] = len(fresh)
            places.append(len(fresh))
            fresh.append(event)
    numbers = _add(connection, fresh)
    return [
        known[event.dedupe or ""] if place is None else numbers[place]
        for event, place in zip(sent, places, strict=True)
    ]


def _known(connection: Connection, sent: Sequence[NewEvent]) -> dict[str, int]:
    named = [spelt(event.dedupe) for event in sent if event.dedupe is not None]
    if not named:
        return {}
    found = connection.execute(
        select(events.c.dedupe, events.c.event_id).where(
            events.c.dedupe.in_(given_texts(connection.dialect.name))
        ),
        as_list(named),
    )
    return {unspelt(row.dedupe): row.event_id for row in found}


def _add(connection: Connection, fresh: Sequence[NewEvent]) -> list[int]:
    if not fresh:
        return []
    numbers = connection.scalars(
        insert(events).returning(events.c.event_id, sort_by_parameter_order=True),
        list(map(_columns, fresh)),
    ).all()
    _wake(connection, fresh)
    return list(numbers)


def _columns(event: NewEvent) -> dict[str, object]:
    name, key, dedupe = spelt(event.name), spelt(event.key), spelt(event.dedupe)
    return {
        "name": name,
        "key": key,
        "checksum": event_checksum(name, key, event.at, event.run_id, dedupe, event.payload),
        "payload": event.payload,
        "at": event.at,
        "run_id": event.run_id,
        "dedupe": dedupe,
    }


def _wake(connection: Connection, fresh: Sequence[NewEvent]) -> None:
    """Make due the parked runs that wait for one of these events."""
    given = given_rows(connection.dialect.name, {"name": str, "key": str, "run_id": str})
    to_all, to_one = given["run_id"].is_(None), given["run_id"].is_not(None)
    same_name = waits.c.name == given["name"]
    same_key = waits.c.key == given["key"]
    no_key = and_(waits.c.key.is_(None), given["key"].is_(None))
    one = runs.alias("one")
    waiting = union_all(
        select(waits.c.run_no).select_from(given.table.join(waits, and_(same_name, same_key))).where(to_all),
        select(waits.c.run_no).select_from(given.table.join(waits, and_(same_name, no_key))).where(to_all),
        select(waits.c.run_no)
        .select_from(
            given.table.join(one, one.c.run_id == given["run_id"]).join(waits, waits.c.run_no == one.c.run_no)
        )
        .where(to_one, same_name, or_(same_key, no_key)),
    )
    distinct = {(spelt(event.name), spelt(event.key), event.run_id): None for event in fresh}
    connection.execute(
        update(runs)
        .where(
            runs.c.run_no.in_(waiting),
            runs.c.served,
            runs.c.owner.is_(None),
            runs.c.status.not_in(ENDED),
        )
        .values(changed({"wake_at": 0})),
        as_rows({"name": name, "key": key, "run_id": run_id} for name, key, run_id in distinct),
    )


def wake_late(connection: Connection, run_nos: Sequence[int]) -> None:
    """Make due those of these parked runs for whose waits an event came after they had looked."""
    given = given_rows(connection.dialect.name, {"one": int})
    waiting = given.table.join(waits, waits.c.run_no == given["one"])
    one = runs.alias("one")
    newer = and_(
        events.c.name == waits.c.name,
        events.c.event_id > waits.c.looked,
        or_(events.c.run_id.is_(None), events.c.run_id == one.c.run_id),
    )
    # Apart, so that each goes by the index of events.
    missed = union_all(
        *(
            select(waits.c.run_no).select_from(
                waiting.join(one, one.c.run_no == waits.c.run_no).join(events, and_(newer, same_key))
            )
            for same_key in (
                events.c.key == waits.c.key,
                and_(events.c.key.is_(None), waits.c.key.is_(None)),
            )
        )
    )
    connection.execute(
        update(runs).where(runs.c.run_no.in_(missed)).values(changed({"wake_at": 0})),
        as_list(run_nos),
    )


def inbox(
    connection: Connection, name: str, key: str | None, run_id: str, after_id: int, limit: int
) -> list[EventRow]:
    """The events that a run may take, oldest first: see `Store.events`."""
    found = connection.execute(
        select(events)
        .where(
            events.c.name == spelt(name),
            events.c.key.is_(None) if key is None else events.c.key == spelt(key),
            events.c.event_id > after_id,
            or_(events.c.run_id.is_(None), events.c.run_id == run_id),
        )
        .order_by(events.c.event_id)
        .limit(limit)
    )
    return [_event_row(row, name, key) for row in found]


def page(connection: Connection, after_id: int, limit: int) -> list[EventRow]:
    """Events of every name, oldest first: see `Store.all_events`."""
    newer = select(events).where(events.c.event_id > after_id).order_by(events.c.event_id).limit(limit)
    return [_event_row(row, *_place(row.event_id, row.name, row.key)) for row in connection.execute(newer)]


def _place(number: int, name: str, key: str | None) -> tuple[str, str | None]:
    """The name and key of an event. SQLite keeps a type with each value: a damaged page may hold any."""
    try:
        return unspelt(name), unspelt_or_none(key)
    except (AttributeError, TypeError, ValueError) as error:
        raise StoreCorrupt(f"Event {number} is damaged: it has no name or key.") from error


def _event_row(row: Row[tuple[object, ...]], name: str, key: str | None) -> EventRow:
    columns = (row.name, row.key, row.at, row.run_id, row.dedupe)
    if not isinstance(row.payload, bytes) or row.checksum != event_checksum(*columns, row.payload):
        raise StoreCorrupt(f"Event {row.event_id} ({name}) is damaged.")
    return EventRow(row.event_id, name, key, row.payload, row.at, row.run_id)


def newest(connection: Connection) -> int:
    """The number of the newest event; 0 when there is none."""
    return connection.scalar(select(func.max(events.c.event_id))) or 0


def places(connection: Connection, after_id: int) -> frozenset[tuple[str, str | None]] | None:
    """The names and keys of the events above a number; None when they are many, or one is damaged.

    Which of the waits a damaged one is for cannot be told. Who comes upon it reports it.
    """
    found = connection.execute(
        select(events.c.event_id, events.c.name, events.c.key)
        .where(events.c.event_id > after_id)
        .order_by(events.c.event_id)
        .limit(PLACES_MAX + 1)
    ).all()
    if len(found) > PLACES_MAX:
        return None
    try:
        return frozenset(_place(row.event_id, row.name, row.key) for row in found)
    except StoreCorrupt:
        return None


def cancels(connection: Connection) -> dict[str, Cancel]:
    """All runs that are to be cancelled and have not ended."""
    found = connection.execute(
        select(runs.c.run_id, runs.c.cancel_reason, runs.c.cancel_force).where(
            runs.c.cancel_reason.is_not(None), runs.c.ended_at.is_(None), runs.c.status.not_in(ENDED)
        )
    )
    return {row.run_id: Cancel(_reason(row.cancel_reason), row.cancel_force) for row in found}


def _reason(text: str) -> str:
    """Why a run is to be cancelled; one whose reason is damaged is to be cancelled all the same."""
    try:
        return unspelt(text)
    except (AttributeError, TypeError, ValueError):
        return "its reason cannot be read"
