"""The tables of a store, for SQLite and PostgreSQL alike. In: nothing; out: tables and the schema version.

    meta      what this is: the schema version
    runs      one row a run: what is known of it without its journal; its owner, lease and epoch
    records   the journals: (run, number), the epoch that wrote it, a checksum of all that, the bytes
    programs  encoded programs by digest; code: pickled callables by digest; both with their own checksum
    events    accepted events in order of acceptance; they are kept

A journal row names its run by a number, not by its id: an id of 30 characters in the table and again in
its index would be half of a small record. In SQLite the table is its own index (WITHOUT ROWID). A record
of a small step takes less than 300 bytes in all.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_VERSION = 1

APPLICATION_ID = 0x666C6F77
"""`flow` in ASCII: marks an SQLite file as ours, in its header."""

metadata = MetaData()

_Number = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up by itself only in a column whose type is spelt INTEGER."""

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

runs = Table(
    "runs",
    metadata,
    Column("run_no", _Number, primary_key=True, autoincrement=True),
    Column("run_id", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("program_digest", Text, nullable=False),
    Column("inputs_digest", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("versions", Text, nullable=False),
    Column("python_path", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("head", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("owner", Text),
    Column("lease_until", BigInteger, nullable=False),
    Column("cancel_reason", Text),
    UniqueConstraint("run_id", name="runs_run_id"),
    Index("runs_newest", "created_at"),
    sqlite_autoincrement=True,
)
Index(
    "runs_cancelled",
    runs.c.run_no,
    sqlite_where=runs.c.cancel_reason.is_not(None),
    postgresql_where=runs.c.cancel_reason.is_not(None),
)

records = Table(
    "records",
    metadata,
    Column("run_no", BigInteger, ForeignKey("runs.run_no"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("checksum", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("run_no", "seq", name="records_run_seq"),
    sqlite_with_rowid=False,
)

programs = Table(
    "programs",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

code = Table(
    "code",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("event_id", _Number, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("key", Text),
    Column("checksum", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("run_id", Text),
    Column("dedupe", Text),
    UniqueConstraint("dedupe", name="events_dedupe"),
    Index("events_inbox", "name", "key", "event_id"),
    sqlite_autoincrement=True,
)
