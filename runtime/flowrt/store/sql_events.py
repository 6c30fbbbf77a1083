"""The inbox of events in SQL. In: a connection within a transaction, an event; out: its number, or rows."""

from typing import overload

from sqlalchemy import Connection, or_, select

from flowrt.errors import StoreCorrupt
from flowrt.store.checksum import event_checksum
from flowrt.store.port import EventRow, NewEvent
from flowrt.store.schema import events, runs
from flowrt.store.sql_insert import insert_if_absent


def run_exists(connection: Connection, run_id: str) -> bool:
    """Whether there is a run of that id."""
    return connection.execute(select(runs.c.run_no).where(runs.c.run_id == run_id)).first() is not None


def accept(connection: Connection, event: NewEvent) -> int:
    """Add an event, or find the one that has its dedupe id; return its number."""
    if event.dedupe is not None:
        # Looked up first, so that a number is not used up by an event that is dropped.
        known: int | None = connection.scalar(
            select(events.c.event_id).where(events.c.dedupe == plain(event.dedupe))
        )
        if known is not None:
            return known
    name, key = plain(event.name), plain(event.key)
    added = insert_if_absent(
        connection,
        events,
        {
            "name": name,
            "key": key,
            "checksum": event_checksum(name, key, event.payload),
            "payload": event.payload,
            "at": event.at,
            "run_id": event.run_id,
            "dedupe": plain(event.dedupe),
        },
    )
    # None: another process has just sent an event with this dedupe id.
    return accept(connection, event) if added is None else int(added)


def inbox(  # noqa: PLR0913, PLR0917 - the port's own arguments, and the connection
    connection: Connection, name: str, key: str | None, run_id: str, since: int, after_id: int, limit: int
) -> list[EventRow]:
    """The events that a run may take, oldest first: see `Store.events`."""
    found = connection.execute(
        select(events)
        .where(
            events.c.name == plain(name),
            events.c.key.is_(None) if key is None else events.c.key == plain(key),
            events.c.event_id > after_id,
            events.c.at >= since,
            or_(events.c.run_id.is_(None), events.c.run_id == run_id),
        )
        .order_by(events.c.event_id)
        .limit(limit)
    )
    taken: list[EventRow] = []
    for row in found:
        if not isinstance(row.payload, bytes) or row.checksum != event_checksum(
            row.name, row.key, row.payload
        ):
            raise StoreCorrupt(f"Event {row.event_id} ({name}) is damaged.")
        taken.append(EventRow(row.event_id, name, key, row.payload, row.at, row.run_id))
    return taken


@overload
def plain(text: str) -> str: ...


@overload
def plain(text: None) -> None: ...


def plain(text: str | None) -> str | None:
    """A text that any database takes: lone surrogates (out of arguments that are no UTF-8) are spelt out."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode("utf-8")
