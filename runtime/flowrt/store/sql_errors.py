"""Database errors to flowrt's own. In: what SQLAlchemy raises; out: a StoreError that says what was tried."""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from flowrt.errors import StoreCorrupt, StoreError, StoreUnavailable
from flowrt.store import postgres_errors

_ADVICE = {
    sqlite3.SQLITE_FULL: "The disk is full or the size of files is limited. Free some space and resume.",
    sqlite3.SQLITE_READONLY: "The store is read-only. Give yourself write permission or use another store.",
    sqlite3.SQLITE_CANTOPEN: "Its files cannot be opened. See that its folder exists and may be written.",
    sqlite3.SQLITE_BUSY: "Another process has kept it locked for too long. Try again.",
    sqlite3.SQLITE_LOCKED: "Another process has kept it locked for too long. Try again.",
    sqlite3.SQLITE_IOERR: "Reading or writing failed. Look at the disk, its free space and your quota.",
    sqlite3.SQLITE_PERM: "You have no permission to use it.",
}
# SQLITE_ERROR is what is wrong with a statement, SQLITE_CONSTRAINT what a statement may not do. Ours are
# right, so the tables, or what stands in them, are not.
_CORRUPT = (
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
)


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
    except PoolTimeout as error:
        raise StoreUnavailable(
            f"The store {place} has no connection left for flowc to {doing}. Try again."
        ) from error
    except UnicodeDecodeError as error:
        # In rows that hold what was never written, drivers come upon texts that are none.
        raise StoreCorrupt(f"The store {place} is damaged: a text in it is no UTF-8.") from error


def given_up(error: DBAPIError) -> bool:
    """Whether the database gave a transaction up for the sake of another: it can be made again."""
    return getattr(error.orig, "sqlstate", None) in postgres_errors.GIVEN_UP


def _translation(error: BaseException, doing: str, place: str) -> StoreError:
    what = f"The store {place} failed ({_first_line(error)}) when flowc tried to {doing}."
    damaged, advice = _of_postgres(error) if hasattr(error, "sqlstate") else _of_sqlite(error)
    if damaged:
        return StoreCorrupt(f"{what} {damaged} Restore it from a copy.")
    return StoreUnavailable(f"{what} {advice}" if advice else what)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).strip()


def _of_sqlite(error: BaseException) -> tuple[str | None, str | None]:
    """What is damaged, if something is; else what to do."""
    # The low byte is the kind of an error, the others are details of it.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _CORRUPT or "Could not decode to UTF-8" in str(error):
        return "Its journal is damaged.", None
    return None, _ADVICE.get(code)


def _of_postgres(error: BaseException) -> tuple[str | None, str | None]:
    code: str | None = getattr(error, "sqlstate", None)
    if code is not None and postgres_errors.is_damage(code):
        return "Its tables are not as flowc has made them.", None
    return None, postgres_errors.advice(code, str(error))
