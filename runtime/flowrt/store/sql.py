"""A store in an SQL database. In: an SQLAlchemy engine; out: the `Store` of `flowrt.store.port`.

Every method is one transaction. Ownership is decided by conditional updates alone: `claim` raises the
epoch only of the row that it has seen, `append` moves the head only of a run whose epoch and head are
those that its batch names. So two processes that want the same thing at once cannot both have it,
whatever they have read before, on any database.

An append whose commit was carried out although its answer was lost (a connection that broke) is tried
again by its caller; it finds its own records in place and reports success.

The store may be used from several threads; they take turns.
"""

import hashlib
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock

from sqlalchemy import Connection, Engine, Table, func, insert, select, update

from flowrt.errors import RunExists, StoreCorrupt, UnknownRun
from flowrt.run_id import check_run_id
from flowrt.store import sql_append, sql_events, sql_journal
from flowrt.store.ownership import check_free
from flowrt.store.port import Batch, EventRow, JournalRow, NewEvent, NewRun, News, Owner, RunRow, RunStatus
from flowrt.store.run_rows import columns, owner_text, run_row
from flowrt.store.schema import code, events, programs, records, runs
from flowrt.store.sql_errors import translated
from flowrt.store.sql_insert import insert_if_absent
from flowrt.store.status import ENDED


