"""SQLite as a store's database. In: the path of a journal; out: an SQLAlchemy engine on it, checked.

Durability. The journal is in WAL mode with synchronous=FULL: a commit is on disk when it returns. Both
are asked for and read back, because SQLite ignores what it cannot do. On network file systems its locks
and shared memory do not work, so these are refused.

A store is made under another name and linked into place when it is whole: there is no half-made store,
and of two processes that make one at the same time, one wins and both use it. Before a file is opened
its header is read as bytes, so that a file that is something else, or of a newer version, is refused
without SQLite touching it. One of an older version is brought up to date: see `flowrt.store.migrate`.
"""

import os
import sqlite3
from collections import Counter
from pathlib import Path
from threading import RLock
from uuid import uuid4

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import StaticPool

from flowrt.errors import NotAStore, StoreCorrupt, StoreTooNew, StoreUnavailable
from flowrt.store.migrate import migrate
from flowrt.store.mounts import refuse_network
from flowrt.store.schema import APPLICATION_ID, SCHEMA_VERSION, meta, metadata
from flowrt.store.sql_checksum import teach
from flowrt.store.sql_errors import translated
from flowrt.store.texts import lenient

BUSY_TIMEOUT_S = 10.0

_MAGIC = b"SQLite format 3\0"
_HEADER_SIZE = 100
_SYNCHRONOUS_FULL = 2


_OPENING = RLock()
_OPEN: Counter[tuple[int, int]] = Counter()
"""How many connections this process has to which file, by device and inode."""


class _Journal(sqlite3.Connection):
    """A connection that is counted.

    When a process closes any descriptor of a file, the system takes all locks away that it has on the file.
    SQLite knows that and keeps its own descriptors until its last connection is closed. A look at the
    header by ourselves in between would leave SQLite without its locks, unaware: another process could take
    itself for the last one and remove the log that this one goes on writing to. So what is open here is
    not looked at.
    """

    _counted: tuple[int, int] | None = None

    def count(self, path: Path) -> None:
        """Count the connection, which is to the file at `path`."""
        self._counted = _place(path)
        _OPEN[self._counted] += 1

    def close(self) -> None:
        """Close the connection."""
        super().close()
        with _OPENING:
            if self._counted is not None:
                _OPEN[self._counted] -= 1
                if not _OPEN[self._counted]:
                    del _OPEN[self._counted]
                self._counted = None


