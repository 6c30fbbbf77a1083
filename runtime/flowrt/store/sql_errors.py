"""Database errors to flowrt's own. In: what SQLAlchemy raises; out: a StoreError that says what was tried."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from flowrt.errors import StoreCorrupt, StoreError, StoreUnavailable

_ADVICE = {
    sqlite3.SQLITE_FULL: "The disk is full or the size of files is limited. Free some space and resume.",
    sqlite3.SQLITE_READONLY: "The store is read-only. Give yourself write permission or use another store.",
    sqlite3.SQLITE_CANTOPEN: "Its files cannot be opened. See that its folder exists and may be written.",
    sqlite3.SQLITE_BUSY: "Another process has kept it locked for too long. Try again.",
    sqlite3.SQLITE_LOCKED: "Another process has kept it locked for too long. Try again.",
    sqlite3.SQLITE_IOERR: "Reading or writing failed. Look at the disk, its free space and your quota.",
    sqlite3.SQLITE_PERM: "You have no permission to use it.",
}
_GIVEN_UP = ("40001", "40P01")
"""Serialization failure, deadlock."""

# SQLITE_ERROR is what is wrong with a statement; ours are right, so the tables are not.
_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)


@contextmanager
def translated(doing: str, place: str) -> Generator[None]:
    """Let errors of the database within the block come out as errors of flowrt.

    Args:
        doing: What is tried, such as "append to journals".
        place: The store, as its user knows it.

    Raises:
        StoreCorrupt: The database is damaged.
        StoreUnavailable: It cannot be read or written.
    """
    try:
        yield
    except DBAPIError as error:
        raise _translation(error.orig or error, doing, place) from error
    except sqlite3.Error as error:
        raise _translation(error, doing, place) from error
    except UnicodeDecodeError as error:
        # In rows that hold what was never written, drivers come upon texts that are none.
        raise StoreCorrupt(f"The store {place} is damaged: a text in it is no UTF-8.") from error


def given_up(error: DBAPIError) -> bool:
    """Whether the database gave a transaction up for the sake of another: it can be made again."""
    return getattr(error.orig, "sqlstate", None) in _GIVEN_UP


def _translation(error: BaseException, doing: str, place: str) -> StoreError:
    # The low byte is the kind of an error, the others are details of it.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    what = f"The store {place} failed ({error}) when flowc tried to {doing}."
    if code in _CORRUPT or "Could not decode to UTF-8" in str(error):
        return StoreCorrupt(f"{what} Its journal is damaged. Restore it from a copy.")
    advice = _ADVICE.get(code)
    return StoreUnavailable(f"{what} {advice}" if advice else what)
