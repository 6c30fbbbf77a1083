"""An SQLite store of an older version is brought up to date. In: its path; out: the same store, new.

An older flowc that has the store open would go on writing as it knows how, so there must be none: leaving
WAL mode takes that the connection is the only one, and is refused to anyone else's. Of several processes
of this version that come at once, one does the work and the others wait for it.

All is done in one transaction, the version in the file's header included: killed at any instant, the
store is of the one version or of the other, and can be opened.

From version 1 to 2: which blobs a run needs was not noted, so every text in its records that could be a
digest counts as one. That names more than there are, which harms nothing. A run sees the events that were
accepted from its creation on; that was by the clock, and is by number. From version 2 to 3: see
`flowrt.store.migrate_3`.
"""

import fcntl
import os
import re
import sqlite3
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import create_engine, update
from sqlalchemy.pool import StaticPool

from flowrt.errors import StoreUnavailable
from flowrt.store.migrate_3 import to_3
from flowrt.store.schema import SCHEMA_VERSION, meta
from flowrt.store.sql_checksum import teach
from flowrt.store.texts import lenient

PATIENCE_S = 10.0
_PAUSE_S = 0.05

# Digests may overlap what is before or behind them: a byte that happens to be a digit.
_DIGEST = re.compile(rb"(?=([0-9a-f]{64}))")


def migrate(path: Path, version_of: Callable[[], int]) -> None:
    """Bring the store at `path` up to date; `version_of` reads its version from its header.

    Raises:
        StoreUnavailable: Another process has it open.
    """
    with _alone(path), closing(_connect(path)) as connection:
        found = version_of()
        if found == SCHEMA_VERSION:
            return
        _leave_wal(connection, path)
        connection.execute("PRAGMA synchronous=EXTRA")
        connection.execute("PRAGMA fullfsync=ON")
        engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
        # Not closed otherwise than by COMMIT, the transaction is rolled back.
        with engine.connect() as same:
            same.exec_driver_sql("BEGIN EXCLUSIVE")
            if found == 1:
                _to_2(connection)
            to_3(same)
            same.execute(update(meta).where(meta.c.key == "schema_version").values(value=str(SCHEMA_VERSION)))
            same.exec_driver_sql(f"PRAGMA user_version={SCHEMA_VERSION}")
            same.exec_driver_sql("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=0)
    connection.text_factory = lenient
    teach(connection)
    return connection


@contextmanager
def _alone(path: Path) -> Generator[None]:
    """Keep others of this version out; the lock goes with the process."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _leave_wal(connection: sqlite3.Connection, path: Path) -> None:
    """See that nobody else has the file open."""
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            if time.monotonic() >= give_up_at:
                raise StoreUnavailable(
                    f"The store {path} was made by an older version of flowc, and another process has it "
                    "open. Let that process end, or stop it; then the store is brought up to date."
                ) from error
            time.sleep(_PAUSE_S)
        else:
            return


_TO_2 = (
    "ALTER TABLE runs ADD COLUMN cancel_force BOOLEAN DEFAULT 0 NOT NULL",
    "ALTER TABLE runs ADD COLUMN cancel_unseen BOOLEAN DEFAULT 0 NOT NULL",
    "ALTER TABLE runs ADD COLUMN served BOOLEAN DEFAULT 0 NOT NULL",
    "ALTER TABLE runs ADD COLUMN wake_at BIGINT",
    "ALTER TABLE runs ADD COLUMN events_after BIGINT DEFAULT '0' NOT NULL",
    "ALTER TABLE runs ADD COLUMN snapshot TEXT",
    "ALTER TABLE runs ADD COLUMN problem TEXT",
    "ALTER TABLE runs ADD COLUMN seal TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE runs ADD COLUMN head_seal TEXT DEFAULT '' NOT NULL",
    "DROP INDEX runs_cancelled",
    "CREATE INDEX runs_to_cancel ON runs (run_no) WHERE cancel_reason IS NOT NULL AND ended_at IS NULL",
    "CREATE INDEX runs_due ON runs (wake_at, run_no) WHERE wake_at IS NOT NULL",
    "CREATE INDEX runs_owned ON runs (run_no) WHERE owner IS NOT NULL",
    "CREATE INDEX events_addressed ON events (run_id) WHERE run_id IS NOT NULL",
    "CREATE TABLE program_code (program TEXT NOT NULL, code TEXT NOT NULL,"
    " CONSTRAINT program_code_key PRIMARY KEY (program, code)) WITHOUT ROWID",
    "CREATE TABLE waits (run_no BIGINT NOT NULL, name TEXT NOT NULL, key TEXT, looked BIGINT NOT NULL,"
    " FOREIGN KEY(run_no) REFERENCES runs (run_no))",
    "CREATE INDEX waits_run ON waits (run_no)",
    "CREATE INDEX waits_place ON waits (name, key)",
    "CREATE TABLE blob_refs (run_no BIGINT NOT NULL, digest TEXT NOT NULL,"
    " CONSTRAINT blob_refs_run_digest PRIMARY KEY (run_no, digest),"
    " FOREIGN KEY(run_no) REFERENCES runs (run_no)) WITHOUT ROWID",
    "CREATE INDEX blob_refs_digest ON blob_refs (digest)",
    "CREATE TABLE deployments (name TEXT NOT NULL, program_digest TEXT NOT NULL, labels TEXT NOT NULL,"
    " versions TEXT NOT NULL, python_path TEXT NOT NULL, snapshot TEXT, schedule TEXT,"
    " cursor BIGINT NOT NULL, deployed_at BIGINT NOT NULL, seal TEXT NOT NULL, PRIMARY KEY (name))",
    "UPDATE runs SET events_after = coalesce((SELECT min(event_id) - 1 FROM events WHERE at >= created_at),"
    " (SELECT max(event_id) FROM events), 0)",
)


def _to_2(connection: sqlite3.Connection) -> None:
    for statement in _TO_2:
        connection.execute(statement)
    _fill_refs(
        connection, "SELECT run_no, data FROM records", "INSERT OR IGNORE INTO blob_refs VALUES (?, ?)"
    )
    # Here a digest has to be one of a callable.
    callable_of = "INSERT OR IGNORE INTO program_code SELECT ?1, digest FROM code WHERE digest = ?2"
    _fill_refs(connection, "SELECT digest, data FROM programs", callable_of)


def _fill_refs(connection: sqlite3.Connection, holders: str, insert: str) -> None:
    """Note for each of the holders of bytes what could be digests in them."""
    for holder, data in connection.execute(holders):
        if isinstance(data, bytes):
            found = {match[1].decode("ascii") for match in _DIGEST.finditer(data)}
            connection.executemany(insert, [(holder, digest) for digest in found])
