"""A store whose contents only holders of a key can have written. In: a `Store` and keys; out: a `Store`.

Everything that is decoded later is authenticated first (see `flowrt.store.seal`), so that a byte changed
by somebody who can write to the store is refused before it is unpickled, imported or folded:

* the row of a run: what it was created with, its search path above all, and how many records it has, so
  that a journal whose end was cut off is noticed
* each record: its run, its number, the epoch that wrote it, its bytes
* each event: its name, key, run, instant and payload; each deployment, but for its cursor
* programs and callables: their digest is the SHA-256 of their bytes and stands in an authenticated row,
  deployment or program; it is compared here
* blobs need nothing of their own: every digest by which one is read stands in an authenticated record
  or row, and a blob store compares the bytes with the digest

What it does not do. It hides nothing: values can be read without the key. A whole store, or a run with
its row, can be put back to an earlier state of itself; an event can be removed or repeated; what says
who works on a run (status, owner, lease, epoch, a request to cancel, the instant at which it is due, the
number of the newest event at its start, the cursor of a schedule) can be changed. With that, somebody
who can write to the store can delay, cancel or repeat work; he cannot make it another.

The records of a run name its nonce, so what was read of a run's row is kept for a while; a claim reads
it anew. What is wrong with one run of several is left to whoever asks for that run: `claim_due` lays such
a run aside, and `journals` leaves it out.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from secrets import token_bytes
from threading import Lock

from flowrt.errors import StoreCorrupt, StoreError, UnknownRun
from flowrt.store.port import Store
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
from flowrt.store.seal import Seals, of_digest
from flowrt.store.sealed_actors import SealedActors, sealed_change
from flowrt.store.sealed_cache import opened_cached, sealed_cached
from flowrt.store.sealed_locks import check_holders, check_lock, sealed_lock
from flowrt.store.sealed_places import (
    deployment_place,
    event_place,
    head_place,
    record_place,
    records_place,
    run_place,
)

_NONCE_SIZE = 16
_KNOWN_RUNS = 20_000


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known to be true of a run: its nonce, and that it has at least `head` records."""

    nonce: bytes
    head: int


