"""Transactions of a store in SQL. In: an SQLAlchemy engine, and work to do on a connection; out: its result.

A transaction that the database gives up for the sake of another (a deadlock) is made again.

They may be made from several threads: on SQLite these take turns, on PostgreSQL each has its own connection.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import RLock
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from flowrt.store.sql_errors import given_up, translated

T = TypeVar("T")

_TRIES = 5
"""How often a transaction is made that the database gives up."""


class Transactions:
    """Makes transactions on one database. All that they raise of its own is a StoreError."""

    def __init__(self, engine: Engine, place: str) -> None:
        """Use `engine`; `place` is how the store is named in messages."""
        self._engine = engine
        self._place = place
        one_writer = engine.dialect.name == "sqlite"
        self._turn: AbstractContextManager[object] = RLock() if one_writer else nullcontext()
        # A read sees the database as it was at one instant.
        self._reader = (
            engine.execution_options(reads=True)
            if one_writer
            else engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        )

    def write(self, doing: str, work: Callable[[Connection], T]) -> T:
        """Do work that may write; `doing` is what messages call it."""
        return self._transaction(self._engine, doing, work)

    def read(self, doing: str, work: Callable[[Connection], T]) -> T:
        """Do work that reads."""
        return self._transaction(self._reader, doing, work)

    def close(self) -> None:
        """Let go of the database."""
        with self._turn, translated("close it", self._place):
            self._engine.dispose()

    def _transaction(self, engine: Engine, doing: str, work: Callable[[Connection], T]) -> T:
        tries = 0
        with self._turn, translated(doing, self._place):
            while True:
                try:
                    with engine.begin() as connection:
                        return work(connection)
                except DBAPIError as error:
                    tries += 1
                    if tries >= _TRIES or not given_up(error):
                        raise
