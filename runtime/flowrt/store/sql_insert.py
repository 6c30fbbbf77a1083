"""Insertion of what may be there already, the one statement that dialects spell in ways of their own."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_if_absent(connection: Connection, table: Table, values: Mapping[str, object]) -> int | str | None:
    """Insert a row unless one is there that it would collide with.

    Returns:
        The row's primary key, or None when nothing was inserted.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    [key] = table.primary_key.columns
    statement = dialect.insert(table).on_conflict_do_nothing().returning(key)
    found: int | str | None = connection.scalar(statement, values)
    return found


def insert_absent(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert those rows that collide with none that is there."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    if rows:
        connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)
