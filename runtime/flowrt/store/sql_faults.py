"""What a database finds wrong with its own files. In: a connection; out: sentences, none when all is well."""

from sqlalchemy import Connection, text


def faults(connection: Connection) -> list[str]:
    """Ask SQLite to go through its file; ask PostgreSQL how many pages failed their checksums."""
    if connection.dialect.name == "postgresql":
        return _failed_checksums(connection)
    found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
    faults = [] if found == ["ok"] else [f"SQLite's integrity check: {line}" for line in found]
    strays = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return faults + [f"A row of {row[0]} belongs to a run that is not there." for row in strays]


def _failed_checksums(connection: Connection) -> list[str]:
    count = connection.scalar(
        text("SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()")
    )
    return [f"PostgreSQL has found {count} pages whose checksums are wrong."] if count else []
