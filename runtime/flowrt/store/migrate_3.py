"""A store of schema version 2 gets checksums for what had none. In: its connection; out: tables of version 3.

The same for SQLite and PostgreSQL, within the transaction of the caller. Rows are read a page at a time: a
store may hold more than fits into memory. What was under a checksum before, and is damaged, stays found
out: an event whose old checksum is wrong gets no right one.
"""

import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import cast

from sqlalchemy import ColumnElement, Connection, Row, Table, select, tuple_, update

from flowrt.errors import StoreCorrupt
from flowrt.store import sql_deployments
from flowrt.store.checksum import event_checksum, pair_checksum, wait_checksum
from flowrt.store.run_rows import seal_text, unchecked
from flowrt.store.schema import (
    actors,
    blob_refs,
    cache,
    deployments,
    events,
    locks,
    program_code,
    runs,
    waits,
)
from flowrt.store.sql_checksum import checksum_of
from flowrt.store.texts import unspelt, unspelt_or_none

_PAGE = 1_000

_CHANGES = (
    "ALTER TABLE runs ADD COLUMN checksum TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE program_code ADD COLUMN checksum BIGINT DEFAULT '0' NOT NULL",
    "ALTER TABLE waits ADD COLUMN checksum BIGINT DEFAULT '0' NOT NULL",
    "ALTER TABLE blob_refs ADD COLUMN checksum BIGINT DEFAULT '0' NOT NULL",
    "ALTER TABLE deployments ADD COLUMN checksum BIGINT DEFAULT '0' NOT NULL",
    "ALTER TABLE deployments ADD COLUMN cursor_checksum BIGINT DEFAULT '0' NOT NULL",
    "CREATE INDEX runs_by_status ON runs (status, created_at)",
)


def to_3(connection: Connection) -> None:
    """Add the columns and fill them."""
    for statement in _CHANGES:
        connection.exec_driver_sql(statement)
    locks.create(connection)
    cache.create(connection)
    actors.create(connection)
    _runs(connection)
    _events(connection)
    _pairs(connection)
    _waits(connection)
    for row in connection.execute(select(deployments)).all():
        with suppress(ValueError, TypeError, AttributeError, RecursionError):
            values = sql_deployments.checksums(sql_deployments.unchecked(row), row.cursor)
            connection.execute(update(deployments).where(deployments.c.name == row.name).values(values))


def _runs(connection: Connection) -> None:
    """Rows of version 1 have neither a seal nor what stands in its place."""
    for row in _rows(connection, runs, [runs.c.run_no]):
        if not row.seal:
            with suppress(StoreCorrupt):
                seal = seal_text(unchecked(row), b"")
                connection.execute(update(runs).where(runs.c.run_no == row.run_no).values(seal=seal))
    connection.execute(update(runs).values(checksum=checksum_of({})))


def _events(connection: Connection) -> None:
    for row in _rows(connection, events, [events.c.event_id]):
        if isinstance(row.payload, bytes) and row.checksum == _of_event(row):
            checksum = event_checksum(row.name, row.key, row.at, row.run_id, row.dedupe, row.payload)
            this = events.c.event_id == row.event_id
            connection.execute(update(events).where(this).values(checksum=checksum))


def _of_event(row: Row[*tuple[object, ...]]) -> int | None:
    """The checksum of version 2."""
    try:
        place = repr((unspelt(row.name), unspelt_or_none(row.key)))
    except (AttributeError, TypeError, ValueError):
        return None
    return zlib.crc32(row.payload, zlib.crc32(place.encode()))


def _pairs(connection: Connection) -> None:
    for table in (blob_refs, program_code):
        first, second = table.primary_key.columns
        for row in _rows(connection, table, [first, second]):
            one, other = cast("tuple[int | str, str]", row[:2])
            this = (first == one, second == other)
            checksum = pair_checksum(one, other)
            connection.execute(update(table).where(*this).values(checksum=checksum))


def _waits(connection: Connection) -> None:
    columns = (waits.c.run_no, waits.c.name, waits.c.key, waits.c.looked)
    for row in connection.execute(select(*columns).distinct()).all():
        same_key = waits.c.key.is_(None) if row.key is None else waits.c.key == row.key
        this = (
            waits.c.run_no == row.run_no,
            waits.c.name == row.name,
            same_key,
            waits.c.looked == row.looked,
        )
        connection.execute(update(waits).where(*this).values(checksum=wait_checksum(*row)))


def _rows(
    connection: Connection, table: Table, key: list[ColumnElement[object]]
) -> Iterator[Row[*tuple[object, ...]]]:
    """All rows in the order of their key, which is that of the table's first columns."""
    query = select(table).order_by(*key).limit(_PAGE)
    page = connection.execute(query).all()
    while page:
        yield from page
        last = page[-1][: len(key)]
        page = connection.execute(query.where(tuple_(*key) > tuple_(*last))).all()