class SqlStore:
    """Runs, journals, programs and events in an SQL database."""

    def __init__(self, engine: Engine, place: str) -> None:
        """Use the tables behind `engine`; `place` is how the store is named in messages."""
        self._engine = engine
        self._reader = engine.execution_options(reads=True)
        self._place = place
        self._lock = RLock()

    def create(self, run: NewRun) -> None:
        """Create a run. Raises RunExists, BadRunId."""
        check_run_id(run.run_id)
        with self._write(f"create run {run.run_id}") as connection:
            _keep(connection, programs, run.program_digest, run.program)
            for digest, data in run.code.items():
                _keep(connection, code, digest, data)
            run_no = insert_if_absent(connection, runs, columns(run))
            if run_no is None:
                raise RunExists(
                    f"Run {run.run_id} exists already in the store {self._place}. "
                    f"Use another id, or go on with it: flowc resume {run.run_id}"
                )
            first = sql_append.first_row(run.run_id, int(run_no), run.first)
            connection.execute(insert(records).values(first))

    def claim(self, run_id: str, owner: Owner, now: int, lease_until: int) -> int:
        """Take a run and return its new epoch. Raises UnknownRun, RunOwned."""
        while True:
            with self._write(f"claim run {run_id}") as connection:
                row = self._row(connection, run_id)
                check_free(run_id, row.owner, row.lease_until, owner, now)
                taken = connection.execute(
                    update(runs)
                    .where(runs.c.run_id == run_id, runs.c.epoch == row.epoch)
                    .values(
                        epoch=row.epoch + 1,
                        owner=owner_text(owner),
                        lease_until=lease_until,
                        cancel_reason=None if row.status in ENDED else row.cancel_reason,
                    )
                )
                if taken.rowcount == 1:
                    return row.epoch + 1
            # Another process was between the two statements: look again at what it did.

    def renew(self, held: Mapping[str, int], lease_until: int) -> frozenset[str]:
        """Extend the leases of runs by id and epoch; return those that are no longer ours."""
        lost: set[str] = set()
        if not held:
            return frozenset(lost)
        with self._write("renew leases") as connection:
            for run_id, epoch in held.items():
                renewed = connection.execute(
                    update(runs)
                    .where(runs.c.run_id == run_id, runs.c.epoch == epoch, runs.c.owner.is_not(None))
                    .values(lease_until=lease_until)
                )
                if renewed.rowcount == 0:
                    lost.add(run_id)
        return frozenset(lost)

    def release(self, run_id: str, epoch: int, status: RunStatus | None = None) -> None:
        """Give a run up and set its status, if the epoch is still ours; else do nothing."""
        with self._write(f"release run {run_id}") as connection:
            connection.execute(
                update(runs)
                .where(runs.c.run_id == run_id, runs.c.epoch == epoch)
                .values(owner=None, lease_until=0, status=func.coalesce(status, runs.c.status))
            )

    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        """Append to several runs in one transaction; return the runs whose epoch is superseded."""
        with self._write("append to journals") as connection:
            return sql_append.append(connection, batches)

    def journal(self, run_id: str, first_seq: int = 0) -> Iterator[JournalRow]:
        """The records of a run in order, as far as they go now. Raises UnknownRun, StoreCorrupt."""
        with self._read(f"read run {run_id}") as connection:
            journal = sql_journal.extent(connection, run_id)
        if journal is None:
            raise self._unknown(run_id)

        def page(seq: int) -> list[JournalRow]:
            with self._read(f"read the journal of run {run_id}") as connection:
                return sql_journal.page(connection, journal, seq)

        return sql_journal.checked(journal, page, first_seq)

    def run(self, run_id: str) -> RunRow:
        """One run. Raises UnknownRun."""
        with self._read(f"read run {run_id}") as connection:
            return self._row(connection, run_id)

    def runs(
        self,
        status: Collection[RunStatus] | None = None,
        flow: str | None = None,
        limit: int | None = None,
    ) -> list[RunRow]:
        """Runs, the newest first."""
        query = select(runs).order_by(runs.c.created_at.desc(), runs.c.run_no.desc()).limit(limit)
        if status is not None:
            query = query.where(runs.c.status.in_(status))
        if flow is not None:
            query = query.where(runs.c.flow == flow)
        with self._read("list runs") as connection:
            return [run_row(row) for row in connection.execute(query)]

    def program(self, digest: str) -> bytes:
        """The encoded program of that digest. Raises StoreCorrupt."""
        return self._kept(programs, digest, "program")

    def code(self, digest: str) -> bytes:
        """The pickled callable of that digest. Raises StoreCorrupt."""
        return self._kept(code, digest, "callable")

    def send(self, event: NewEvent) -> int:
        """Accept an event and return its number. Raises UnknownRun."""
        with self._write(f"send event {event.name}") as connection:
            if event.run_id is not None and not sql_events.run_exists(connection, event.run_id):
                raise self._unknown(event.run_id)
            return sql_events.accept(connection, event)

    def events(
        self, name: str, key: str | None, run_id: str, since: int, after_id: int, limit: int
    ) -> list[EventRow]:
        """Events of that name and key for a run, accepted at or after `since`, oldest first."""
        with self._read(f"look for events {name}") as connection:
            return sql_events.inbox(connection, name, key, run_id, since, after_id, limit)

    def request_cancel(self, run_id: str, reason: str) -> None:
        """Note that a run is to be cancelled, unless it has ended; the first reason stays."""
        with self._write(f"cancel run {run_id}") as connection:
            if not sql_events.run_exists(connection, run_id):
                raise self._unknown(run_id)
            connection.execute(
                update(runs)
                .where(runs.c.run_id == run_id, runs.c.cancel_reason.is_(None), runs.c.status.not_in(ENDED))
                .values(cancel_reason=sql_events.plain(reason))
            )

    def news(self, run_ids: Collection[str]) -> News:
        """The newest event, and which of the runs are to be cancelled."""
        query = select(runs.c.run_id, runs.c.cancel_reason).where(
            runs.c.cancel_reason.is_not(None), runs.c.status.not_in(ENDED)
        )
        with self._read("look for news") as connection:
            last = connection.scalar(select(func.max(events.c.event_id))) or 0
            wanted = set(run_ids)
            cancels = {row.run_id: row.cancel_reason for row in connection.execute(query)}
        return News(last, {run_id: reason for run_id, reason in cancels.items() if run_id in wanted})

    def close(self) -> None:
        """Let go of the database."""
        with self._lock, translated("close it", self._place):
            self._engine.dispose()

    @contextmanager
    def _write(self, doing: str) -> Generator[Connection]:
        with self._lock, translated(doing, self._place), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _read(self, doing: str) -> Generator[Connection]:
        with self._lock, translated(doing, self._place), self._reader.begin() as connection:
            yield connection

    def _row(self, connection: Connection, run_id: str) -> RunRow:
        row = connection.execute(select(runs).where(runs.c.run_id == run_id)).first()
        if row is None:
            raise self._unknown(run_id)
        return run_row(row)

    def _kept(self, table: Table, digest: str, what: str) -> bytes:
        with self._read(f"read a {what}") as connection:
            row = connection.execute(select(table).where(table.c.digest == digest)).first()
        if row is None:
            raise StoreCorrupt(f"The {what} {digest} is missing from the store {self._place}.")
        if not isinstance(row.data, bytes) or hashlib.sha256(row.data).hexdigest() != row.sha256:
            raise StoreCorrupt(f"The {what} {digest} in the store {self._place} is damaged.")
        return row.data

    def _unknown(self, run_id: str) -> UnknownRun:
        return UnknownRun(
            f"There is no run {run_id} in the store {self._place}. `flowc list` shows those that are."
        )


def _keep(connection: Connection, table: Table, digest: str, data: bytes) -> None:
    """Add bytes under a digest unless they are there."""
    checksum = hashlib.sha256(data).hexdigest()
    insert_if_absent(connection, table, {"digest": digest, "sha256": checksum, "data": data})
