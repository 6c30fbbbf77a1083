"""A store in this process's memory, with the promises of the durable ones except durability.

In: the calls of `flowrt.store.port`; out: what a database would answer. For tests, and for flows whose
runs need not outlive the process. The threads of the process may share it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import RLock

from flowrt.errors import RunExists, StoreCorrupt, UnknownRun
from flowrt.run_id import check_run_id
from flowrt.store.ownership import check_free
from flowrt.store.port import Batch, EventRow, JournalRow, NewEvent, NewRun, News, Owner, RunRow, RunStatus
from flowrt.store.status import ENDED


@dataclass(slots=True)
class _Run:
    row: RunRow
    journal: list[JournalRow] = field(default_factory=list[JournalRow])


class MemoryStore:
    """Runs, journals, programs and events in dicts."""

    def __init__(self) -> None:
        """Begin empty."""
        self._runs: dict[str, _Run] = {}
        self._programs: dict[str, bytes] = {}
        self._code: dict[str, bytes] = {}
        self._events: list[EventRow] = []
        self._dedupe: dict[str, int] = {}
        self._lock = RLock()

    def create(self, run: NewRun) -> None:
        """Create a run. Raises RunExists, BadRunId."""
        check_run_id(run.run_id)
        with self._lock:
            if run.run_id in self._runs:
                raise RunExists(f"Run {run.run_id} exists already in this process. Use another id.")
            self._programs.setdefault(run.program_digest, run.program)
            self._code.update(run.code)
            row = RunRow(
                run_id=run.run_id,
                flow=run.flow,
                status="pending",
                program_digest=run.program_digest,
                inputs_digest=run.inputs_digest,
                labels=dict(run.labels),
                versions=dict(run.versions),
                python_path=tuple(run.python_path),
                created_at=run.created_at,
                started_at=None,
                ended_at=None,
                head=1,
                epoch=0,
                owner=None,
                lease_until=0,
                cancel_reason=None,
            )
            self._runs[run.run_id] = _Run(row, [JournalRow(0, 0, run.first)])

    def claim(self, run_id: str, owner: Owner, now: int, lease_until: int) -> int:
        """Take a run and return its new epoch. Raises UnknownRun, RunOwned."""
        with self._lock:
            run = self._run(run_id)
            check_free(run_id, run.row.owner, run.row.lease_until, owner, now)
            reason = None if run.row.status in ENDED else run.row.cancel_reason
            epoch = run.row.epoch + 1
            run.row = replace(
                run.row, epoch=epoch, owner=owner, lease_until=lease_until, cancel_reason=reason
            )
            return epoch

    def renew(self, held: Mapping[str, int], lease_until: int) -> frozenset[str]:
        """Extend the leases of runs by id and epoch; return those that are no longer ours."""
        lost: set[str] = set()
        with self._lock:
            for run_id, epoch in held.items():
                run = self._runs.get(run_id)
                if run is None or run.row.epoch != epoch or run.row.owner is None:
                    lost.add(run_id)
                else:
                    run.row = replace(run.row, lease_until=lease_until)
        return frozenset(lost)

    def release(self, run_id: str, epoch: int, status: RunStatus | None = None) -> None:
        """Give a run up and set its status, if the epoch is still ours; else do nothing."""
        with self._lock:
            run = self._runs.get(run_id)
            if run is not None and run.row.epoch == epoch:
                run.row = replace(run.row, owner=None, lease_until=0, status=status or run.row.status)

    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        """Append to several runs at once; return the runs whose epoch is superseded."""
        superseded: set[str] = set()
        with self._lock:
            for batch in batches:
                run = self._runs.get(batch.run_id)
                if run is None or run.row.epoch != batch.epoch:
                    superseded.add(batch.run_id)
                    continue
                if run.row.head != batch.first_seq:
                    there = [row.data for row in run.journal[batch.first_seq :]]
                    assert there == list(batch.records), (
                        f"run {batch.run_id} has {run.row.head} records; "
                        f"a batch of its own epoch begins at {batch.first_seq}"
                    )
                    continue
                run.journal += [
                    JournalRow(seq, batch.epoch, data)
                    for seq, data in enumerate(batch.records, batch.first_seq)
                ]
                run.row = _advanced(run.row, batch)
                for event in batch.events:
                    self._accept(event)
        return frozenset(superseded)

    def journal(self, run_id: str, first_seq: int = 0) -> Iterator[JournalRow]:
        """The records of a run in order, as far as they go now. Raises UnknownRun."""
        with self._lock:
            return iter(self._run(run_id).journal[first_seq:])

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
            newest = sorted((run.row for run in reversed(self._runs.values())), key=_created_at, reverse=True)
        found = [
            row
            for row in newest
            if (status is None or row.status in status) and (flow is None or row.flow == flow)
        ]
        return found[:limit]

    def program(self, digest: str) -> bytes:
        """The encoded program of that digest. Raises StoreCorrupt."""
        return _kept(self._programs, digest, "program")

    def code(self, digest: str) -> bytes:
        """The pickled callable of that digest. Raises StoreCorrupt."""
        return _kept(self._code, digest, "callable")

    def send(self, event: NewEvent) -> int:
        """Accept an event and return its number. Raises UnknownRun."""
        with self._lock:
            if event.run_id is not None:
                self._run(event.run_id)
            return self._accept(event)

    def events(
        self, name: str, key: str | None, run_id: str, since: int, after_id: int, limit: int
    ) -> list[EventRow]:
        """Events of that name and key for a run, accepted at or after `since`, oldest first."""
        with self._lock:
            found = [
                event
                for event in self._events[max(after_id, 0) :]
                if (event.name, event.key) == (name, key)
                and event.at >= since
                and event.run_id in (None, run_id)
            ]
        return found[:limit]

    def request_cancel(self, run_id: str, reason: str) -> None:
        """Note that a run is to be cancelled, unless it has ended; the first reason stays."""
        with self._lock:
            run = self._run(run_id)
            if run.row.cancel_reason is None and run.row.status not in ENDED:
                run.row = replace(run.row, cancel_reason=reason)

    def news(self, run_ids: Collection[str]) -> News:
        """The newest event, and which of the runs are to be cancelled."""
        with self._lock:
            rows = [self._runs[run_id].row for run_id in run_ids if run_id in self._runs]
            cancels = {
                row.run_id: row.cancel_reason
                for row in rows
                if row.cancel_reason is not None and row.status not in ENDED
            }
            return News(len(self._events), cancels)

    def close(self) -> None:
        """Nothing to let go of: what is stored lives as long as the object."""

    def _run(self, run_id: str) -> _Run:
        run = self._runs.get(run_id)
        if run is None:
            raise UnknownRun(f"There is no run {run_id} in this process.")
        return run

    def _accept(self, event: NewEvent) -> int:
        known = None if event.dedupe is None else self._dedupe.get(event.dedupe)
        if known is not None:
            return known
        number = len(self._events) + 1
        self._events.append(EventRow(number, event.name, event.key, event.payload, event.at, event.run_id))
        if event.dedupe is not None:
            self._dedupe[event.dedupe] = number
        return number


def _advanced(row: RunRow, batch: Batch) -> RunRow:
    # A run that goes on after its end has not ended.
    goes_on = batch.status is not None and batch.status not in ENDED
    ended_at = None if goes_on else row.ended_at if batch.ended_at is None else batch.ended_at
    return replace(
        row,
        head=batch.first_seq + len(batch.records),
        status=batch.status or row.status,
        started_at=row.started_at if batch.started_at is None else batch.started_at,
        ended_at=ended_at,
    )


def _created_at(row: RunRow) -> int:
    return row.created_at


def _kept(kept: Mapping[str, bytes], digest: str, what: str) -> bytes:
    data = kept.get(digest)
    if data is None:
        raise StoreCorrupt(f"The {what} {digest} is missing from this process's store.")
    return data
