"""Many rows for one statement. In: rows of numbers, texts and truths; out: a table in SQL, one parameter.

A statement that is to touch a thousand rows gets them as one JSON text and joins with it. So it is one
round trip, compiled once, and has no limit on the number of its parameters.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import cast

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    Text,
    bindparam,
    column,
    func,
    select,
    type_coerce,
)
from sqlalchemy import cast as sql_cast
from sqlalchemy.types import TypeEngine

_TYPES: Mapping[type, TypeEngine[object]] = {
    int: cast("TypeEngine[object]", BigInteger()),
    str: cast("TypeEngine[object]", Text()),
    bool: cast("TypeEngine[object]", Boolean()),
}


@dataclass(frozen=True, slots=True)
class Given:
    """A table of given rows: what to select from, and its columns by name."""

    table: FromClause
    columns: Mapping[str, ColumnElement[object]]

    def __getitem__(self, name: str) -> ColumnElement[object]:
        """The column of that name."""
        return self.columns[name]

    def truth(self, name: str) -> ColumnElement[bool]:
        """The column of that name, which holds truths."""
        return cast("ColumnElement[bool]", self.columns[name])


def given_rows(dialect: str, kinds: Mapping[str, type]) -> Given:
    """The table whose rows are what `as_rows` makes, bound to the parameter `given`."""
    text = bindparam("given", type_=Text())
    if dialect == "postgresql":
        columns = [column(name, _TYPES[kind]) for name, kind in kinds.items()]
        function = func.json_to_recordset(sql_cast(text, JSON()))
        table = function.table_valued(*columns, name="given").render_derived(with_types=True)
        return Given(table, {name: table.c[name] for name in kinds})
    each = func.json_each(text).table_valued("value", name="given")
    found: dict[str, ColumnElement[object]] = {
        name: type_coerce(func.json_extract(each.c.value, f"$.{name}"), _TYPES[kind])
        for name, kind in kinds.items()
    }
    return Given(each, found)


@cache
def given_texts(dialect: str) -> Select[object]:
    """Texts that `as_list` makes, bound to the parameter `given`: for `IN`."""
    rows = given_rows(dialect, {"one": str})
    return select(rows["one"]).select_from(rows.table)


@cache
def given_numbers(dialect: str) -> Select[object]:
    """Numbers that `as_list` makes, bound to the parameter `given`: for `IN`."""
    rows = given_rows(dialect, {"one": int})
    return select(rows["one"]).select_from(rows.table)


def as_rows(rows: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """The parameter of a statement over `given_rows`."""
    return {"given": json.dumps(list(rows))}


def as_list(items: Iterable[str | int]) -> dict[str, str]:
    """The parameter of a statement over `given_texts` or `given_numbers`."""
    return as_rows({"one": item} for item in items)
