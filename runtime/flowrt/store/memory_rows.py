"""What a store in memory keeps, and the rules by which rows change. In: rows and what happens; out: rows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from flowrt.errors import StoreCorrupt
from flowrt.noun import replace
from flowrt.store.lock_rules import LOCKS_LOST
from flowrt.store.owner import alive
from flowrt.store.rows import (
    Batch,
    Deployment,
    EventRow,
    JournalRow,
    NewRun,
    Owner,
    RunRow,
    RunStatus,
    WaitRow,
)
from flowrt.store.status import ENDED

Place = tuple[str, str | None]
"""The name and the key of events."""


@dataclass(slots=True)
class KeptRun:
    """A run: its row, its journal, what it waits for when it is parked, the blobs it refers to.

    `cancel_unseen` is a request to cancel that no claim has seen yet: the run cannot be parked, it is due.
    """

    row: RunRow
    journal: list[JournalRow]
    waits: tuple[WaitRow, ...] = ()
    blobs: set[str] = field(default_factory=set[str])
    cancel_unseen: bool = False

    @property
    def parked(self) -> bool:
        """Whether it is served, nobody holds it, and it has not ended."""
        return self.row.served and self.row.owner is None and self.row.status not in ENDED

    def wake(self) -> None:
        """It is due."""
        self.row = replace(self.row, wake_at=0)

    def waits_for(self, event: EventRow) -> bool:
        """Whether it is parked and waits for such an event."""
        return (
            self.parked
            and event.run_id in (None, self.row.run_id)
            and any((wait.name, wait.key) == (event.name, event.key) for wait in self.waits)
        )

    def missed(self, inbox: Mapping[Place, Sequence[EventRow]]) -> bool:
        """Whether one of its waits has not looked at an event that it waits for."""
        return any(
            event.event_id > wait.looked and event.run_id in (None, self.row.run_id)
            for wait in self.waits
            for event in inbox.get((wait.name, wait.key), ())
        )

    def claim(self, owner: Owner, lease_until: int) -> None:
        """It is `owner`'s from now on."""
        row = self.row
        again = row.status in ENDED
        self.row = replace(
            row,
            epoch=row.epoch + 1,
            owner=owner,
            lease_until=lease_until,
            wake_at=lease_until if row.served else None,
            problem=None,
            cancel_reason=None if again else row.cancel_reason,
            cancel_force=False if again else row.cancel_force,
        )
        self.waits = ()
        self.cancel_unseen = False

    def free(self) -> bool:
        """Nobody holds it any more, and it is due, if it is served and has not ended; whether it is."""
        freed = self.row.served and self.row.status not in ENDED
        if freed:
            self.row = replace(self.row, owner=None, lease_until=0, wake_at=0)
        return freed

    def left(self, now: int) -> bool:
        """Whether it is not served, or was laid aside, and nobody goes on with it."""
        row = self.row
        if row.status in ENDED or (row.served and row.status != "suspended"):
            return False
        return row.owner is None or row.lease_until <= now or alive(row.owner) is False

    def lose(self) -> None:
        """Whoever has it is superseded."""
        row = self.row
        self.row = replace(
            row,
            epoch=row.epoch + 1,
            owner=None,
            lease_until=0,
            status="suspended",
            wake_at=None,
            problem=row.problem or LOCKS_LOST,
        )

    def release(self, status: RunStatus | None, wake_at: int | None, problem: str | None) -> None:
        """Nobody holds it any more."""
        after = self.row.status if self.row.status in ENDED else status or self.row.status
        if not self.row.served or after in ENDED:
            due = None
        elif self.cancel_unseen:
            due = 0
        else:
            due = None if after == "suspended" else wake_at
        self.row = replace(self.row, owner=None, lease_until=0, status=after, wake_at=due, problem=problem)

    def _due_after(self, status: RunStatus) -> int | None:
        """When it is due if nothing else happens: while it is owned, when its lease ends."""
        row = self.row
        if not row.served or status in ENDED:
            return None
        return row.wake_at if row.owner is None else row.lease_until

    def advance(self, batch: Batch) -> None:
        """Append a batch; with `park`, nobody holds the run any more."""
        row = self.row
        self.journal += [
            JournalRow(seq, batch.epoch, data) for seq, data in enumerate(batch.records, batch.first_seq)
        ]
        self.blobs.update(batch.blobs)
        # A run that goes on after its end has not ended.
        goes_on = batch.status is not None and batch.status not in ENDED
        status = batch.status or row.status
        self.row = replace(
            row,
            head=batch.first_seq + len(batch.records),
            status=status,
            started_at=row.started_at if batch.started_at is None else batch.started_at,
            ended_at=None if goes_on else row.ended_at if batch.ended_at is None else batch.ended_at,
            wake_at=self._due_after(status),
            head_seal=batch.head_seal or row.head_seal,
        )
        if batch.park is None:
            return
        self.row = replace(self.row, owner=None, lease_until=0)
        if self.parked:
            self.row = replace(self.row, wake_at=0 if self.cancel_unseen else batch.park.wake_at)
            self.waits = tuple(batch.park.waits)
        else:
            self.row = replace(self.row, wake_at=None)


def new_row(run: NewRun, events_after: int) -> RunRow:
    """The row of a run that is created when `events_after` is the newest event."""
    return RunRow(
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
        served=run.served,
        wake_at=run.created_at if run.served else None,
        events_after=events_after,
        snapshot=run.snapshot,
        seal=run.seal,
        head_seal=run.head_seal,
    )


def was_written(run: KeptRun, batch: Batch) -> bool:
    """Whether a batch is in its journal already; False when its epoch is superseded. Raises StoreCorrupt."""
    there = run.journal[batch.first_seq : batch.first_seq + len(batch.records)]
    same = bool(batch.records) and [(row.epoch, row.data) for row in there] == [
        (batch.epoch, data) for data in batch.records
    ]
    if not same and run.row.epoch == batch.epoch:
        raise StoreCorrupt(
            f"The journal of run {batch.run_id} has {run.row.head} records under the epoch of its owner, "
            f"whose next record is number {batch.first_seq}."
        )
    return same


def stripped(deployment: Deployment) -> Deployment:
    """A deployment without its program, as it is listed."""
    return replace(
        deployment,
        program=b"",
        code={},
        labels=dict(deployment.labels),
        versions=dict(deployment.versions),
        python_path=tuple(deployment.python_path),
    )


def keep_only(there: dict[str, bytes], used: Collection[str]) -> int:
    """Remove what is not used; return how many."""
    unused = [digest for digest in there if digest not in used]
    for digest in unused:
        del there[digest]
    return len(unused)


def kept(there: Mapping[str, bytes], digest: str, what: str) -> bytes:
    """The bytes of a digest. Raises StoreCorrupt."""
    data = there.get(digest)
    if data is None:
        raise StoreCorrupt(f"The {what} {digest} is missing from this process's store.")
    return data
