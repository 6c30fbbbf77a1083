"""A run that an engine owns: its state, and the records between the core and the store.

The journal's order is the order of application. A record is noted, appended, and applied. What came
from outside (a task's result, an event, a timer, a sample) is applied once it is durable: nobody sees it
before. What the engine computed itself (a pure value, a condition) follows from durable records and
would come out the same after a crash; it is applied at once, if nothing noted before it still waits, and
is appended with the next flush.

An engine may be interrupted between any two of its instructions, by Ctrl-C. So what is noted is one
entry, with its number and the event that it sends, and `pending` is emptied by one assignment: whatever
`pending` holds can always be appended as it stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flowrt.core.state import State
from flowrt.encoding.pack import encode_record
from flowrt.executor.port import AttemptKey, RunFacts
from flowrt.program import Program
from flowrt.record import CancelRequested, Ended, Record, Reopened, Started, digests_of
from flowrt.store.rows import (
    ActorChange,
    Batch,
    Cancel,
    LockRequest,
    NewCached,
    NewEvent,
    NewRun,
    Park,
    RunStatus,
)


@dataclass(frozen=True, slots=True)
class Along:
    """What else is done in the transaction of a record."""

    event: NewEvent | None = None
    child: NewRun | None = None
    lock: LockRequest | None = None
    unlocks: tuple[str, ...] = ()
    cached: NewCached | None = None
    actor: ActorChange | None = None


NOTHING = Along()


@dataclass(frozen=True, slots=True)
class Noted:
    """A record that is not durable yet, its number, and what else is done in its transaction."""

    seq: int
    record: Record
    along: Along


@dataclass(slots=True)
class ActiveRun:
    """A run under its epoch.

    `head` is the number of the next record to be noted. Of what is `pending`, the first `applied`
    records have been applied; `answered` are the steps of the others. `in_flight` are the attempts that
    an executor holds, by step. `parking` is how the run is to be let go with the next flush; a record that
    is noted before that keeps it here. `requests` are locks that are asked for without a record.
    `places` are the steps that have a place in a queue for a lock, `given_back` the locks that go to others
    with the next flush. `let_go`: the store has it as nobody's.
    """

    run_id: str
    epoch: int
    program: Program
    facts: RunFacts
    state: State
    head: int
    status: RunStatus
    events_after: int = 0
    versions: Mapping[str, str] = field(default_factory=dict[str, str])
    cancel: Cancel | None = None
    served: bool = False
    pending: list[Noted] = field(default_factory=list[Noted])
    applied: int = 0
    answered: set[str] = field(default_factory=set[str])
    in_flight: dict[str, AttemptKey] = field(default_factory=dict[str, AttemptKey])
    wanted_status: RunStatus | None = None
    places: set[str] = field(default_factory=set[str])
    given_back: set[str] = field(default_factory=set[str])
    parking: Park | None = None
    requests: tuple[LockRequest, ...] = ()
    let_go: bool = False

    def note(self, record: Record, *, follows: bool = False, along: Along = NOTHING) -> None:
        """Take a record in. `follows`: it says only what would be computed again in the same way."""
        seq = self.head
        self.head += 1
        self.parking = None
        at_once = follows and self.applied == len(self.pending)
        if not isinstance(record, Started | CancelRequested | Reopened | Ended):
            if not at_once:
                self.answered.add(record.step)
            if self.state.ends_turn(record):
                self.places.discard(record.step)
                along = replace(along, unlocks=(*along.unlocks, record.step))
        self.given_back.update(filter(None, map(self.state.lock_name, along.unlocks)))
        self.pending.append(Noted(seq, record, along))
        if at_once:
            self.applied += 1
            self.state.apply(record, seq)

    def batch(self) -> Batch:
        """What is to be appended."""
        started, along = self.state.started, [noted.along for noted in self.pending]
        ended = next((noted.record for noted in self.pending if isinstance(noted.record, Ended)), None)
        status: RunStatus | None = ended.status if ended else self.wanted_status
        return Batch(
            run_id=self.run_id,
            epoch=self.epoch,
            first_seq=self.pending[0].seq if self.pending else self.head,
            records=[encode_record(noted.record) for noted in self.pending],
            events=tuple(one.event for one in along if one.event is not None),
            creates=tuple(one.child for one in along if one.child is not None),
            locks=(*self.requests, *(one.lock for one in along if one.lock is not None)),
            unlocks=tuple(step for one in along for step in one.unlocks),
            cached=tuple(one.cached for one in along if one.cached is not None),
            actors=tuple(one.actor for one in along if one.actor is not None),
            status=status,
            started_at=started.at if started and status == "running" else None,
            ended_at=ended.at if ended else None,
            blobs=[digest for noted in self.pending for digest in digests_of(noted.record)],
            park=Park() if ended else self.parking,
        )

    def flushed(self) -> None:
        """What was pending is durable: apply the rest of it."""
        rest = self.pending[self.applied :]
        gone = self.parking is not None or any(isinstance(n.record, Ended) for n in self.pending)
        self.let_go, self.parking = self.let_go or gone, None
        self.pending = []
        self.requests = ()
        self.applied = 0
        self.answered.clear()
        self.given_back = set()
        if self.wanted_status is not None:
            self.status, self.wanted_status = self.wanted_status, None
        for noted in rest:
            self.state.apply(noted.record, noted.seq)

    @property
    def stirs(self) -> bool:
        """Whether others may wait for what is to be flushed: events, runs that are made."""
        along = (noted.along for noted in self.pending if noted.along is not NOTHING)
        return any(one.event is not None or one.child is not None for one in along)

    @property
    def dirty(self) -> bool:
        """Whether there is anything to flush."""
        return (
            bool(self.pending or self.requests) or self.wanted_status is not None or self.parking is not None
        )


def cancel_noted(run: ActiveRun) -> bool:
    """Whether the request to cancel is in the journal, or on its way."""
    return run.state.cancel_requested or any(isinstance(n.record, CancelRequested) for n in run.pending)
