"""A store in this process's memory, with the promises of the durable ones except durability.

In: the calls of `flowrt.store.port`; out: what a database would answer. For tests, and for flows whose
runs need not outlive the process. The threads of the process may share it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import attrgetter
from threading import RLock

from flowrt.errors import RunExists, RunNotEnded, SlotTaken, UnknownRun
from flowrt.noun import replace
from flowrt.run_id import check_run_id
from flowrt.store.bounds import JOURNALS_MAX
from flowrt.store.memory_actors import MemoryActors
from flowrt.store.memory_cache import MemoryCache
from flowrt.store.memory_deployments import MemoryDeployments
from flowrt.store.memory_events import MemoryEvents
from flowrt.store.memory_found import cancels_of, due_of, matching
from flowrt.store.memory_locks import MemoryLocks
from flowrt.store.memory_programs import MemoryPrograms
from flowrt.store.memory_rows import KeptRun, new_row, was_written
from flowrt.store.owner import alive
from flowrt.store.ownership import check_free
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
from flowrt.store.status import ENDED, OVER

_AGE = attrgetter("created_at")


class MemoryStore:
    """Runs, journals, programs and events in dicts."""

    def __init__(self) -> None:
        """Begin empty."""
        self._runs: dict[str, KeptRun] = {}
        self._programs = MemoryPrograms()
        self._events = MemoryEvents(self._wake_for_event)
        self._deployments = MemoryDeployments()
        self._locks = MemoryLocks(self._runs, self._wake_for_lock)
        self._cache = MemoryCache()
        self._lock = RLock()
        self.actors = MemoryActors(self._lock, self._locks.queue, self.needed)

    def create(self, run: NewRun, slot: Slot | None = None) -> None:
        """Create a run. Raises RunExists, SlotTaken, BadRunId."""
        check_run_id(run.run_id)
        with self._lock:
            if slot is not None and not self._deployments.at(slot.schedule, slot.after):
                raise SlotTaken(
                    f"The slot {slot.at} of the schedule {slot.schedule} has been dealt with by another."
                )
            if run.run_id in self._runs:
                raise RunExists(f"Run {run.run_id} exists already in this process. Use another id.")
            if slot is not None:
                self.move_cursor(slot.schedule, slot.after, slot.at)
            self._create(run)

    def _create(self, run: NewRun) -> None:
        self._programs.keep(run.program_digest, run.program, run.code)
        new = KeptRun(new_row(run, self._events.newest), [JournalRow(0, 0, run.first)])
        new.blobs.update(run.blobs, [run.snapshot] if run.snapshot else [])
        self._runs[run.run_id] = new

    def claim(self, run_id: str, owner: Owner, now: int, lease_until: int) -> int:
        """Take a run and return its new epoch. Raises UnknownRun, RunOwned."""
        with self._lock:
            run = self._run(run_id)
            check_free(run_id, run.row.owner, run.row.lease_until, owner, now)
            run.claim(owner, lease_until)
            return run.row.epoch

    def claim_due(self, owner: Owner, now: int, lease_until: int, limit: int, ahead: int = 0) -> list[RunRow]:
        """Take up to `limit` served runs that are due, the earliest first."""
        with self._lock:
            due = due_of(self._runs.values(), now, ahead)[:limit]
            for run in due:
                run.claim(owner, lease_until)
            return [run.row for run in due]

    def free_dead(self) -> int:
        """Make due at once what served runs are held by processes of this machine that live no more."""
        with self._lock:
            rows = [(run, run.row.owner) for run in self._runs.values()]
            return sum(run.free() for run, owner in rows if owner is not None and alive(owner) is False)

    def free_unknown(self, owner: Owner, known: Mapping[str, int]) -> int:
        """Make due at once the served runs that `owner` has, but for those `known` to it."""
        with self._lock:
            its = [run for run in self._runs.values() if run.row.owner == owner]
            return sum(run.free() for run in its if known.get(run.row.run_id) != run.row.epoch)

    def renew(self, held: Mapping[str, int], lease_until: int) -> frozenset[str]:
        """Extend the leases of runs by id and epoch; return those that are no longer ours."""
        lost: set[str] = set()
        with self._lock:
            for run_id, epoch in held.items():
                run = self._ours(run_id, epoch)
                if run is None:
                    lost.add(run_id)
                else:
                    goes_on = run.row.served and run.row.status not in ENDED
                    wake_at = lease_until if goes_on else None
                    run.row = replace(run.row, lease_until=lease_until, wake_at=wake_at)
        return frozenset(lost)

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
        with self._lock:
            run = self._ours(run_id, epoch)
            if run is not None:
                run.release(status, wake_at, problem)
                if status == "suspended":
                    self._locks.drop(run_id)

    def serve(self, run_id: str, now: int) -> None:
        """Hand a run to whoever serves the store. Raises UnknownRun."""
        with self._lock:
            run = self._run(run_id)
            row = run.row
            due = None if row.status in ENDED else now if row.owner is None else row.lease_until
            run.row = replace(row, served=True, wake_at=due)

    def reopen(
        self, run_id: str, epoch: int, python_path: Sequence[str], snapshot: str | None, seal: bytes
    ) -> None:
        """Give a run that is ours other code to go on with, if the epoch is still ours."""
        with self._lock:
            run = self._runs.get(run_id)
            if run is not None and run.row.epoch == epoch:
                run.row = replace(run.row, python_path=tuple(python_path), snapshot=snapshot, seal=seal)
                run.blobs.update([snapshot] if snapshot else [])

    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        """Append to several runs at once; return the runs whose epoch is superseded."""
        superseded: set[str] = set()
        with self._lock:
            for batch in batches:
                run = self._runs.get(batch.run_id)
                if run is None:
                    superseded.add(batch.run_id)
                elif (run.row.epoch, run.row.head) != (batch.epoch, batch.first_seq):
                    if not was_written(run, batch):
                        superseded.add(batch.run_id)
                else:
                    self.actors.check(batch)
                    run.advance(batch)
                    self.actors.change(batch)
                    self._locks.change(batch)
                    self._cache.add(batch)
                    if batch.park is not None and self._locks.answered(batch.run_id, batch.park.locks):
                        self._wake_for_lock(batch.run_id)
                    if run.missed(self._events.inbox):
                        run.wake()
                    for event in batch.events:
                        self._events.accept(event)
                    for child in batch.creates:
                        if child.run_id not in self._runs:
                            self._create(child)
        return frozenset(superseded)

    def journal(self, run_id: str, first_seq: int = 0) -> Iterator[JournalRow]:
        """The records of a run in order, as far as they go now. Raises UnknownRun."""
        with self._lock:
            return iter(self._run(run_id).journal[first_seq:])

    def journals(self, run_ids: Collection[str]) -> Mapping[str, Sequence[JournalRow]]:
        """The journals of several runs at once; those that are long are left out."""
        with self._lock:
            runs = {run_id: self._runs[run_id] for run_id in run_ids if run_id in self._runs}
            return {run_id: list(run.journal) for run_id, run in runs.items() if run.row.head <= JOURNALS_MAX}

    def run(self, run_id: str) -> RunRow:
        """One run. Raises UnknownRun."""
        with self._lock:
            return self._run(run_id).row

    def runs(
        self,
        status: Collection[RunStatus] | None = None,
        flow: str | None = None,
        limit: int | None = None,
    ) -> list[RunRow]:
        """Runs, the newest first."""
        with self._lock:
            newest = sorted((run.row for run in reversed(self._runs.values())), key=_AGE, reverse=True)
        return matching(newest, status, flow)[:limit]

    def run_ids(self) -> list[str]:
        """The ids of all runs, the newest first."""
        return [row.run_id for row in self.runs()]

    def program(self, digest: str) -> bytes:
        """The encoded program of that digest. Raises StoreCorrupt."""
        return self._programs.program(digest)

    def code(self, digest: str) -> bytes:
        """The pickled callable of that digest. Raises StoreCorrupt."""
        return self._programs.code(digest)

    def send(self, event: NewEvent) -> int:
        """Accept an event and return its number. Raises UnknownRun."""
        return self.send_all([event])[0]

    def send_all(self, events: Sequence[NewEvent]) -> list[int]:
        """Accept several events: all or none. Raises UnknownRun."""
        with self._lock:
            for event in events:
                if event.run_id is not None:
                    self._run(event.run_id)
            return [self._events.accept(event) for event in events]

    def events(self, name: str, key: str | None, run_id: str, after_id: int, limit: int) -> list[EventRow]:
        """Events of that name and key for a run with a number above `after_id`, oldest first."""
        with self._lock:
            found = [
                event
                for event in self._events.inbox.get((name, key), ())
                if event.event_id > after_id and event.run_id in (None, run_id)
            ]
        return found[:limit]

    def all_events(self, after_id: int, limit: int) -> list[EventRow]:
        """Events of every name with a number above `after_id`, oldest first."""
        with self._lock:
            return [event for event in self._events.rows if event.event_id > after_id][:limit]

    def request_cancel(self, run_id: str, reason: str, *, force: bool = False) -> None:
        """Note that a run is to be cancelled, unless it has ended; the first reason stays."""
        with self._lock:
            run = self._run(run_id)
            row = run.row
            if row.status in ENDED:
                return
            first = reason if row.cancel_reason is None else row.cancel_reason
            run.row = replace(row, cancel_reason=first, cancel_force=row.cancel_force or force)
            run.cancel_unseen = True
            if run.parked:
                run.wake()

    def cached(self, keys: Collection[str], now: int) -> list[CachedRow]:
        """The values under these keys that have not expired."""
        with self._lock:
            return self._cache.found(keys, now)

    def all_cached(self, after: str, limit: int) -> list[CachedRow]:
        """Cached values with keys behind `after`, in their order."""
        with self._lock:
            return self._cache.every(after, limit)

    def locks_of(self, run_ids: Collection[str], *, answered: bool = False) -> list[LockRow]:
        """The places of some runs in the queues for locks. As the port says."""
        with self._lock:
            return self._locks.of_runs(run_ids, answered=answered)

    def lock_queue(self, name: str, limit: int) -> list[LockRow]:
        """Who holds a lock, and then who waits for it, in order."""
        with self._lock:
            return self._locks.queue(name)[:limit]

    def all_locks(self, after: int, limit: int) -> list[LockRow]:
        """Places with tickets above `after`, in order."""
        with self._lock:
            return [row for row in self._locks.every() if row.ticket > after][:limit]

    def free_locks(self, now: int) -> int:
        """Give to others what runs have that nobody goes on with; how many such runs there were."""
        with self._lock:
            return self._locks.free(now)

    def _wake_for_lock(self, run_id: str) -> None:
        run = self._runs[run_id]
        if run.parked and run.row.status != "suspended":
            run.wake()

    def news(self, run_ids: Collection[str], after_event_id: int) -> News:
        """The newest event, the places of the new ones, and which of the runs are to be cancelled."""
        with self._lock:
            rows = [self._runs[run_id].row for run_id in run_ids if run_id in self._runs]
            return News(self._events.newest, cancels_of(rows), self._events.places(after_event_id))

    def deploy(self, deployment: Deployment) -> None:
        """Serve a flow by its name from now on."""
        with self._lock:
            self._programs.keep(deployment.program_digest, deployment.program, deployment.code)
            self._deployments.deploy(deployment)

    def deployments(self) -> list[Deployment]:
        """What is served, by name; `program` and `code` are left empty."""
        with self._lock:
            return self._deployments.every()

    def undeploy(self, name: str) -> bool:
        """Serve a flow no more; false when it was not served."""
        with self._lock:
            return self._deployments.undeploy(name)

    def move_cursor(self, name: str, after: int, to: int) -> bool:
        """Move the cursor of a schedule without a run, if it is at `after`; whether it was."""
        with self._lock:
            return self._deployments.move(name, after, to)

    def delete(self, run_id: str) -> frozenset[str]:
        """Remove a run that has ended; return the blobs that nothing needs now.

        Raises UnknownRun, RunNotEnded.
        """
        with self._lock:
            run = self._run(run_id)
            if run.row.status not in ENDED:
                raise RunNotEnded(
                    f"Run {run_id} is {run.row.status}; only a run that has ended can be deleted."
                )
            del self._runs[run_id]
            self._locks.drop(run_id)
            self._cache.drop(run_id)
            self._events.forget(lambda event: event.run_id == run_id)
            return frozenset(run.blobs) - self.needed(run.blobs)

    def needed(self, digests: Collection[str]) -> frozenset[str]:
        """Which of these blobs a run or a deployment refers to."""
        with self._lock:
            used = {digest for run in self._runs.values() for digest in run.blobs}
            used.update(self.actors.blobs())
            used.update(one.snapshot for one in self._deployments.every() if one.snapshot)
        return frozenset(digests) & used

    def check_references(self) -> None:
        """Memory is not damaged."""

    def call_damaged(self, after: int) -> int:  # noqa: ARG002 - the port's
        """Memory is not damaged."""
        return 0

    def sweep(self, before: int) -> Unused:
        """Remove programs that nothing refers to, and events before an instant that no run can take."""
        with self._lock:
            rows = [run.row for run in self._runs.values()]
            used = {row.program_digest for row in rows}
            used.update(one.program_digest for one in self._deployments.every())
            removed = self._programs.sweep(used)
            self._cache.sweep(before)
            takers = {row.run_id: row.events_after for row in rows if row.status not in OVER}
            floor = min(takers.values(), default=self._events.last_id)
            events = self._events.forget(
                lambda event: (
                    event.at < before
                    and (event.event_id <= floor or (event.run_id is not None and event.run_id not in takers))
                )
            )
            return Unused(removed, events)

    def faults(self) -> list[str]:
        """None: there are no files."""
        return []

    def close(self) -> None:
        """Nothing to let go of: what is stored lives as long as the object."""

    def _run(self, run_id: str) -> KeptRun:
        run = self._runs.get(run_id)
        if run is None:
            raise UnknownRun(f"There is no run {run_id} in this process.")
        return run

    def _ours(self, run_id: str, epoch: int) -> KeptRun | None:
        """A run that is held under this epoch."""
        run = self._runs.get(run_id)
        return run if run is not None and run.row.epoch == epoch and run.row.owner is not None else None

    def _wake_for_event(self, event: EventRow) -> None:
        for run in self._runs.values():
            if run.waits_for(event):
                run.wake()