class SealedStore:
    """Seals what goes into a store, and takes nothing out of it without its seal."""

    def __init__(self, store: Store, seals: Seals) -> None:
        """Put in front of `store`."""
        self._store = store
        self._seals = seals
        self.actors = SealedActors(store.actors, seals)
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._lock = Lock()

    # Runs

    def create(self, run: NewRun, slot: Slot | None = None) -> None:
        """Create a run. As the port says."""
        self._store.create(self._sealed_run(run), slot)

    def _sealed_run(self, run: NewRun) -> NewRun:
        nonce = token_bytes(_NONCE_SIZE)
        return replace(
            run,
            first=self._seals.seal(record_place(records_place(run.run_id, nonce), 0, 0), run.first),
            seal=self._seals.seal(run_place(run), nonce),
            head_seal=self._seals.seal(head_place(run.run_id, nonce, 1), b""),
        )

    def claim(self, run_id: str, owner: Owner, now: int, lease_until: int) -> int:
        """Take a run and return its new epoch. As the port says."""
        epoch = self._store.claim(run_id, owner, now, lease_until)
        self._forget(run_id)
        return epoch

    def claim_due(self, owner: Owner, now: int, lease_until: int, limit: int, ahead: int = 0) -> list[RunRow]:
        """Take runs that are due; those whose rows are not as they were written are laid aside."""
        rows: list[RunRow] = []
        for row in self._store.claim_due(owner, now, lease_until, limit, ahead):
            try:
                self._check(row)
            except StoreError as error:
                self._store.release(row.run_id, row.epoch, "suspended", problem=str(error))
            else:
                rows.append(row)
        return rows

    def free_dead(self) -> int:
        """Make due what dead processes of this machine hold."""
        return self._store.free_dead()

    def free_unknown(self, owner: Owner, known: Mapping[str, int]) -> int:
        """Make due what an owner has without knowing it."""
        return self._store.free_unknown(owner, known)

    def renew(self, held: Mapping[str, int], lease_until: int) -> frozenset[str]:
        """Extend leases. As the port says."""
        return self._store.renew(held, lease_until)

    def release(
        self,
        run_id: str,
        epoch: int,
        status: RunStatus | None = None,
        *,
        wake_at: int | None = None,
        problem: str | None = None,
    ) -> None:
        """Give a run up. As the port says."""
        self._store.release(run_id, epoch, status, wake_at=wake_at, problem=problem)

    def serve(self, run_id: str, now: int) -> None:
        """Hand a run to whoever serves the store."""
        self._store.serve(run_id, now)

    def reopen(
        self, run_id: str, epoch: int, python_path: Sequence[str], snapshot: str | None, seal: bytes
    ) -> None:
        """Give a run other code to go on with; the seal is made here."""
        del seal
        row = self._store.run(run_id)
        known = self._check(row)
        changed = replace(row, python_path=tuple(python_path), snapshot=snapshot)
        new_seal = self._seals.seal(run_place(changed), known.nonce)
        self._store.reopen(run_id, epoch, python_path, snapshot, new_seal)

    def run(self, run_id: str) -> RunRow:
        """One run. Raises UnknownRun, StoreCorrupt, WrongStoreKey."""
        row = self._store.run(run_id)
        self._check(row)
        return row

    def runs(
        self,
        status: Collection[RunStatus] | None = None,
        flow: str | None = None,
        limit: int | None = None,
    ) -> list[RunRow]:
        """Runs, the newest first. Raises StoreCorrupt, WrongStoreKey."""
        rows = self._store.runs(status, flow, limit)
        for row in rows:
            self._check(row)
        return rows

    def run_ids(self) -> list[str]:
        """The ids of all runs."""
        return self._store.run_ids()

    def request_cancel(self, run_id: str, reason: str, *, force: bool = False) -> None:
        """Note that a run is to be cancelled."""
        self._store.request_cancel(run_id, reason, force=force)

    def delete(self, run_id: str) -> frozenset[str]:
        """Remove a run that has ended. As the port says."""
        self._forget(run_id)
        return self._store.delete(run_id)

    def _check(self, row: RunRow) -> _Known:
        nonce = self._seals.unseal(run_place(row), row.seal, f"the row of run {row.run_id}")
        where = head_place(row.run_id, nonce, row.head)
        self._seals.unseal(where, row.head_seal, f"the number of records of run {row.run_id} ({row.head})")
        known = _Known(nonce, row.head)
        self._keep(row.run_id, known)
        return known

    def _of(self, run_id: str) -> _Known:
        """What is known of a run, which is read if need be. Raises UnknownRun, StoreError."""
        with self._lock:
            known = self._known.get(run_id)
            if known is not None:
                self._known.move_to_end(run_id)
                return known
        return self._check(self._store.run(run_id))

    def _keep(self, run_id: str, known: _Known) -> None:
        with self._lock:
            self._known[run_id] = known
            self._known.move_to_end(run_id)
            if len(self._known) > _KNOWN_RUNS:
                self._known.popitem(last=False)

    def _forget(self, run_id: str) -> None:
        with self._lock:
            self._known.pop(run_id, None)

    # Journals

    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        """Append to several runs in one transaction. As the port says."""
        gone: set[str] = set()
        sealed: list[Batch] = []
        for batch in batches:
            try:
                sealed.append(self._sealed(batch, self._of(batch.run_id)))
            except UnknownRun:
                gone.add(batch.run_id)
        return self._store.append(sealed).union(gone)

    def _sealed(self, batch: Batch, known: _Known) -> Batch:
        run_id, nonce, epoch = batch.run_id, known.nonce, batch.epoch
        head = head_place(run_id, nonce, batch.first_seq + len(batch.records))
        of_run = records_place(run_id, nonce)
        return replace(
            batch,
            records=[
                self._seals.seal(record_place(of_run, seq, epoch), data)
                for seq, data in enumerate(batch.records, batch.first_seq)
            ],
            events=[self._sealed_event(event) for event in batch.events],
            cached=[sealed_cached(self._seals, run_id, one) for one in batch.cached],
            actors=[sealed_change(self._seals, run_id, one) for one in batch.actors],
            creates=[self._sealed_run(run) for run in batch.creates],
            locks=[sealed_lock(self._seals, run_id, nonce, one) for one in batch.locks],
            head_seal=self._seals.seal(head, b""),
        )

    def journal(self, run_id: str, first_seq: int = 0) -> Iterator[JournalRow]:
        """The records of a run in order. Raises UnknownRun, StoreCorrupt, WrongStoreKey."""
        known = self._check(self._store.run(run_id))
        return self._unsealed(run_id, known, self._store.journal(run_id, first_seq), first_seq)

    def journals(self, run_ids: Collection[str]) -> Mapping[str, Sequence[JournalRow]]:
        """The journals of several runs at once; those that are long, or not as written, are left out."""
        whole: dict[str, Sequence[JournalRow]] = {}
        for run_id, rows in self._store.journals(run_ids).items():
            try:
                whole[run_id] = list(self._unsealed(run_id, self._of(run_id), iter(rows), 0))
            except StoreError:
                self._forget(run_id)
        return whole

    def _unsealed(
        self, run_id: str, known: _Known, rows: Iterator[JournalRow], first_seq: int
    ) -> Iterator[JournalRow]:
        seq = first_seq
        of_run = records_place(run_id, known.nonce)
        for row in rows:
            if row.seq != seq:
                break
            where = record_place(of_run, seq, row.epoch)
            data = self._seals.unseal(where, row.data, f"record {seq} of run {run_id}")
            yield JournalRow(seq, row.epoch, data)
            seq += 1
        if seq < known.head:
            raise StoreCorrupt(f"The journal of run {run_id} lacks record {seq} of {known.head}.")

    # Programs

    def program(self, digest: str) -> bytes:
        """The encoded program of that digest. Raises StoreCorrupt."""
        return of_digest(digest, self._store.program(digest), "program")

    def code(self, digest: str) -> bytes:
        """The pickled callable of that digest. Raises StoreCorrupt."""
        return of_digest(digest, self._store.code(digest), "callable")

    # Events

    def send(self, event: NewEvent) -> int:
        """Accept an event. As the port says."""
        return self._store.send(self._sealed_event(event))

    def send_all(self, events: Sequence[NewEvent]) -> list[int]:
        """Accept several events. As the port says."""
        return self._store.send_all([self._sealed_event(event) for event in events])

    def events(self, name: str, key: str | None, run_id: str, after_id: int, limit: int) -> list[EventRow]:
        """Events of that name and key for a run. Raises StoreCorrupt, WrongStoreKey."""
        found = self._store.events(name, key, run_id, after_id, limit)
        return [replace(row, payload=self._payload(row)) for row in found]

    def all_events(self, after_id: int, limit: int) -> list[EventRow]:
        """Events of every name. Raises StoreCorrupt, WrongStoreKey."""
        return [replace(row, payload=self._payload(row)) for row in self._store.all_events(after_id, limit)]

    def _sealed_event(self, event: NewEvent) -> NewEvent:
        return replace(event, payload=self._seals.seal(event_place(event), event.payload))

    def _payload(self, row: EventRow) -> bytes:
        return self._seals.unseal(event_place(row), row.payload, f"event {row.event_id} ({row.name})")

    # Cached values

    def cached(self, keys: Collection[str], now: int) -> list[CachedRow]:
        """The values under these keys. Raises StoreCorrupt, WrongStoreKey."""
        return [opened_cached(self._seals, row) for row in self._store.cached(keys, now)]

    def all_cached(self, after: str, limit: int) -> list[CachedRow]:
        """Cached values with keys behind `after`. Raises StoreCorrupt, WrongStoreKey."""
        return [opened_cached(self._seals, row) for row in self._store.all_cached(after, limit)]

    # Locks

    def locks_of(self, run_ids: Collection[str], *, answered: bool = False) -> list[LockRow]:
        """The places of some runs. Raises StoreCorrupt, WrongStoreKey."""
        rows = self._store.locks_of(run_ids, answered=answered)
        for row in rows:
            self._check_lock(row)
            if row.granted:
                check_holders(self._store, row)
        return rows

    def lock_queue(self, name: str, limit: int) -> list[LockRow]:
        """Who holds a lock, and who waits for it. Raises StoreCorrupt, WrongStoreKey."""
        return [self._check_lock(row) for row in self._store.lock_queue(name, limit)]

    def all_locks(self, after: int, limit: int) -> list[LockRow]:
        """Places with tickets above `after`. Raises StoreCorrupt, WrongStoreKey."""
        return [self._check_lock(row) for row in self._store.all_locks(after, limit)]

    def free_locks(self, now: int) -> int:
        """Give to others what runs have that nobody goes on with."""
        return self._store.free_locks(now)

    def _check_lock(self, row: LockRow) -> LockRow:
        return check_lock(self._seals, self._of(row.run_id).nonce, row)

    def news(self, run_ids: Collection[str], after_event_id: int) -> News:
        """What happened outside since the last look."""
        return self._store.news(run_ids, after_event_id)

    # Deployments

    def deploy(self, deployment: Deployment) -> None:
        """Serve a flow by its name from now on. As the port says."""
        seal = self._seals.seal(deployment_place(deployment), b"")
        self._store.deploy(replace(deployment, seal=seal))

    def deployments(self) -> list[Deployment]:
        """What is served, by name. Raises StoreCorrupt, WrongStoreKey."""
        found = self._store.deployments()
        for deployment in found:
            what = f"the deployment of `{deployment.name}`"
            self._seals.unseal(deployment_place(deployment), deployment.seal, what)
        return found

    def undeploy(self, name: str) -> bool:
        """Serve a flow no more."""
        return self._store.undeploy(name)

    def move_cursor(self, name: str, after: int, to: int) -> bool:
        """Move the cursor of a schedule without a run."""
        return self._store.move_cursor(name, after, to)

    # Upkeep

    def needed(self, digests: Collection[str]) -> frozenset[str]:
        """Which of these blobs a run or a deployment refers to."""
        return self._store.needed(digests)

    def check_references(self) -> None:
        """See that what is needed can be told."""
        self._store.check_references()

    def call_damaged(self, after: int) -> int:
        """Make due what is damaged. As the port says."""
        return self._store.call_damaged(after)

    def sweep(self, before: int) -> Unused:
        """Remove what nothing refers to."""
        return self._store.sweep(before)

    def faults(self) -> list[str]:
        """What the database finds wrong with its files."""
        return self._store.faults()

    def close(self) -> None:
        """Let go of connections and files."""
        self._store.close()
