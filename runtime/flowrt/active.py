"""A run that an engine owns: its state, and the records between the core and the store.

The journal's order is the order of application. A record is noted, appended, and applied. What came
from outside (a task's result, an event, a timer, a sample) is applied once it is durable: nobody sees it
before. What the engine computed itself (a pure value, a condition) follows from durable records and
would come out the same after a crash; it is applied at once, if nothing noted before it still waits, and
is appended with the next flush.
"""

from dataclasses import dataclass, field

from flowrt.executor.port import AttemptKey, RunFacts
from flowrt.pack import encode_record
from flowrt.program import Program
from flowrt.record import CancelRequested, Ended, Record
from flowrt.state import State
from flowrt.store.port import Batch, NewEvent, RunStatus


@dataclass(slots=True)
class ActiveRun:
    """A run under its epoch.

    `head` is the number of the next record to be noted. `pending` are records that are not durable
    yet, of which the first `applied` have been applied. `in_flight` are the attempts that an executor
    holds, by step.
    """

    run_id: str
    epoch: int
    program: Program
    facts: RunFacts
    state: State
    head: int
    status: RunStatus
    cancel_reason: str | None = None
    pending: list[Record] = field(default_factory=list[Record])
    events: list[NewEvent] = field(default_factory=list[NewEvent])
    applied: int = 0
    in_flight: dict[str, AttemptKey] = field(default_factory=dict[str, AttemptKey])
    wanted_status: RunStatus | None = None

    def note(self, record: Record, *, follows: bool = False, event: NewEvent | None = None) -> None:
        """Take a record in. `follows`: it says only what would be computed again in the same way."""
        self.pending.append(record)
        if event is not None:
            self.events.append(event)
        self.head += 1
        if follows and self.applied == len(self.pending) - 1:
            self.state.apply(record, self.head - 1)
            self.applied += 1

    def batch(self) -> Batch:
        """What is to be appended."""
        started = self.state.started
        ended = next((record for record in self.pending if isinstance(record, Ended)), None)
        status: RunStatus | None = ended.status if ended else self.wanted_status
        return Batch(
            run_id=self.run_id,
            epoch=self.epoch,
            first_seq=self.head - len(self.pending),
            records=[encode_record(record) for record in self.pending],
            events=tuple(self.events),
            status=status,
            started_at=started.at if started and status == "running" else None,
            ended_at=ended.at if ended else None,
        )

    def flushed(self) -> None:
        """What was pending is durable: apply the rest of it."""
        seq = self.head - len(self.pending) + self.applied
        rest = self.pending[self.applied :]
        self.pending = []
        self.events = []
        self.applied = 0
        if self.wanted_status is not None:
            self.status, self.wanted_status = self.wanted_status, None
        for record in rest:
            self.state.apply(record, seq)
            seq += 1

    @property
    def dirty(self) -> bool:
        """Whether there is anything to flush."""
        return bool(self.pending) or self.wanted_status is not None


def cancel_noted(run: ActiveRun) -> bool:
    """Whether the request to cancel is in the journal, or on its way."""
    return run.state.cancel_requested or any(isinstance(r, CancelRequested) for r in run.pending)
