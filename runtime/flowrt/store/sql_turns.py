"""Whose turn it is. In: a connection within a transaction; out: nothing, once others are out of the way.

SQLite has one writer at a time, so there is nothing to wait for. On PostgreSQL transactions that must not
run beside each other take a lock that is given back when they have committed.

EVENTS    Whoever accepts events has it alone from before their numbers are drawn until they are visible.
          So the numbers become visible in their order: of all that are smaller than the newest one that
          is seen, none is still to come. Whoever parks runs that wait for events shares it with others
          who park: an event is either there when the park looks for it, or finds the wait.
PROGRAMS  Whoever makes runs of programs shares it; whoever removes what no run has, has it alone.
"""

from enum import IntEnum

from sqlalchemy import Connection, func, select


class Turn(IntEnum):
    """What a transaction is about. The numbers are this project's own on the server."""

    EVENTS = 0x666C6F7701
    PROGRAMS = 0x666C6F7702
    SCHEMA = 0x666C6F7703


def take_turn(connection: Connection, turn: Turn, *, shared: bool = False) -> None:
    """Wait until nobody else is about this, and keep it so until the transaction ends."""
    if connection.dialect.name == "postgresql":
        lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
        connection.execute(select(lock(int(turn))))
