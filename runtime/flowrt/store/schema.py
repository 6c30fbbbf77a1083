"""The tables of a store, for SQLite and PostgreSQL alike. In: nothing; out: tables and the schema version.

    meta          what this is: the schema version
    runs          one row a run: what is known of it without its journal; its owner, lease and epoch; a
                  checksum of all that
    records       the journals: (run, number), the epoch that wrote it, a checksum of all that, the bytes
    programs      encoded programs by digest; code: pickled callables by digest; both with their checksum
    program_code  which callables a program has
    events        accepted events in order of acceptance
    waits         for which events a parked run waits; a run that has an owner has none
    locks         who holds the locks of flows, and who waits for them in which order
    cache         values that steps have made and that other runs may take over, by the digest of their keys
    actors        the states of the objects whose methods steps call; they belong to no run
    blob_refs     which blobs the records of a run, its inputs and its snapshot refer to
    deployments   what is served by name, and the cursors of schedules

A journal row names its run by a number, not by its id: an id of 30 characters in the table and again in
its index would be half of a small record. In SQLite the table is its own index (WITHOUT ROWID). A record
of a small step takes less than 300 bytes in all.

Every row has a checksum: of what is written once, by whoever writes it (see `flowrt.store.checksum`); of
runs, whose rows change all the time, by the database (see `flowrt.store.sql_checksum`).

Only served runs have a `wake_at`, and ended ones have none, so the index of what is due holds nothing else.
Seals are written in hexadecimal: rows travel to the database as JSON (see `flowrt.store.sql_rows`).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    and_,
    false,
    or_,
    true,
)

SCHEMA_VERSION = 3

APPLICATION_ID = 0x666C6F77
"""`flow` in ASCII: marks an SQLite file as ours, in its header."""

metadata = MetaData()

_Number = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up by itself only in a column whose type is spelt INTEGER."""

_Ordered = Text().with_variant(Text(collation="C"), "postgresql")
"""A text that is looked up by how it begins: in the order of its characters, not of a language."""

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
    Column("cancel_force", Boolean, nullable=False, server_default=false()),
    # A request that no claim has seen yet: a run with one cannot be parked, it is due.
    Column("cancel_unseen", Boolean, nullable=False, server_default=false()),
    Column("served", Boolean, nullable=False, server_default=false()),
    Column("wake_at", BigInteger),
    Column("events_after", BigInteger, nullable=False, server_default="0"),
    Column("snapshot", Text),
    Column("problem", Text),
    Column("seal", Text, nullable=False, server_default=""),
    Column("head_seal", Text, nullable=False, server_default=""),
    Column("checksum", Text, nullable=False, server_default=""),
    UniqueConstraint("run_id", name="runs_run_id"),
    Index("runs_newest", "created_at"),
    sqlite_autoincrement=True,
)

_to_cancel = and_(runs.c.cancel_reason.is_not(None), runs.c.ended_at.is_(None))
_due = runs.c.wake_at.is_not(None)
_owned = runs.c.owner.is_not(None)
Index("runs_to_cancel", runs.c.run_no, sqlite_where=_to_cancel, postgresql_where=_to_cancel)
Index("runs_due", runs.c.wake_at, runs.c.run_no, sqlite_where=_due, postgresql_where=_due)
Index("runs_by_status", runs.c.status, runs.c.created_at)
Index("runs_owned", runs.c.run_no, sqlite_where=_owned, postgresql_where=_owned)

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

program_code = Table(
    "program_code",
    metadata,
    Column("program", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("checksum", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("program", "code", name="program_code_key"),
    sqlite_with_rowid=False,
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
Index(
    "events_addressed",
    events.c.run_id,
    sqlite_where=events.c.run_id.is_not(None),
    postgresql_where=events.c.run_id.is_not(None),
)

waits = Table(
    "waits",
    metadata,
    Column("run_no", BigInteger, ForeignKey("runs.run_no"), nullable=False),
    Column("name", Text, nullable=False),
    Column("key", Text),
    Column("looked", BigInteger, nullable=False),
    Column("checksum", BigInteger, nullable=False, server_default="0"),
    Index("waits_run", "run_no"),
    Index("waits_place", "name", "key"),
)

locks = Table(
    "locks",
    metadata,
    Column("ticket", _Number, primary_key=True, autoincrement=True),
    Column("run_no", BigInteger, ForeignKey("runs.run_no"), nullable=False),
    Column("name", Text, nullable=False),
    Column("step", _Ordered, nullable=False),
    Column("held_max", BigInteger, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("problem", Text),
    Column("seal", Text, nullable=False),
    Column("checksum", BigInteger, nullable=False),
    UniqueConstraint("run_no", "step", name="locks_run_step"),
    Index("locks_queue", "name", "granted", "ticket"),
    sqlite_autoincrement=True,
)
# Looked through for who has got something, and for holders that nobody goes on with: not with all who wait.
Index(
    "locks_answered",
    locks.c.run_no,
    sqlite_where=or_(locks.c.granted == true(), locks.c.problem.is_not(None)),
    postgresql_where=or_(locks.c.granted, locks.c.problem.is_not(None)),
)

cache = Table(
    "cache",
    metadata,
    Column("key", Text, primary_key=True),
    Column("run_no", BigInteger, ForeignKey("runs.run_no"), nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("checksum", BigInteger, nullable=False),
    Index("cache_run", "run_no"),
    Index("cache_expires", "expires_at"),
)

actors = Table(
    "actors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("blob", Text),
    Column("run_id", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("checksum", BigInteger, nullable=False),
)
_in_blob = actors.c.blob.is_not(None)
Index("actors_blob", actors.c.blob, sqlite_where=_in_blob, postgresql_where=_in_blob)

blob_refs = Table(
    "blob_refs",
    metadata,
    Column("run_no", BigInteger, ForeignKey("runs.run_no"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("checksum", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("run_no", "digest", name="blob_refs_run_digest"),
    Index("blob_refs_digest", "digest"),
    sqlite_with_rowid=False,
)

deployments = Table(
    "deployments",
    metadata,
    Column("name", Text, primary_key=True),
    Column("program_digest", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("versions", Text, nullable=False),
    Column("python_path", Text, nullable=False),
    Column("snapshot", Text),
    Column("schedule", Text),
    Column("cursor", BigInteger, nullable=False),
    Column("deployed_at", BigInteger, nullable=False),
    Column("seal", Text, nullable=False),
    Column("checksum", BigInteger, nullable=False, server_default="0"),
    Column("cursor_checksum", BigInteger, nullable=False, server_default="0"),
)
