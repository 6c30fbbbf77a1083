"""The nouns of a store: what is handed to it and what it gives back. In: nothing; out: data.

Instants are whole microseconds since 1970-01-01 UTC. What becomes of them is said in `flowrt.store.port`.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

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
    is due at once when such an event was accepted after the wait looked; so it is when one of the steps in
    `locks`, which wait for locks, has got its own. A run that has ended has none of these.
    """

    wake_at: int | None = None
    waits: Sequence[WaitRow] = ()
    locks: Sequence[str] = ()


@noun
class LockRequest:
    """A lock that a step asks for.

    `at` is when it asks: it tells whose lease is over among those that it would wait for in a circle.
    """

    step: str
    name: str
    limit: int
    seal: bytes = b""
    at: int = 0


@noun
class LockRow:
    """A place in the queue for a lock: those with smaller tickets asked before.

    `granted`: the run has the lock. `problem` says why it will never come.
    """

    ticket: int
    name: str
    run_id: str
    step: str
    limit: int
    granted: bool
    problem: str | None
    seal: bytes = b""


@noun
class NewCached:
    """A value to be taken over by others: its key, the encoded handle, until when (None: for ever)."""

    key: str
    value: bytes
    made_at: int
    expires_at: int | None


@noun
class CachedRow:
    """A value that a run has made, and others may take over."""

    key: str
    run_id: str
    value: bytes
    made_at: int
    expires_at: int | None


@noun
class ActorChange:
    """What a call of a method has made of the state of its object, which was at `version` before (0: none).

    `name` is that of the lock under which it was called. `state` is the encoded handle of the new state, and
    `blob` the digest of its blob, if it is one.
    """

    name: str
    version: int
    state: bytes
    blob: str | None
    step: str
    at: int


@noun
class ActorRow:
    """The state of an object, and the run and step that made it what it is."""

    name: str
    version: int
    state: bytes
    blob: str | None
    run_id: str
    step: str
    at: int


@noun
class Batch:
    """What one run appends in one transaction.

    `first_seq` is the number of the first record and must equal the run's head. In the same transaction
    `events` are sent, and the runs in `creates` made unless they are there. `status`, `started_at` and
    `ended_at` are written when not None. `blobs` are the digests of the blobs that the records refer to.
    The locks in `locks` are asked for, unless their steps have asked; those of the steps in `unlocks` are
    given back, and go to who waits. What is `cached` may be taken over by other runs. `actors` are changed,
    each of which must be at the version that the change begins from.
    With `park` the run is let go. `head_seal` authenticates the new head.
    """

    run_id: str
    epoch: int
    first_seq: int
    records: Sequence[bytes]
    events: Sequence[NewEvent] = ()
    creates: Sequence[NewRun] = ()
    locks: Sequence[LockRequest] = ()
    unlocks: Sequence[str] = ()
    cached: Sequence[NewCached] = ()
    actors: Sequence[ActorChange] = ()
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


@noun
class BlobFacts:
    """A blob as its place lists it: `at` is when it was last put, in microseconds."""

    digest: str
    size: int
    at: int
