"""The watch: what every simulated process does is held against the promises, at the moment it is done.

In: calls of the store before and after, attempts as they begin, records as they are applied. Out: problems.

    one owner        a claim raises the epoch and passes over no lease that runs; only its owner writes a run
    one record       a step has one result; epochs never go back; nothing follows the end
    durable first    what came from outside is applied to a state only when it stands in the journal
    no run behind    the owner begins no attempt of a step that has its record, or before its retry is due
    never early      a timer fires when it is due by the clock of its engine, and not before a last look
                     at the events that could still have come in time
    cancelled        behind the request nothing begins but undos, and what is in a `finally`
    undone           an undo begins only when its step is completed
    each event once  in each run, the oldest first
    locks            no more hold one than it allows, and none has come later than one that waits; in the
                     body nothing begins but with the lock in hand
    cached values    what a step takes over is what a step of some run has given
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from queues import wrong_in_queues

from flowrt.command import Choose, Decide, Evaluate, Expand
from flowrt.core.state import State
from flowrt.encoding.pack import decode_record, encode_record
from flowrt.executor.port import Attempt
from flowrt.record import (
    CancelRequested,
    Computed,
    Decided,
    Emitted,
    Ended,
    Entered,
    Expanded,
    Failed,
    Fired,
    Locked,
    Queued,
    Received,
    Record,
    Retrying,
    Sleeping,
    Succeeded,
    Unlocked,
    Waiting,
)
from flowrt.store.port import Store
from flowrt.store.rows import Batch, NewRun, RunRow

if TYPE_CHECKING:
    from process import Process
    from world import World

LOST_MAX = 3
"""How often a step may lose its worker without failing."""

ANSWERS = (Succeeded, Failed, Computed, Decided, Expanded, Emitted, Received, Fired)
UNDO = ".undo"
FINALLY = ".finally."
BEGINNINGS = (Computed, Decided, Expanded, Emitted, Sleeping, Waiting, Retrying)


@dataclass
class Known:
    """What the journal of a run holds, as far as it was read."""

    records: list[Record] = field(default_factory=list)
    epoch: int = 0
    claimed: int = 0
    answered: set[tuple[str, type]] = field(default_factory=set)
    ended_steps: set[str] = field(default_factory=set)
    retries: dict[str, Retrying] = field(default_factory=dict)
    attempts: dict[str, int] = field(default_factory=dict)
    waits: dict[str, Waiting | Sleeping | Entered | Retrying] = field(default_factory=dict)
    taken: set[int] = field(default_factory=set)
    locks: set[str] = field(default_factory=set)
    cancelled: bool = False
    ended: Ended | None = None


class Watch:
    """Watches all processes of one simulation; `started` is told of each run that a run has made."""

    def __init__(self, world: "World", store: Store, started: Callable[[str, NewRun], None]) -> None:
        self.world, self.store, self._started = world, store, started
        self.running: Process | None = None
        self.problems: list[str] = []
        self.ended = 0
        self.runs: dict[str, Known] = {}
        self.lost: dict[tuple[str, str], int] = {}
        self._before: dict[str, RunRow] = {}

    def hold(self, good: object, problem: str) -> None:
        """Note a problem unless all is well."""
        if not good:
            self.world.note("PROBLEM", problem)
            self.problems.append(problem)

    # Calls of the store

    def before(self, process: "Process", call: str, args: Sequence[object]) -> None:
        if call in ("claim", "claim_due", "free_locks"):
            self._before = {run_id: self.store.run(run_id) for run_id in self.runs}
        elif call == "events":
            name, key = cast("tuple[str, str | None]", args[:2])
            process.looked[name, key] = process.clock.now()

    def after(self, process: "Process", call: str, args: Sequence[object], answer: object) -> None:
        if call == "claim":
            self._claimed(cast("str", args[0]), cast("int", args[2]), cast("int", answer))
        elif call == "claim_due":
            now, _, _, ahead = cast("tuple[int, int, int, int]", args[1:])
            for row in cast("list[RunRow]", answer):
                self._claimed(row.run_id, now, row.epoch)
                before = self._before[row.run_id]
                early = before.wake_at is None or before.wake_at > now + (0 if before.owner else ahead)
                self.hold(not early, f"{row.run_id} was claimed before it is due")
                self.hold(
                    row == self.store.run(row.run_id), f"the claimed row of {row.run_id} is not as it is"
                )
        elif call == "free_locks":
            self._freed(cast("int", args[0]))
            self._look_at_queues()
        elif call == "append":
            batches = cast("Sequence[Batch]", args[0])
            self._appended_all(process, batches, cast("frozenset[str]", answer))

    def _appended_all(self, process: "Process", batches: Sequence[Batch], lost: frozenset[str]) -> None:
        for batch in batches:
            for new in () if batch.run_id in lost else batch.creates:
                self._started(batch.run_id, new)
            self._appended(process, batch)
            if batch.park and not self.runs[batch.run_id].ended:
                self.world.count("parks")
            if batch.run_id in lost:
                told = f"{process.name} owns {batch.run_id} and was told that it does not"
                self.hold(batch.epoch != self.runs[batch.run_id].claimed, told)
        self.world.counts["superseded"] += len(lost)
        if any(batch.locks or batch.unlocks for batch in batches):
            self._look_at_queues()

    def words(self, call: str, args: Sequence[object], answer: object) -> str:
        """A call and its answer, for the trace."""
        if call == "append":
            batches = cast("Sequence[Batch]", args[0])
            told = [
                f"{b.run_id}@{b.epoch}:{b.first_seq}+{len(b.records)}{' parks' if b.park else ''}"
                for b in batches
            ]
            return f"{' '.join(told)} lost {sorted(cast('frozenset[str]', answer))}"
        if call == "claim_due":
            return " ".join(f"{row.run_id} {row.epoch}" for row in cast("list[RunRow]", answer))
        if call in ("claim", "release", "renew"):
            shown = sorted(answer) if isinstance(answer, frozenset) else answer
            return f"{args[0]} {shown}"
        return ""

    def _claimed(self, run_id: str, now: int, epoch: int) -> None:
        before = self._before[run_id]
        known = self.runs[run_id]
        self.hold(epoch > known.claimed, f"a claim of {before.run_id} gave epoch {epoch} again")
        free = before.owner is None or before.lease_until <= now or before.owner.token == self.running.name
        self.hold(free, f"{self.running.name} took {before.run_id} before its lease had run out")
        known.claimed = epoch
        if before.owner is not None:
            self.world.count("takes over")

    def _freed(self, now: int) -> None:
        """Who has lost its locks to others is superseded: only a run that nobody goes on with may be."""
        for run_id, before in self._before.items():
            epoch = self.store.run(run_id).epoch
            if epoch != before.epoch:
                left = before.owner is None or before.lease_until <= now
                kept = before.served and before.status != "suspended"
                self.hold(left and not kept, f"{run_id} has lost its locks, and somebody goes on with it")
                self.runs[run_id].claimed = epoch

    def _look_at_queues(self) -> None:
        rows = self.store.all_locks(0, 1_000)
        for problem in wrong_in_queues(rows):
            self.hold(False, problem)
        self.world.counts["waits for a lock"] += sum(not row.granted for row in rows)

    # Records

    def _appended(self, process: "Process", batch: Batch) -> None:
        known = self.runs[batch.run_id]
        for row in self.store.journal(batch.run_id, len(known.records)):
            self.hold(row.epoch >= known.epoch, f"the epochs of {batch.run_id} go back at {row.seq}")
            if row.seq:
                wrong = f"{process.name} wrote {batch.run_id} under epoch {row.epoch}, not {known.claimed}"
                self.hold(row.epoch == known.claimed, wrong)
            known.epoch = row.epoch
            record = decode_record(row.data)
            self._follows(process, batch.run_id, known, record)
            known.records.append(record)
            _note(known, record)
            self.ended += isinstance(record, Ended)

    def _follows(self, process: "Process", run_id: str, known: Known, record: Record) -> None:
        step = getattr(record, "step", "")
        told = f"{run_id} {step} {type(record).__name__}"
        self.world.note("record", told)
        self.hold(known.ended is None, f"{told}: written behind the end")
        if isinstance(record, ANSWERS):
            self.hold(step not in known.ended_steps, f"{told}: the step has its record already")
        if known.cancelled and not _is_stopped_by_none(step):
            self.hold(not isinstance(record, BEGINNINGS), f"{told}: begun behind the request to cancel")
        if isinstance(record, Queued):
            self._is_due(process, known, step, told)
        if isinstance(record, Fired):
            self._fires(process, known, record, told)
        if isinstance(record, Received):
            self._receives(run_id, known, record, told)
        if isinstance(record, Succeeded) and not record.attempt:
            self.world.count("taken over")
            self.hold(self._was_made(record), f"{told}: what it takes over was never made")

    def _was_made(self, taken: Succeeded) -> bool:
        records = (record for known in self.runs.values() for record in known.records)
        made = (record for record in records if isinstance(record, Succeeded) and record.attempt)
        return any(record.value == taken.value for record in made)

    def _fires(self, process: "Process", known: Known, record: Fired, told: str) -> None:
        wait = known.waits[record.step]
        # Between the look at the clock and the append the clock may have been put back.
        at = min(record.at, process.clock.highest)
        due_at = wait.retry_at if isinstance(wait, Retrying) else wait.due_at
        self.hold(due_at <= at, f"{told}: early by {due_at - at} us")
        if isinstance(wait, Waiting):
            looked = process.looked.get((wait.event, wait.key), 0)
            self.hold(looked >= wait.due_at, f"{told}: timed out without a last look")

    def _receives(self, run_id: str, known: Known, record: Received, told: str) -> None:
        self.hold(record.event_id not in known.taken, f"{told}: event {record.event_id} taken twice")
        wait = known.waits[record.step]
        assert isinstance(wait, Waiting)
        visible = self.events_of(run_id, wait.event, wait.key)
        self.hold(record.event_id in visible, f"{told}: event {record.event_id} is not one of its own")
        if record.step.rpartition(".")[2] != "r":  # Waits called `r` have a `match`.
            older = [e for e in visible if e < record.event_id and e not in known.taken]
            self.hold(not older, f"{told}: event {record.event_id} taken before {older}")

    def events_of(self, run_id: str, name: str, key: str | None) -> list[int]:
        """The numbers of the events that a run may take."""
        after = self.store.run(run_id).events_after
        return [event.event_id for event in self.store.events(name, key, run_id, after, 1_000)]

    # Attempts

    def begins(self, process: "Process", attempt: Attempt) -> None:
        """An attempt is handed to an executor."""
        key = attempt.key
        known = self.runs[key.run_id]
        if attempt.run.epoch != known.claimed:
            return
        told = f"{process.name} begins {key.run_id} {key.step} {key.attempt}"
        self.hold(key.step not in known.ended_steps, f"{told}: the step has its record")
        undo = key.step.endswith(UNDO)
        late = known.cancelled and not _is_stopped_by_none(key.step)
        self.hold(not late, f"{told}: behind the request to cancel")
        undone = key.step.removesuffix(UNDO)
        done = not undo or any(isinstance(r, Succeeded) and r.step == undone for r in known.records)
        self.hold(done, f"{told}: what it undoes is not done")
        self.hold(key not in process.executor.held, f"{told}: it runs already")
        self.hold(known.ended is None, f"{told}: the run has ended")
        expected = known.attempts.get(key.step, 0) + 1
        self.hold(key.attempt == expected, f"{told}: attempt {expected} is next")
        for step in known.locks:
            if key.step.startswith(f"{step}."):
                has = any(row.step == step and row.granted for row in self.store.locks_of([key.run_id]))
                self.hold(has, f"{told}: the lock of {step} is not in its hand")
        if attempt.task.actor is not None:
            rows = self.store.locks_of([key.run_id])
            has = any(row.step == key.step and row.granted for row in rows)
            self.hold(has, f"{told}: it is not its turn")
        if attempt.task.actor is None:  # A call waits first, and then asks for its turn.
            self._is_due(process, known, key.step, told)

    def _is_due(self, process: "Process", known: Known, step: str, told: str) -> None:
        process.clock.now()
        # Since the look at the clock that let it begin, the clock may have been put back.
        now = process.clock.highest_of_turn
        retry = known.retries.get(step)
        self.hold(retry is None or now >= retry.retry_at, f"{told}: before the retry is due")

    def may_lose(self, attempt: Attempt) -> bool:
        """Whether this attempt's worker may be lost and the step still go on."""
        step = (attempt.key.run_id, attempt.key.step)
        self.lost[step] = self.lost.get(step, 0) + 1
        return self.lost[step] <= LOST_MAX

    # States

    def applies(self, state: State, record: Record, seq: int) -> None:
        """A record is applied to the state of a run, in some process."""
        step = getattr(record, "step", None)
        command = None if step is None else state.command(step)
        if isinstance(command, Evaluate | Decide | Choose | Expand) or (step is not None and command is None):
            return  # It follows from what is durable; or its step was stopped, and it says nothing.
        if self.running is None or any(self._holds(known, record, seq) for known in self.runs.values()):
            return
        data = encode_record(record)
        durable = any(
            row.data == data for run_id in self.runs for row in list(self.store.journal(run_id, seq))[:1]
        )
        self.hold(durable, f"{self.running.name} applied {type(record).__name__} {seq} before it was durable")

    def _holds(self, known: Known, record: Record, seq: int) -> bool:
        return len(known.records) > seq and known.records[seq] == record


def _is_stopped_by_none(step: str) -> bool:
    """Whether a step goes on when the run is cancelled."""
    return step.endswith(UNDO) or FINALLY in step


def _note(known: Known, record: Record) -> None:
    match record:
        case Retrying(step, _, attempt):
            known.locks.discard(step)  # The turn at an actor.
            known.retries[step] = known.waits[step] = record
            known.attempts[step] = attempt
        case Sleeping(step) | Waiting(step) | Entered(step):
            known.waits[step] = record
        case Fired(step) if isinstance(known.waits[step], Entered | Retrying):
            pass  # A block goes on with its next attempt, or ends when what ran in it has stopped.
        case CancelRequested():
            known.cancelled = True
        case Locked(step):
            known.locks.add(step)
        case Unlocked(step):
            known.locks.discard(step)
        case Ended():
            known.ended = record
        case Received(step, event_id):
            known.taken.add(event_id)
            known.ended_steps.add(step)
        case _ if isinstance(record, ANSWERS):
            known.ended_steps.add(record.step)
            known.locks.discard(record.step)  # The turn at an actor.
