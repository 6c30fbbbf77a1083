"""The checksum of a run's row, kept by the database. In: what an UPDATE sets; out: that, and a checksum.

What changes of a run is changed by statements that know neither the row nor how many rows they change: a
thousand leases are extended by one. So the checksum is computed in SQL, of the row as it becomes, in the
same statement. It covers every column that changes, the run's id, and the column of its seal, which in
turn covers what never changes (see `flowrt.store.run_rows`).

Damage must not be covered up by the next statement that computes the checksum of what it finds. So a
checksum that is wrong stays as it is: such a row is found out by whoever reads it next, whatever was
written to it meanwhile.

A checksum is 16 hexadecimal digits of a SHA-256. The text that goes into it is the dialect's own: a store
does not move from one database to another.
"""

import hashlib
import sqlite3
from collections.abc import Mapping
from typing import cast

from sqlalchemy import ColumnElement, Select, Text, case, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from flowrt.store.schema import runs

_DIGITS = 16
_FUNCTION = "flowc_checksum"

CHECKED = (
    "run_id",
    "status",
    "started_at",
    "ended_at",
    "head",
    "epoch",
    "owner",
    "lease_until",
    "cancel_reason",
    "cancel_force",
    "cancel_unseen",
    "served",
    "wake_at",
    "events_after",
    "problem",
    "seal",
    "head_seal",
)
"""The columns under the checksum, in its order."""


class _Checksum(FunctionElement[str]):
    """A checksum of some values."""

    name = "checksum"
    type = Text()
    inherit_cache = True


@compiles(_Checksum, "sqlite")
def _in_sqlite(element: _Checksum, compiler: SQLCompiler, **how: object) -> str:
    # As bytes: a text that is damaged may be no UTF-8, which no function gets to see. One printf takes half
    # the time of joining the parts.
    parts = [compiler.process(one, **how) for one in element.clauses]
    return f"{_FUNCTION}(CAST(printf('{','.join(['%Q'] * len(parts))}', {', '.join(parts)}) AS BLOB))"


@compiles(_Checksum, "postgresql")
def _in_postgres(element: _Checksum, compiler: SQLCompiler, **how: object) -> str:
    row = ", ".join(compiler.process(one, **how) for one in element.clauses)
    data = f"convert_to(CAST(ROW({row}) AS TEXT), 'UTF8')"
    return f"left(encode(sha256({data}), 'hex'), {_DIGITS})"


def teach(connection: sqlite3.Connection) -> None:
    """Let a connection to SQLite compute checksums."""
    connection.create_function(_FUNCTION, 1, _checksum, deterministic=True)


def _checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:_DIGITS]


def checksum_of(values: Mapping[str, object]) -> ColumnElement[str]:
    """The checksum of a row in which these columns have these values, and the others what they have."""
    return _Checksum(*(_value(name, values) for name in CHECKED))


def _value(name: str, values: Mapping[str, object]) -> ColumnElement[object]:
    value = values.get(name, runs.c[name])
    if isinstance(value, ColumnElement):
        return cast("ColumnElement[object]", value)
    return literal(value, runs.c[name].type)


SOUND: ColumnElement[bool] = runs.c.checksum == checksum_of({})
"""Whether a row is as it was written."""

RUNS: Select[*tuple[object, ...]] = select(runs, SOUND.label("sound"))
"""Rows for `flowrt.store.run_rows.run_row`."""


def changed(values: Mapping[str, object]) -> dict[str, object]:
    """What an UPDATE of runs sets when it sets these columns."""
    return {**values, "checksum": case((SOUND, checksum_of(values)), else_=runs.c.checksum)}