def _place(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_dev, facts.st_ino


def open_journal(path: Path, *, create: bool) -> Engine:
    """An engine on the journal at `path`, whose folder exists.

    Raises:
        NotAStore: The file is something else.
        StoreTooNew: It was written by a newer version.
        StoreUnavailable: It is not there and not to be made, or cannot be opened or written.
    """
    refuse_network(path.parent)
    with translated("open it", str(path)), _OPENING:
        if create and not path.exists():
            _make(path)
        # A file that this process has open was looked at then, and must not be now: see `_Journal`.
        version = SCHEMA_VERSION if path.exists() and _place(path) in _OPEN else _check_header(path)
        _check_writable(path)
        if version < SCHEMA_VERSION:
            migrate(path, lambda: _check_header(path))
        engine = _engine(path)
        try:
            _check_version(engine, path)
        except BaseException:
            engine.dispose()
            raise
        return engine


def _check_header(path: Path) -> int:
    """The version of a store, by the bytes of the file alone; refuse what is no store of one we know."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER_SIZE)
    except FileNotFoundError as error:
        raise StoreUnavailable(
            f"There is no store at {path.parent}. "
            "`flowc run` makes one; --store or FLOWC_STORE names another."
        ) from error
    except OSError as error:
        raise StoreUnavailable(f"The store {path} cannot be read: {error.strerror or error}.") from error
    version = int.from_bytes(header[60:64], "big")
    ours = (
        len(header) == _HEADER_SIZE
        and header.startswith(_MAGIC)
        and int.from_bytes(header[68:72], "big") == APPLICATION_ID
        and version > 0
    )
    if not ours:
        raise NotAStore(f"{path} is not a flowc store. Use another folder as the store.")
    _refuse_newer(version, path)
    return version


def _refuse_newer(version: int, path: Path) -> None:
    if version > SCHEMA_VERSION:
        raise StoreTooNew(
            f"The store {path} has schema version {version}; this version of flowc knows {SCHEMA_VERSION}. "
            "Upgrade flowc, or use another store."
        )


def _check_writable(path: Path) -> None:
    for place in (path.parent, path):
        if not os.access(place, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            raise StoreUnavailable(
                f"The store {path} is read-only: {place} may not be written. "
                "Give yourself write permission or use another store."
            )


def _check_version(engine: Engine, path: Path) -> None:
    with engine.connect() as connection:
        found = connection.execute(meta.select().where(meta.c.key == "schema_version")).first()
    if found is None or not found.value.isdigit():
        raise NotAStore(f"{path} is not a flowc store: it names no schema version.")
    _refuse_newer(int(found.value), path)
    if int(found.value) != SCHEMA_VERSION:
        raise StoreCorrupt(
            f"The store {path} is damaged: it is of version {SCHEMA_VERSION} by its header, and of version "
            f"{found.value} by its table."
        )


def _engine(path: Path) -> Engine:
    """One connection that all threads share, under the store's lock."""
    # mode=rw: opening never makes a file.
    engine = create_engine(
        "sqlite://", creator=lambda: _connect(path, f"file:{_quoted(path)}?mode=rw"), poolclass=StaticPool
    )
    event.listen(engine, "begin", _begin)
    return engine


def _quoted(path: Path) -> str:
    return path.as_uri().removeprefix("file:")


def _connect(path: Path, uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        uri,
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_TIMEOUT_S,
        factory=_Journal,
    )
    try:
        connection.count(path)
        connection.text_factory = lenient
        teach(connection)
        _make_durable(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_durable(connection: sqlite3.Connection, path: Path) -> None:
    mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA fullfsync=ON")  # macOS: fsync alone does not reach the disk.
    connection.execute("PRAGMA foreign_keys=ON")
    synchronous = connection.execute("PRAGMA synchronous").fetchone()[0]
    if (mode, synchronous) != ("wal", _SYNCHRONOUS_FULL):
        raise StoreUnavailable(
            f"The store {path} cannot be made durable: SQLite gives journal_mode={mode}, "
            f"synchronous={synchronous} instead of wal, 2. Use a folder on a local disk."
        )


def _begin(connection: Connection) -> None:
    """Begin a transaction as a writer at once, so that it cannot fail half-way for another writer."""
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _make(path: Path) -> None:
    unfinished = path.with_name(f"{path.name}.{uuid4().hex}.tmp")
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _fill(unfinished)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        path.hardlink_to(unfinished)
    except FileExistsError:
        pass  # Another process was faster; its store is as good.
    except OSError as error:
        raise StoreUnavailable(
            f"A store cannot be made at {path.parent}: {error.strerror or error}."
        ) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _fill(path: Path) -> None:
    """Make the tables in an empty file; when it is closed, all is in the file itself."""
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(path, isolation_level=None), poolclass=StaticPool
    )
    event.listen(engine, "begin", _begin)  # Left to itself, sqlite3 would sync the disk for each table.
    try:
        with engine.begin() as connection:
            metadata.create_all(connection)
            connection.execute(meta.insert().values(key="schema_version", value=str(SCHEMA_VERSION)))
            connection.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")
            connection.exec_driver_sql(f"PRAGMA application_id={APPLICATION_ID}")
    finally:
        engine.dispose()
    # The mode stays with the file. To change it later would need a moment without any other process.
    plain = sqlite3.connect(path, isolation_level=None)
    try:
        plain.execute("PRAGMA journal_mode=WAL")
    finally:
        plain.close()
