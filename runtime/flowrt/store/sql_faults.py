"""What a database finds wrong with its own files. In: a connection; out: sentences, none when all is well."""

from sqlalchemy import Connection, select, text

from flowrt.errors import StoreCorrupt
from flowrt.store.checksum import wait_checksum
from flowrt.store.schema import waits
from flowrt.store.sql_remove import check_references

_PAGE = 1_000


def faults(connection: Connection) -> list[str]:
    """What SQLite or PostgreSQL find wrong with their files, and rows that nobody reads one by one."""
    asked = _failed_checksums if connection.dialect.name == "postgresql" else _integrity
    return [*asked(connection), *_references(connection), *_waits(connection)]


def _references(connection: Connection) -> list[str]:
    try:
        check_references(connection)
    except StoreCorrupt as damage:
        return [str(damage)]
    return []


def _waits(connection: Connection) -> list[str]:
    """A wait that is damaged hears of no event."""
    query = select(waits.c.run_no, waits.c.name, waits.c.key, waits.c.looked, waits.c.checksum)
    rows = connection.execution_options(yield_per=_PAGE).execute(query)
    return [
        f"The row of a wait of run number {row[0]}, for events {row[1]!r}, is damaged."
        for row in rows
        if row[-1] != wait_checksum(*row[:-1])
    ]


def _integrity(connection: Connection) -> list[str]:
    found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
    faults = [] if found == ["ok"] else [f"SQLite's integrity check: {line}" for line in found]
    strays = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return faults + [f"A row of {row[0]} belongs to a run that is not there." for row in strays]


def _failed_checksums(connection: Connection) -> list[str]:
    count = connection.scalar(
        text("SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()")
    )
    return [f"PostgreSQL has found {count} pages whose checksums are wrong."] if count else []
