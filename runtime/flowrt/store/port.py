"""The port of a store: every durable fact of flowrt goes through these two protocols.

A `Store` keeps runs, their journals, programs and events. A `Blobs` keeps large encoded values by
content. Whatever a method of a `Store` writes is durable when it returns, or it raises and has changed
nothing. Instants are whole microseconds since 1970-01-01 UTC.

Ownership. A run is claimed before it is written. Each claim raises the run's epoch; every append is
conditional on the epoch (safety: a superseded owner can commit nothing), while the lease only says
whether the owner is believed to be alive (liveness).

Served runs. A run that is `served` belongs to whoever serves the store: `claim_due` hands out those that
are due. One that only waits is parked: it has no owner, and stands in the store as the instant at which
it wants to be looked at (`wake_at`) and the events that it waits for. An event that one of them waits for
makes it due at once, in the transaction that accepts the event. While a served run is owned, its
`wake_at` is the end of its lease: what a dead engine held becomes due by itself.

Events are numbered in the order in which they are accepted: of two events of a store, the one that
becomes visible first has the smaller number. A run sees the events that were accepted after it was
created, by number and not by anybody's clock.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal, Protocol

from flowrt.noun import noun

RunStatus = Literal["pending", "running", "waiting", "succeeded", "failed", "cancelled", "suspended"]


@noun
class Owner:
    """Who holds a run: enough to tell on the same machine whether the process is alive."""

    host: str
    boot: str
    pid: int
    started: str
    token: str


@noun
class NewRun:
    """A run to be created. `first` is its encoded `Started` record, number 0 of its journal.

    `inputs_digest` is the digest of the inputs as the author gave them: with the program's digest it
    tells whether a run of the same id is the same run. `snapshot` is the digest of the code that was
    packed for it (see `flowrt.snapshot`), `blobs` are the digests that its inputs and snapshot refer to,
    `seal` authenticates all of it, `head_seal` that there is one record (see `flowrt.store.sealed`).
    """

    run_id: str
    flow: str
    program_digest: str
    program: bytes
    code: Mapping[str, bytes]
    inputs_digest: str
    first: bytes
    labels: Mapping[str, str]
    versions: Mapping[str, str]
    python_path: Sequence[str]
    created_at: int
    served: bool = False
    snapshot: str | None = None
    blobs: Sequence[str] = ()
    seal: bytes = b""
    head_seal: bytes = b""


@noun
class Slot:
    """The instant of a schedule for which a run is created: the schedule moves from `after` to `at`."""

    schedule: str
    after: int
    at: int


@noun
class RunRow:
    """What the store knows of a run without reading its journal.

    `status` is what the last owner wrote. `owner` and `lease_until` are those of the last claim that
    was not released. `head` is the number of records. `cancel_reason` is set by `request_cancel`.
    `wake_at` is when a served run is due; None when only an event, or a person, can make it due.
    `events_after` is the number of the newest event when the run was created. `problem` says why an
    engine has laid the run aside. `head_seal` authenticates `head`.
    """

    run_id: str
    flow: str
    status: RunStatus
    program_digest: str
    inputs_digest: str
    labels: Mapping[str, str]
    versions: Mapping[str, str]
    python_path: Sequence[str]
    created_at: int
    started_at: int | None
    ended_at: int | None
    head: int
    epoch: int
    owner: Owner | None
    lease_until: int
    cancel_reason: str | None
    cancel_force: bool = False
    served: bool = False
    wake_at: int | None = None
    events_after: int = 0
    snapshot: str | None = None
    problem: str | None = None
    seal: bytes = b""
    head_seal: bytes = b""


@noun
class NewEvent:
    """An event on its way in. `run_id` addresses it to one run; `dedupe` names it for ever."""

    name: str
    key: str | None
    payload: bytes
    at: int
    run_id: str | None = None
    dedupe: str | None = None


@noun
class EventRow:
    """An accepted event; `event_id` grows in order of acceptance."""

    event_id: int
    name: str
    key: str | None
    payload: bytes
    at: int
    run_id: str | None


@noun
class WaitRow:
    """A wait of a parked run: for which events, and the number of the last one it was held against."""

    name: str
    key: str | None
    looked: int


@noun
class Park:
    """How a run is let go in the transaction of its last append: it has no owner from then on.

    `wake_at` is when it is due, None when only one of the events that it waits for makes it due. The run
    is due at once when such an event was accepted after the wait looked. A run that has ended has neither.
    """

    wake_at: int | None = None
    waits: Sequence[WaitRow] = ()


@noun
class Batch:
    """What one run appends in one transaction.

    `first_seq` is the number of the first record and must equal the run's head. `events` are sent in
    the same transaction. `status`, `started_at` and `ended_at` are written when not None. `blobs` are the
    digests of the blobs that the records refer to. With `park` the run is let go. `head_seal`
    authenticates the new head.
    """

    run_id: str
    epoch: int
    first_seq: int
    records: Sequence[bytes]
    events: Sequence[NewEvent] = ()
    status: RunStatus | None = None
    started_at: int | None = None
    ended_at: int | None = None
    blobs: Sequence[str] = ()
    park: Park | None = None
    head_seal: bytes = b""


@noun
class JournalRow:
    """One record as stored: its number, the epoch that wrote it, its bytes."""

    seq: int
    epoch: int
    data: bytes


@noun
class Cancel:
    """A request to cancel a run; `force`: without the time that tasks have to end by themselves."""

    reason: str
    force: bool = False


@noun
class News:
    """What happened outside since the last look.

    `last_event_id` is the newest event. `cancels` are runs to be cancelled. `places` are the names and
    keys of the events after the number that was asked about; None when there were too many to tell.
    """

    last_event_id: int
    cancels: Mapping[str, Cancel]
    places: frozenset[tuple[str, str | None]] | None = None


@noun
class Deployment:
    """A flow that a store serves by name: what a run of it is created from, and its schedule.

    `schedule` is the JSON of `flowrt.schedule`, None for a flow without one. `cursor` is the last slot
    that was dealt with, in microseconds.
    """

    name: str
    program_digest: str
    program: bytes
    code: Mapping[str, bytes]
    labels: Mapping[str, str]
    versions: Mapping[str, str]
    python_path: Sequence[str]
    snapshot: str | None
    schedule: str | None
    cursor: int
    deployed_at: int
    seal: bytes = b""


@noun
class Unused:
    """What `sweep` removed: programs and callables that no run has, events that no run can take."""

    programs: int
    events: int


class Store(Protocol):
    """Runs, journals, programs and events. Errors are those of `flowrt.errors`."""

    def create(self, run: NewRun, slot: Slot | None = None) -> None:
        """Create a run; with `slot`, move the cursor of its schedule in the same transaction.

        Raises RunExists, and SlotTaken when the cursor is not at `slot.after`: then nothing was done.
        """
        ...

    def claim(self, run_id: str, owner: Owner, now: int, lease_until: int) -> int:
        """Take a run and return its new epoch.

        A run that has ended is taken to go on behind its end: a request to cancel it is over.
        A run that another owner holds is taken only when that lease has run out, or when the owner was
        a process of this machine and boot that lives no more. Raises UnknownRun, RunOwned.
        """
        ...

    def claim_due(
        self, owner: Owner, now: int, lease_until: int, limit: int, ahead: int = 0
    ) -> list[RunRow]:
        """Take up to `limit` served runs whose `wake_at` has come, the earliest first.

        A run that nobody has is taken `ahead` microseconds before that.
        The rows are as they are after the claim, with their new epochs. Two engines that ask at the same
        time get different runs, and neither waits for the other.
        """
        ...

    def free_dead(self) -> int:
        """Make due at once what served runs are held by processes of this machine that live no more."""
        ...

    def renew(self, held: Mapping[str, int], lease_until: int) -> frozenset[str]:
        """Extend the leases of runs by id and epoch; return those that are no longer ours."""
        ...

    def release(
        self,
        run_id: str,
        epoch: int,
        status: RunStatus | None = None,
        *,
        wake_at: int | None = None,
        problem: str | None = None,
    ) -> None:
        """Give a run up and set its status, if the epoch is still ours; else do nothing.

        A run that has ended keeps the status with which it has.
        `wake_at` is when a served run is due again (0: at once), `problem` why it was laid aside.
        """
        ...

    def serve(self, run_id: str, now: int) -> None:
        """Hand a run to whoever serves the store: it is `served`, and due at `now`. Raises UnknownRun."""
        ...

    def reopen(
        self, run_id: str, epoch: int, python_path: Sequence[str], snapshot: str | None, seal: bytes
    ) -> None:
        """Give a run that is ours other code to go on with, if the epoch is still ours."""
        ...

    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        """Append to several runs in one transaction; return the runs whose epoch is superseded.

        The batches of superseded runs are left out, the others are durable on return.
        Raises StoreUnavailable when nothing was written (disk full, I/O error, lost connection).
        """
        ...

    def journal(self, run_id: str, first_seq: int = 0) -> Iterator[JournalRow]:
        """The records of a run in order. Raises UnknownRun, StoreCorrupt."""
        ...

    def journals(self, run_ids: Collection[str]) -> Mapping[str, Sequence[JournalRow]]:
        """The journals of several runs at once; those that are long, or damaged, are left out."""
        ...

    def run(self, run_id: str) -> RunRow:
        """One run. Raises UnknownRun."""
        ...

    def runs(
        self,
        status: Collection[RunStatus] | None = None,
        flow: str | None = None,
        limit: int | None = None,
    ) -> list[RunRow]:
        """Runs, the newest first."""
        ...

    def program(self, digest: str) -> bytes:
        """The encoded program of that digest. Raises StoreCorrupt when it is not there."""
        ...

    def code(self, digest: str) -> bytes:
        """The pickled callable of that digest. Raises StoreCorrupt when it is not there."""
        ...

    def send(self, event: NewEvent) -> int:
        """Accept an event and return its number; the same number again for the same dedupe id.

        Raises UnknownRun for an event that is addressed to a run that does not exist.
        """
        ...

    def send_all(self, events: Sequence[NewEvent]) -> list[int]:
        """Accept several events in one transaction: all or none. As `send` for each."""
        ...

    def events(self, name: str, key: str | None, run_id: str, after_id: int, limit: int) -> list[EventRow]:
        """Events of that name and key for a run with a number above `after_id`, oldest first.

        An event that is addressed to another run is left out. A key of None matches events without a key.
        """
        ...

    def all_events(self, after_id: int, limit: int) -> list[EventRow]:
        """Events of every name with a number above `after_id`, oldest first. Raises StoreCorrupt."""
        ...

    def request_cancel(self, run_id: str, reason: str, *, force: bool = False) -> None:
        """Note that a run is to be cancelled; its owner, or the next one, acts on it.

        A parked run becomes due. The first reason stays; a later request may add force.
        """
        ...

    def news(self, run_ids: Collection[str], after_event_id: int) -> News:
        """A cheap look at what happened outside; called several times a second."""
        ...

    def deploy(self, deployment: Deployment) -> None:
        """Serve a flow by its name from now on.

        One that is served already is replaced, and its cursor stays if its schedule is the same.
        """
        ...

    def deployments(self) -> list[Deployment]:
        """What is served, by name; `program` and `code` are left empty (ask for them by digest)."""
        ...

    def undeploy(self, name: str) -> bool:
        """Serve a flow no more; false when it was not served. Its runs go on."""
        ...

    def move_cursor(self, name: str, after: int, to: int) -> bool:
        """Move the cursor of a schedule without a run, if it is at `after`; whether it was."""
        ...

    def delete(self, run_id: str) -> frozenset[str]:
        """Remove a run that has ended, and all that is its own; return the blobs that nothing needs now.

        Raises UnknownRun, RunNotEnded.
        """
        ...

    def needed(self, digests: Collection[str]) -> frozenset[str]:
        """Which of these blobs a run or a deployment refers to."""
        ...

    def sweep(self, before: int) -> Unused:
        """Remove programs that nothing refers to, and events accepted before `before` that no run can take.

        An event stays as long as a run that was created before it may still go on.
        """
        ...

    def faults(self) -> list[str]:
        """What the database itself finds wrong with its files; a long look."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...


@noun
class BlobFacts:
    """A blob as its place lists it: `at` is when it was last put, in microseconds."""

    digest: str
    size: int
    at: int


class Blobs(Protocol):
    """Encoded values by the SHA-256 of their bytes. Objects are sent to workers: picklable."""

    def put(self, parts: Sequence[bytes | memoryview]) -> tuple[str, int]:
        """Store the concatenation of `parts` durably; return its digest (hex) and size in bytes.

        What is there already is not written again, unless it is so old that it may be on its way out.
        """
        ...

    def get(self, digest: str) -> bytes:
        """The bytes of a digest, verified. Raises StoreCorrupt when absent or altered."""
        ...

    def every(self) -> Iterator[BlobFacts]:
        """All that is there, in no order; what else lies in the place is left out."""
        ...

    def remove(self, digest: str, put_before: int) -> bool:
        """Remove a blob that was last put before an instant; false when it is absent or younger."""
        ...

    def sweep(self, before: int) -> int:
        """Remove what puts that came to no end left behind before an instant; how many there were."""
        ...
