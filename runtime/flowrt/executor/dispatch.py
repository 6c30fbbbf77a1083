"""The thread that owns an executor's attempts: events go in, batches and reports come out.

Everything that happens becomes an event in one queue: attempts are submitted, a batch comes back, somebody
wants an attempt stopped. One thread takes them one by one, so the state below needs no lock and each
attempt is reported exactly once, whatever overtakes what: an attempt is known until it is reported, and
unknown from then on.

    waiting in a lane ──▶ under way in a flight ──▶ reported
          ▲   │ stop                │ │
          │   └──▶ Halted           │ └─ stop, and the flight ended without its outcome ──▶ Halted
          └──────── not begun, interrupted for a neighbour's sake, or its batch was lost

How a batch gets to a worker is the affair of a `Launcher`; nothing here knows Ray.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import TypeAlias, assert_never

from flowrt.executor.batching import Entry, Lane
from flowrt.executor.held import Kept, References
from flowrt.executor.launcher import Launcher, Trouble
from flowrt.executor.options import BadOption, apart, options_key, wish
from flowrt.executor.port import Attempt, AttemptKey, Halted, Lost, Outcome, Raised, Report
from flowrt.executor.wire import Packer, Reply, blobs_of, size_of, unpack_reply
from flowrt.executor.worker import GRACE_S
from flowrt.program import Callee, Pickled
from flowrt.record import Failure

# How long a step may want what no node has before the user is told.
PATIENCE_S = 10.0
# How long after a worker was killed for one attempt the death of another attempt's worker may be due to it.
STRAY_S = 2.0
# Pickled code above this size goes to workers by reference.
LARGE_CODE = 64 << 10

_LOG = logging.getLogger("flowrt")


@dataclass(slots=True, eq=False)
class _Taken:
    """An attempt that was submitted and not yet reported."""

    attempt: Attempt
    lane: Lane["_Taken"]
    entry: Entry["_Taken"] | None = None
    flight: "_Flight | None" = None
    stopping: bool = False
    by_value: bool = False
    bystander: bool = False


@dataclass(slots=True, eq=False)
class _Flight:
    """A batch under way. `digests` are the values that it was given by reference."""

    taken: list[_Taken]
    lane: Lane[_Taken]
    digests: list[str]
    launched: object = None
    cancelled: bool = False
    since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class _Submitted:
    attempts: Sequence[Attempt]


@dataclass(frozen=True, slots=True)
class _StopAsked:
    key: AttemptKey
    force: bool


@dataclass(frozen=True, slots=True)
class _CameBack:
    flight: _Flight
    result: bytes | BaseException


@dataclass(frozen=True, slots=True)
class _Closed:
    pass


_Event: TypeAlias = _Submitted | _StopAsked | _CameBack | _Closed
_LaneKey: TypeAlias = tuple[Callee, str, tuple[str, ...], bool]


class Dispatch:
    """The state of an executor and the loop that changes it; `run` is the body of a thread."""

    def __init__(self, launcher: Launcher, report: Report, packer: Packer, held_bytes: int) -> None:
        """Keep references to at most `held_bytes` of large values.

        `printed_at` is when a job last came back whose attempts had printed something, by `time.monotonic`.
        """
        self._launcher = launcher
        self._report = report
        self._packer = packer
        self._references = References(held_bytes)
        self._events: SimpleQueue[_Event] = SimpleQueue()
        self._lanes: dict[_LaneKey, Lane[_Taken]] = {}
        self._prepared: dict[int, object] = {}
        self._taken: dict[AttemptKey, _Taken] = {}
        self._flights: dict[int, _Flight] = {}
        self._codes: dict[str, object] = {}
        self._home: tuple[str, ...] | None = None
        self._told: set[int] = set()
        self.printed_at = 0.0
        self._forced_at = -STRAY_S
        self._open = True

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Take attempts on. From any thread."""
        self._events.put(_Submitted(attempts))

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        """Stop an attempt. From any thread."""
        self._events.put(_StopAsked(key, force))

    def close(self) -> None:
        """End the loop; nothing is reported any more, what is under way is killed. From any thread."""
        self._events.put(_Closed())

    def run(self) -> None:
        """Handle events until closed."""
        while self._open:
            for event in self._next_events():
                self._handle(event)
            if self._open:
                self._launch_ready()
                self._look_for_hopeless()
        for flight in self._flights.values():
            self._launcher.cancel(flight.launched, force=True)

    def _next_events(self) -> list[_Event]:
        """At least one event, or none after a second while something is under way."""
        events: list[_Event] = []
        try:
            events.append(self._events.get(timeout=1.0 if self._flights else None))
            while True:
                events.append(self._events.get_nowait())
        except Empty:
            return events

    def _handle(self, event: _Event) -> None:
        match event:
            case _Submitted(attempts):
                for attempt in attempts:
                    self._take(attempt)
            case _StopAsked(key, force):
                self._stop(key, force=force)
            case _CameBack(flight, result):
                self._came_back(flight, result)
            case _Closed():
                self._open = False
            case _:
                assert_never(event)

    # Submitting.

    def _take(self, attempt: Attempt) -> None:
        key = (
            attempt.task.callee,
            options_key(attempt.options),
            tuple(attempt.run.python_path),
            attempt.timeout_s is not None,
        )
        lane = self._lanes.get(key)
        if lane is None:
            try:
                lane = self._new_lane(attempt)
            except BadOption as error:
                refused = Failure("ValueError", str(error), attempt.key.step)
                now = time.time_ns() // 1000
                self._report(attempt.key, Raised(refused, now, now, retryable=False))
                return
            self._lanes[key] = lane
        taken = _Taken(attempt, lane)
        self._taken[attempt.key] = taken
        self._wait(taken)

    def _new_lane(self, attempt: Attempt) -> Lane[_Taken]:
        asked = wish(attempt.options)
        place = tuple(attempt.run.python_path)
        self._home = place if self._home is None else self._home
        named = asked.named if place == self._home else apart(asked.named, place)
        prepared = self._launcher.accept(named)
        lane: Lane[_Taken] = Lane(asked.named, asked.cpus, asked.alone or attempt.timeout_s is not None)
        self._prepared[id(lane)] = prepared
        return lane

    def _wait(self, taken: _Taken, *, suspect: bool = False, again: bool = False) -> None:
        size = size_of(taken.attempt.env)
        taken.flight = None
        taken.entry = Entry(taken, size, suspect)
        taken.lane.add(taken.entry, first=again)

    def _launch_ready(self) -> None:
        waiting = [lane for lane in self._lanes.values() if lane.ready]
        if not waiting:
            return
        cpus = self._launcher.cpus()
        for lane in waiting:
            while lane.ready and lane.room(cpus) > 0:
                busy = sum(flight.lane.cpus for flight in self._flights.values())
                self._launch(lane, [entry.what for entry in lane.take(int(cpus - busy))])

    def _launch(self, lane: Lane[_Taken], batch: list[_Taken]) -> None:
        held: dict[str, object] = {}
        for taken in batch:
            if not taken.by_value:
                held.update(self._references.find(blobs_of(taken.attempt.env)))
        flight = _Flight(batch, lane, list(held))
        lane.under_way += 1
        self._flights[id(flight)] = flight
        for taken in batch:
            taken.flight, taken.entry = flight, None
        job = self._packer.job([self._lightened(taken, held) for taken in batch])
        references = list({id(reference): reference for reference in held.values()}.values())

        def done(result: bytes | BaseException) -> None:
            self._events.put(_CameBack(flight, result))

        flight.launched = self._launcher.launch(self._prepared[id(lane)], job, references, done)

    def _lightened(self, taken: _Taken, held: dict[str, object]) -> Attempt:
        """The attempt without its code when that is large: it goes once, by reference."""
        attempt = taken.attempt
        callee, code = attempt.task.callee, attempt.code
        if not isinstance(callee, Pickled) or code is None or len(code) <= LARGE_CODE or taken.by_value:
            return attempt
        if callee.digest not in self._codes:
            self._codes[callee.digest] = self._launcher.put(Kept((callee.digest,), (code,)))
        held[callee.digest] = self._codes[callee.digest]
        return replace(attempt, code=None)

    # Stopping.

    def _stop(self, key: AttemptKey, *, force: bool) -> None:
        taken = self._taken.get(key)
        if taken is None:
            return
        if taken.entry is not None:
            taken.lane.drop(taken.entry)
            self._tell(taken, Halted())
        elif taken.flight is not None:
            taken.stopping = True
            taken.flight.cancelled = True
            if force:
                self._forced_at = time.monotonic()
            self._launcher.cancel(taken.flight.launched, force=force)

    # Coming back.

    def _tell(self, taken: _Taken, outcome: Outcome) -> None:
        del self._taken[taken.attempt.key]
        self._report(taken.attempt.key, outcome)

    def _came_back(self, flight: _Flight, result: bytes | BaseException) -> None:
        del self._flights[id(flight)]
        flight.lane.under_way -= 1
        if isinstance(result, bytes):
            self._replied(flight, unpack_reply(result))
        else:
            self._failed(flight, self._launcher.trouble(result))

    def _replied(self, flight: _Flight, reply: Reply) -> None:
        if reply.printed:
            self.printed_at = time.monotonic()
        flight.lane.learn(len(reply.outcomes), reply.busy_s, reply.longest_s)
        if reply.kept:
            reference = self._launcher.kept(flight.launched)
            for digest, size in reply.kept:
                self._references.keep(digest, size, reference)
        begun = len(reply.outcomes)
        for taken in reversed(flight.taken[begun:]):
            self._halt_or_again(taken)
        for taken, outcome in zip(flight.taken, reply.outcomes, strict=False):
            if isinstance(outcome, Halted):
                self._halt_or_again(taken)
            else:
                self._tell(taken, outcome)

    def _failed(self, flight: _Flight, trouble: Trouble) -> None:
        for taken in reversed(flight.taken):
            match trouble.kind:
                case "cancelled":
                    self._halt_or_again(taken)
                case "lost" if flight.cancelled:
                    self._halt_or_again(taken)
                case "value lost" if not taken.by_value:
                    self._by_value(taken, flight)
                case "lost" | "value lost" | "error":
                    self._alone_or_told(taken, flight, trouble)
                case _:
                    assert_never(trouble.kind)

    def _halt_or_again(self, taken: _Taken) -> None:
        if taken.stopping:
            self._tell(taken, Halted())
        else:
            self._wait(taken, again=True)

    def _by_value(self, taken: _Taken, flight: _Flight) -> None:
        """A value that was to come by reference is gone; the blob store has it."""
        for digest in flight.digests:
            self._references.forget(digest)
        taken.by_value = True
        self._halt_or_again(taken)

    def _alone_or_told(self, taken: _Taken, flight: _Flight, trouble: Trouble) -> None:
        if taken.stopping:
            self._tell(taken, Halted())
        elif len(flight.taken) > 1:
            self._wait(taken, suspect=True, again=True)
        elif trouble.kind == "lost" and not taken.bystander and self._forced_recently():
            taken.bystander = True
            self._wait(taken, suspect=True, again=True)
        else:
            self._tell(taken, _told_of(taken.attempt, flight, trouble))

    def _forced_recently(self) -> bool:
        """Whether a worker was killed just now, which may have moved on to another batch by then."""
        return time.monotonic() - self._forced_at < STRAY_S

    # Waiting in vain.

    def _look_for_hopeless(self) -> None:
        now = time.monotonic()
        for flight in self._flights.values():
            lane = flight.lane
            if id(lane) in self._told or not lane.options or now - flight.since < PATIENCE_S:
                continue
            self._told.add(id(lane))
            lacking = self._launcher.lacking(lane.options)
            if lacking:
                _LOG.warning("Step %s waits: %s", flight.taken[0].attempt.key.step, lacking)


def _told_of(attempt: Attempt, flight: _Flight, trouble: Trouble) -> Outcome:
    now = time.time_ns() // 1000
    step = attempt.key.step
    if trouble.kind != "error":
        timeout_s = attempt.timeout_s
        if timeout_s is None or time.monotonic() - flight.since < timeout_s + GRACE_S:
            return Lost(trouble.reason)
        message = f"The attempt took longer than its timeout of {timeout_s:g} s and did not end when told to."
        return Raised(Failure("TimeoutError", message, step), now, now)
    return Raised(Failure("RuntimeError", trouble.reason, step), now, now, retryable=False)
