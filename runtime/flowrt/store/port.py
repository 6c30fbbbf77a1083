"""The port of a store: every durable fact of flowrt goes through these two protocols.

A `Store` keeps runs, their journals, programs and events. A `Blobs` keeps large encoded values by
content. Whatever a method of a `Store` writes is durable when it returns, or it raises and has changed
nothing. Instants are whole microseconds since 1970-01-01 UTC.

Ownership. A run is claimed before it is written. Each claim raises the run's epoch; every append is
conditional on the epoch (safety: a superseded owner can commit nothing), while the lease only says
whether the owner is believed to be alive (liveness).
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
    tells whether a run of the same id is the same run.
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


@noun
class RunRow:
    """What the store knows of a run without reading its journal.

    `status` is what the last owner wrote. `owner` and `lease_until` are those of the last claim that
    was not released. `head` is the number of records. `cancel_reason` is set by `request_cancel`.
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
class Batch:
    """What one run appends in one transaction.

    `first_seq` is the number of the first record and must equal the run's head. `events` are sent in
    the same transaction. `status`, `started_at` and `ended_at` are written when not None.
    """

    run_id: str
    epoch: int
    first_seq: int
    records: Sequence[bytes]
    events: Sequence[NewEvent] = ()
    status: RunStatus | None = None
    started_at: int | None = None
    ended_at: int | None = None


@noun
class JournalRow:
    """One record as stored: its number, the epoch that wrote it, its bytes."""

    seq: int
    epoch: int
    data: bytes


@noun
class News:
    """What happened outside since the last look: the newest event, runs that are to be cancelled."""

    last_event_id: int
    cancels: Mapping[str, str]


class Store(Protocol):
    """Runs, journals, programs and events. Errors are those of `flowrt.errors`."""

    def create(self, run: NewRun) -> None:
        """Create a run. Raises RunExists."""
        ...

    def claim(self, run_id: str, owner: Owner, now: int, lease_until: int) -> int:
        """Take a run and return its new epoch.

        A run that has ended is taken to go on behind its end: a request to cancel it is over.
        A run that another owner holds is taken only when that lease has run out, or when the owner was
        a process of this machine and boot that lives no more. Raises UnknownRun, RunOwned.
        """
        ...

    def renew(self, held: Mapping[str, int], lease_until: int) -> frozenset[str]:
        """Extend the leases of runs by id and epoch; return those that are no longer ours."""
        ...

    def release(self, run_id: str, epoch: int, status: RunStatus | None = None) -> None:
        """Give a run up and set its status, if the epoch is still ours; else do nothing."""
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

    def events(
        self, name: str, key: str | None, run_id: str, since: int, after_id: int, limit: int
    ) -> list[EventRow]:
        """Events of that name and key for a run, accepted at or after `since`, oldest first.

        Only those with a number above `after_id`. An event that is addressed to another run is left
        out. A key of None matches events without a key.
        """
        ...

    def request_cancel(self, run_id: str, reason: str) -> None:
        """Note that a run is to be cancelled; its owner, or the next one, acts on it."""
        ...

    def news(self, run_ids: Collection[str]) -> News:
        """A cheap look at what happened outside; called several times a second."""
        ...

    def close(self) -> None:
        """Let go of connections and files."""
        ...


class Blobs(Protocol):
    """Encoded values by the SHA-256 of their bytes. Objects are sent to workers: picklable."""

    def put(self, parts: Sequence[bytes | memoryview]) -> tuple[str, int]:
        """Store the concatenation of `parts` durably; return its digest (hex) and size in bytes."""
        ...

    def get(self, digest: str) -> bytes:
        """The bytes of a digest, verified. Raises StoreCorrupt when absent or altered."""
        ...
