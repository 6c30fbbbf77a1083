"""Insertion of what may be there already, the one statement that dialects spell in ways of their own."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import ColumnElement, Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.base import ReadOnlyColumnCollection

Columns: TypeAlias = ReadOnlyColumnCollection[str, ColumnElement[object]]
Choice: TypeAlias = Callable[[Columns, Columns], ColumnElement[object]]
"""What a column comes to, by the row that is there and the one that is given."""


def insert_if_absent(
    connection: Connection,
    table: Table,
    values: Mapping[str, object],
    computed: Mapping[str, ColumnElement[str]] | None = None,
) -> int | str | None:
    """Insert a row unless one is there that it would collide with; `computed` columns are in SQL.

    Returns:
        The row's primary key, or None when nothing was inserted.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    [key] = table.primary_key.columns
    statement = dialect.insert(table).values(computed or {}).on_conflict_do_nothing().returning(key)
    found: int | str | None = connection.scalar(statement, values)
    return found


def insert_absent(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert those rows that collide with none that is there."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    if rows:
        connection.execute(dialect.insert(table).on_conflict_do_nothing(), rows)


def insert_or_replace(
    connection: Connection, table: Table, values: Mapping[str, object], chosen: Mapping[str, Choice]
) -> None:
    """Insert a row, or replace the one of its key, but for the columns that are `chosen`.

    One statement: of two who do that at once, both have done it, one after the other.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    [key] = table.primary_key.columns
    given = statement.excluded
    changed = {
        name: chosen[name](table.c, given) if name in chosen else given[name]
        for name in values
        if name != key.name
    }
    connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=changed), values)
