"""A store in an SQL database. In: an SQLAlchemy engine; out: the `Store` of `flowrt.store.port`.

Every method that writes is one transaction, and can be repeated when its answer was lost. Ownership is
decided by conditional updates: `append` moves the head only of a run whose epoch and head are those that
its batch names. Where what is read decides what is written (a claim, a deletion), the row is locked first.
So two processes that want the same thing at once cannot both have it, on any database.

The store may be used from several threads: see `flowrt.store.sql_transactions`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial

from sqlalchemy import Connection, Engine, Row

from flowrt.errors import RunExists, SlotTaken, StoreCorrupt, UnknownRun
from flowrt.failpoint import hit
from flowrt.run_id import check_run_id
from flowrt.store import (
    sql_append,
    sql_cache,
    sql_claims,
    sql_create,
    sql_deployments,
    sql_events,
    sql_faults,
    sql_journal,
    sql_locks,
    sql_remove,
    sql_runs,
)
from flowrt.store.rows import (
    Batch,
    CachedRow,
    Deployment,
    EventRow,
    JournalRow,
    LockRow,
    NewEvent,
    NewRun,
    News,
    Owner,
    RunRow,
    RunStatus,
    Slot,
    Unused,
)
from flowrt.store.run_rows import run_row
from flowrt.store.schema import code, programs
from flowrt.store.sql_actors import SqlActors
from flowrt.store.sql_transactions import Transactions


class SqlStore:
    """Runs, journals, programs and events in an SQL database."""

    def __init__(self, engine: Engine, place: str) -> None:
        """Use the tables behind `engine`; `place` is how the store is named in messages."""
        self._engine = engine
        self._place = place
        self._transactions = Transactions(engine, place)
        self.actors = SqlActors(self._transactions, place)
        self._write, self._read = self._transactions.write, self._transactions.read

    def create(self, run: NewRun, slot: Slot | None = None) -> None:
        """Create a run. Raises RunExists, SlotTaken, BadRunId."""
        check_run_id(run.run_id)
        hit("create.begun")

        def work(connection: Connection) -> None:
            if slot is not None and not sql_runs.move_slot(connection, slot):
                raise SlotTaken(
                    f"The slot {slot.at} of the schedule {slot.schedule} has been dealt with by another."
                )
            if not sql_create.create(connection, run):
                raise RunExists(
                    f"Run {run.run_id} exists already in the store {self._place}. "
                    f"Use another id, or go on with it: flowc resume {run.run_id}"
                )

        self._write(f"create run {run.run_id}", work)
        hit("create.done")

    def claim(self, run_id: str, owner: Owner, now: int, lease_until: int) -> int:
        """Take a run and return its new epoch. Raises UnknownRun, RunOwned."""
        hit("claim.begun")

        def work(connection: Connection) -> int:
            epoch = sql_claims.claim(connection, self._locked(connection, run_id), owner, now, lease_until)
            hit("claim.written")
            return epoch

        epoch = self._write(f"claim run {run_id}", work)
        hit("claim.done")
        return epoch

    def claim_due(self, owner: Owner, now: int, lease_until: int, limit: int, ahead: int = 0) -> list[RunRow]:
        """Take up to `limit` served runs that are due, the earliest first."""

        def work(connection: Connection) -> list[RunRow]:
            taken = sql_claims.claim_due(connection, owner, now, lease_until, limit, ahead)
            hit("claim_due.written")
            return taken

        taken = self._write("claim the runs that are due", work)
        hit("claim_due.done")
        return taken

    def free_dead(self) -> int:
        """Make due at once what served runs are held by processes of this machine that live no more."""
        return self._write("free the runs of dead processes", sql_claims.free_dead)

    def free_unknown(self, owner: Owner, known: Mapping[str, int]) -> int:
        """Make due at once the served runs that `owner` has, but for those `known` to it."""
        return self._write("free runs", lambda c: sql_claims.free_unknown(c, owner, known))

    def renew(self, held: Mapping[str, int], lease_until: int) -> frozenset[str]:
        """Extend the leases of runs by id and epoch; return those that are no longer ours."""
        if not held:
            return frozenset()
        hit("renew.begun")
        lost = self._write("renew leases", lambda c: sql_claims.renew(c, held, lease_until))
        hit("renew.done")
        return lost

    def release(
        self,
        run_id: str,
        epoch: int,
        status: RunStatus | None = None,
        *,
        wake_at: int | None = None,
        problem: str | None = None,
    ) -> None:
        """Give a run up and set its status, if it is still ours; else do nothing."""
        hit("release.begun")
        self._write(
            f"release run {run_id}",
            lambda c: sql_claims.release(c, run_id, epoch, status, wake_at, problem),
        )
        hit("release.done")

    def serve(self, run_id: str, now: int) -> None:
        """Hand a run to whoever serves the store. Raises UnknownRun."""

        def work(connection: Connection) -> None:
            self._locked(connection, run_id)
            sql_claims.serve(connection, run_id, now)

        self._write(f"serve run {run_id}", work)
        hit("serve.done")

    def reopen(
        self, run_id: str, epoch: int, python_path: Sequence[str], snapshot: str | None, seal: bytes
    ) -> None:
        """Give a run that is ours other code to go on with, if the epoch is still ours."""
        hit("reopen.begun")
        self._write(
            f"give run {run_id} other code",
            lambda c: sql_runs.reopen(c, run_id, epoch, python_path, snapshot, seal),
        )
        hit("reopen.done")

    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        """Append to several runs in one transaction; return the runs whose epoch is superseded."""
        hit("append.begun")
        superseded = self._write("append to journals", lambda c: sql_append.append(c, batches))
        hit("append.done")
        return superseded

    def journal(self, run_id: str, first_seq: int = 0) -> Iterator[JournalRow]:
        """The records of a run in order, as far as they go now. Raises UnknownRun, StoreCorrupt."""
        journal = self._read(f"read run {run_id}", lambda c: sql_journal.extent(c, run_id))
        if journal is None:
            raise self._unknown(run_id)

        def page(seq: int) -> list[JournalRow]:
            def work(connection: Connection) -> list[JournalRow]:
                rows = sql_journal.page(connection, journal, seq)
                if not rows and not sql_journal.exists(connection, journal):
                    raise self._unknown(run_id)  # It was deleted while it was read.
                return rows

            return self._read(f"read the journal of run {run_id}", work)

        return sql_journal.checked(journal, page, first_seq)

    def journals(self, run_ids: Collection[str]) -> Mapping[str, Sequence[JournalRow]]:
        """The journals of several runs at once; those that are long, or damaged, are left out."""
        return self._read("read journals", lambda c: sql_journal.several(c, run_ids))

    def run(self, run_id: str) -> RunRow:
        """One run. Raises UnknownRun."""
        row = self._read(f"read run {run_id}", lambda c: sql_runs.found(c, run_id))
        if row is None:
            raise self._unknown(run_id)
        return run_row(row)

    def runs(
        self,
        status: Collection[RunStatus] | None = None,
        flow: str | None = None,
        limit: int | None = None,
    ) -> list[RunRow]:
        """Runs, the newest first."""
        return self._read("list runs", lambda c: sql_runs.listed(c, status, flow, limit))

    def run_ids(self) -> list[str]:
        """The ids of all runs, the newest first."""
        return self._read("list runs", sql_runs.ids)

    def program(self, digest: str) -> bytes:
        """The encoded program of that digest. Raises StoreCorrupt."""
        return self._read(
            "read a program", lambda c: sql_create.kept(c, programs, digest, f"program {digest}", self._place)
        )

    def code(self, digest: str) -> bytes:
        """The pickled callable of that digest. Raises StoreCorrupt."""
        return self._read(
            "read a callable", lambda c: sql_create.kept(c, code, digest, f"callable {digest}", self._place)
        )

    def send(self, event: NewEvent) -> int:
        """Accept an event and return its number. Raises UnknownRun."""
        return self.send_all([event])[0]

    def send_all(self, events: Sequence[NewEvent]) -> list[int]:
        """Accept several events in one transaction: all or none. Raises UnknownRun."""
        hit("send.begun")

        def work(connection: Connection) -> list[int]:
            missing = sql_events.missing_run(connection, events)
            if missing is not None:
                raise self._unknown(missing)
            numbers = sql_events.accept_all(connection, events)
            hit("send.written")
            return numbers

        what = f"event {events[0].name}" if len(events) == 1 else f"{len(events)} events"
        numbers = self._write(f"send {what}", work)
        hit("send.done")
        return numbers

    def events(self, name: str, key: str | None, run_id: str, after_id: int, limit: int) -> list[EventRow]:
        """Events of that name and key for a run with a number above `after_id`, oldest first."""
        return self._read(
            f"look for events {name}", lambda c: sql_events.inbox(c, name, key, run_id, after_id, limit)
        )

    def all_events(self, after_id: int, limit: int) -> list[EventRow]:
        """Events of every name with a number above `after_id`, oldest first. Raises StoreCorrupt."""
        return self._read("read events", lambda c: sql_events.page(c, after_id, limit))

    def request_cancel(self, run_id: str, reason: str, *, force: bool = False) -> None:
        """Note that a run is to be cancelled, unless it has ended; the first reason stays."""
        hit("cancel.begun")

        def work(connection: Connection) -> None:
            self._locked(connection, run_id)
            sql_runs.request_cancel(connection, run_id, reason, force=force)

        self._write(f"cancel run {run_id}", work)
        hit("cancel.done")

    def locks_of(self, run_ids: Collection[str], *, answered: bool = False) -> list[LockRow]:
        """The places of some runs in the queues for locks. As the port says."""
        work = partial(sql_locks.of_runs, run_ids=list(run_ids), answered=answered)
        return self._read("look for locks", work)

    def lock_queue(self, name: str, limit: int) -> list[LockRow]:
        """Who holds a lock, and then who waits for it, in order. Raises StoreCorrupt."""
        return self._read(f"look at the lock {name}", lambda c: sql_locks.queue(c, name, limit))

    def all_locks(self, after: int, limit: int) -> list[LockRow]:
        """Places with tickets above `after`, in order. Raises StoreCorrupt."""
        return self._read("read the locks", lambda c: sql_locks.every(c, after, limit))

    def free_locks(self, now: int) -> int:
        """Give to others what runs have that nobody goes on with; how many such runs there were."""
        left = self._read("look for locks", lambda c: sql_locks.abandoned(c, now))
        if not left:
            return 0
        return self._write("free locks", lambda c: sql_locks.free_abandoned(c, now, left))

    def cached(self, keys: Collection[str], now: int) -> list[CachedRow]:
        """The values under these keys that have not expired. Raises StoreCorrupt."""
        return self._read("look for cached values", lambda c: sql_cache.found(c, keys, now))

    def all_cached(self, after: str, limit: int) -> list[CachedRow]:
        """Cached values with keys behind `after`, in their order. Raises StoreCorrupt."""
        return self._read("read the cache", lambda c: sql_cache.every(c, after, limit))

    def news(self, run_ids: Collection[str], after_event_id: int) -> News:
        """The newest event, the places of the new ones, and which of the runs are to be cancelled."""

        def work(connection: Connection) -> News:
            newest = sql_events.newest(connection)
            wanted = set(run_ids)
            cancels = {i: cancel for i, cancel in sql_events.cancels(connection).items() if i in wanted}
            return News(newest, cancels, sql_events.places(connection, after_event_id))

        return self._read("look for news", work)

    def deploy(self, deployment: Deployment) -> None:
        """Serve a flow by its name from now on."""

        def work(connection: Connection) -> None:
            sql_create.keep_program(
                connection, deployment.program_digest, deployment.program, deployment.code
            )
            sql_deployments.deploy(connection, deployment)

        self._write(f"deploy {deployment.name}", work)

    def deployments(self) -> list[Deployment]:
        """What is served, by name; `program` and `code` are left empty."""
        return self._read("list deployments", sql_deployments.listed)

    def undeploy(self, name: str) -> bool:
        """Serve a flow no more; false when it was not served."""
        return self._write(f"undeploy {name}", lambda c: sql_deployments.undeploy(c, name))

    def move_cursor(self, name: str, after: int, to: int) -> bool:
        """Move the cursor of a schedule without a run, if it is at `after`; whether it was."""
        return self._write(
            f"move the schedule of {name}", lambda c: sql_deployments.move_cursor(c, name, after, to)
        )

    def delete(self, run_id: str) -> frozenset[str]:
        """Remove a run that has ended; return the blobs that nothing needs now.

        Raises UnknownRun, RunNotEnded.
        """
        hit("delete.begun")

        def work(connection: Connection) -> frozenset[str]:
            row = self._locked(connection, run_id)
            sql_remove.check_ended(run_id, row.status)
            unneeded = sql_remove.delete_run(connection, row.run_no, run_id)
            hit("delete.written")
            return unneeded

        unneeded = self._write(f"delete run {run_id}", work)
        hit("delete.done")
        return unneeded

    def needed(self, digests: Collection[str]) -> frozenset[str]:
        """Which of these blobs a run or a deployment refers to."""
        return self._read("look for what is needed", lambda c: sql_remove.needed(c, digests))

    def check_references(self) -> None:
        """See that what is needed can be told. Raises StoreCorrupt."""
        self._read("see what is needed", sql_remove.check_references)

    def call_damaged(self, after: int) -> int:
        """Make due what is served and damaged. As the port says."""
        return self._write("look for damaged runs", lambda c: sql_claims.call_damaged(c, after))

    def sweep(self, before: int) -> Unused:
        """Remove programs that nothing refers to, and events before an instant that no run can take."""

        def programs_gone(connection: Connection) -> int:
            count = sql_remove.sweep_programs(connection)
            sql_cache.sweep(connection, before)
            hit("sweep.written")
            return count

        doing = "remove what is not needed"
        program_count, event_count = self._write(doing, programs_gone), 0
        after: int | None = 0
        while after is not None:
            work = partial(sql_remove.sweep_events, before=before, after_id=after)
            count, after = self._write(doing, work)
            event_count += count
        hit("sweep.done")
        return Unused(program_count, event_count)

    def faults(self) -> list[str]:
        """What the database itself finds wrong with its files; a long look."""
        try:
            return self._read("check it", sql_faults.faults)
        except StoreCorrupt as error:
            return [str(error)]

    def close(self) -> None:
        """Let go of the database."""
        self._transactions.close()

    def _locked(self, connection: Connection, run_id: str) -> Row[*tuple[object, ...]]:
        """The row of a run, which nobody else changes until the transaction ends. Raises UnknownRun."""
        row = sql_runs.found(connection, run_id, lock=True)
        if row is None:
            raise self._unknown(run_id)
        return row

    def _unknown(self, run_id: str) -> UnknownRun:
        return UnknownRun(
            f"There is no run {run_id} in the store {self._place}. `flowc list` shows those that are."
        )
