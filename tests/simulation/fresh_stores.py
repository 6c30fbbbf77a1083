"""Empty stores for simulations. In: a kind; out: a store with nothing in it.

`memory` is quick. `sqlite` is the SQL that runs in earnest, on a database in memory: a copy of one that
was made once.
"""

import sqlite3
from functools import cache

from sqlalchemy import create_engine, event
from sqlalchemy.pool import StaticPool

from flowrt.store.memory import MemoryStore
from flowrt.store.port import Store
from flowrt.store.schema import metadata
from flowrt.store.sql import SqlStore
from flowrt.store.sql_checksum import teach
from flowrt.store.sqlite import _begin

KINDS = ("memory", "sqlite")


def fresh_store(kind: str) -> Store:
    """A store that is empty."""
    return MemoryStore() if kind == "memory" else _sqlite()


def _sqlite() -> Store:
    engine = create_engine("sqlite://", creator=_copied, poolclass=StaticPool)
    event.listen(engine, "begin", _begin)
    return SqlStore(engine, "simulated")


def _copied() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    _template().backup(connection)
    teach(connection)
    return connection


@cache
def _template() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    with engine.begin() as transaction:
        metadata.create_all(transaction)
    return connection
