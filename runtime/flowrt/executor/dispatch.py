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
from dataclasses import replace
from itertools import count
from typing import TypeAlias, assert_never
from uuid import uuid4

from flowrt.executor.alarm import GRACE_S
from flowrt.executor.batching import Entry, Lane
from flowrt.executor.flight import CameBack, Closed, Flight, FlightEvent, StopAsked, Submitted, Taken
from flowrt.executor.held import Kept, References
from flowrt.executor.launcher import Launcher, Trouble
from flowrt.executor.listener import polls
from flowrt.executor.options import BadOption, apart, options_key, wish
from flowrt.executor.port import Attempt, AttemptKey, Halted, Lost, Outcome, Raised, Report
from flowrt.executor.verdict import overdue, told_of
from flowrt.executor.wire import Packer, Reply, blobs_of, size_of, unpack_reply
from flowrt.mailbox import Mailbox
from flowrt.program import Callee, Pickled
from flowrt.record import Failure

# How long a step may want what no node has before the user is told.
PATIENCE_S = 10.0
# How long after a worker was killed for one attempt the death of another attempt's worker may be due to it.
STRAY_S = 2.0
# How long a worker that is to be killed may take to die before it is hunted and its batch given up.
FORCE_S = 3.0
# How long beyond its bounds, and its worker's own grace, an attempt may be under way unheard of.
OVERDUE_S = 3.0
# How often what is under way is looked at.
LOOK_S = 0.5
# Pickled code above this size goes to workers by reference.
LARGE_CODE = 64 << 10

_LOG = logging.getLogger("flowrt")

_LaneKey: TypeAlias = tuple[Callee, str, tuple[str, ...], bool]


class Dispatch:
    """The state of an executor and the loop that changes it; `run` is the body of a thread."""

    def __init__(self, launcher: Launcher, report: Report, packer: Packer, held_bytes: int) -> None:
        """Keep references to at most `held_bytes` of large values.

        `gone` says why the cluster was given up: its attempts are Halted, and there are no others.
        `printed_at` is when a job last came back whose attempts had printed something, by `time.monotonic`.
        """
        self._launcher = launcher
        self._report = report
        self._packer = packer
        self._references = References(held_bytes)
        self._events: Mailbox[FlightEvent] = Mailbox()
        self._lanes: dict[_LaneKey, Lane[Taken]] = {}
        self._prepared: dict[int, object] = {}
        self._taken: dict[AttemptKey, Taken] = {}
        self._flights: dict[int, Flight] = {}
        self._codes: dict[str, object] = {}
        self._home: tuple[str, ...] | None = None
        self._told: set[int] = set()
        self.gone = ""
        self.printed_at = 0.0
        self._forced_at = -STRAY_S
        self._looked_at = 0.0
        self._name = uuid4().hex[:12]
        self._numbers = count()
        self._open = True

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Take attempts on. From any thread."""
        self._events.post(Submitted(attempts))

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        """Stop an attempt. From any thread."""
        self._events.post(StopAsked(key, force))

    def close(self) -> None:
        """End the loop; nothing is reported any more, what is under way is killed. From any thread."""
        self._events.post(Closed())

    def run(self) -> None:
        """Handle events until closed."""
        while self._open:
            for event in self._next_events():
                self._handle(event)
            if self._open:
                self._look_for_cluster()
            if self._open and not self.gone:
                self._launch_ready()
                self._look_at_flights()
        for flight in self._flights.values():
            self._launcher.cancel(flight.launched, force=True)

    def _next_events(self) -> list[FlightEvent]:
        """At least one event, or none after a while when something is under way."""
        events: list[FlightEvent] = []
        event = self._events.take(LOOK_S if self._flights else None)
        while event is not None:
            events.append(event)
            event = self._events.take_now()
        return events

    def _handle(self, event: FlightEvent) -> None:
        match event:
            case Submitted(attempts):
                for attempt in attempts:
                    self._take(attempt)
            case StopAsked(key, force):
                self._stop(key, force=force)
            case CameBack(flight, result):
                self._came_back(flight, result)
            case Closed():
                self._open = False
            case _:
                assert_never(event)

    # Submitting.

    def _take(self, attempt: Attempt) -> None:
        key = (
            attempt.task.callee,
            options_key(attempt.options),
            _place(attempt),
            _is_bounded(attempt) or attempt.task.once,
        )
        if self.gone:
            self._report(attempt.key, Halted())
            return
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
        taken = Taken(attempt, lane)
        self._taken[attempt.key] = taken
        self._wait(taken)

    def _new_lane(self, attempt: Attempt) -> Lane[Taken]:
        place = _place(attempt)
        if polls(attempt.task):
            waiting: Lane[Taken] = Lane({}, 0.0, alone=True, waits=True)
            self._prepared[id(waiting)] = self._launcher.host(place)
            return waiting
        asked = wish(attempt.options)
        self._home = place if self._home is None else self._home
        named = asked.named if place == self._home else apart(asked.named, place)
        prepared = self._launcher.accept(named)
        alone = asked.alone or _is_bounded(attempt) or attempt.task.once
        lane: Lane[Taken] = Lane(asked.named, asked.cpus, alone)
        self._prepared[id(lane)] = prepared
        return lane

    def _wait(self, taken: Taken, *, suspect: bool = False, again: bool = False) -> None:
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

    def _launch(self, lane: Lane[Taken], batch: list[Taken]) -> None:
        held: dict[str, object] = {}
        for taken in batch:
            if not taken.by_value:
                held.update(self._references.find(blobs_of(taken.attempt.env)))
        flight = Flight(f"{self._name}-{next(self._numbers)}", batch, lane, list(held))
        lane.under_way += 1
        self._flights[id(flight)] = flight
        for taken in batch:
            taken.flight, taken.entry = flight, None
        job = self._packer.job(flight.name, [self._lightened(taken, held) for taken in batch])
        references = list({id(reference): reference for reference in held.values()}.values())

        def done(result: bytes | BaseException) -> None:
            self._events.post(CameBack(flight, result))

        flight.launched = self._launcher.launch(self._prepared[id(lane)], job, references, done)

    def _lightened(self, taken: Taken, held: dict[str, object]) -> Attempt:
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
                taken.flight.forced_at = taken.flight.forced_at or self._forced_at
            self._launcher.cancel(taken.flight.launched, force=force)

    # Coming back.

    def _tell(self, taken: Taken, outcome: Outcome) -> None:
        del self._taken[taken.attempt.key]
        self._report(taken.attempt.key, outcome)

    def _came_back(self, flight: Flight, result: bytes | BaseException) -> None:
        if self._flights.pop(id(flight), None) is None:
            return  # It was given up.
        flight.lane.under_way -= 1
        if isinstance(result, bytes):
            self._replied(flight, unpack_reply(result))
            return
        trouble = self._launcher.trouble(result)
        self._look_for_cluster()
        if not self.gone:
            self._failed(flight, trouble)

    def _replied(self, flight: Flight, reply: Reply) -> None:
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

    def _failed(self, flight: Flight, trouble: Trouble) -> None:
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

    def _halt_or_again(self, taken: Taken) -> None:
        if taken.stopping:
            self._tell(taken, Halted())
        elif taken.attempt.task.once:
            self._tell(taken, Lost("It was interrupted for another's sake."))
        else:
            self._wait(taken, again=True)

    def _by_value(self, taken: Taken, flight: Flight) -> None:
        """A value that was to come by reference is gone; the blob store has it."""
        for digest in flight.digests:
            self._references.forget(digest)
        taken.by_value = True
        if taken.stopping:
            self._tell(taken, Halted())
        else:
            self._wait(taken, again=True)  # It was not begun: its arguments never came.

    def _alone_or_told(self, taken: Taken, flight: Flight, trouble: Trouble) -> None:
        if taken.stopping:
            self._tell(taken, Halted())
        elif len(flight.taken) > 1:
            self._wait(taken, suspect=True, again=True)
        elif trouble.kind == "lost" and self._may_be_a_bystander(taken):
            taken.bystander = True
            self._wait(taken, suspect=True, again=True)
        else:
            bounded = _is_bounded(taken.attempt) and trouble.kind != "error"
            sign = self._launcher.sign(flight.name) if bounded else None
            self._tell(taken, told_of(taken.attempt, trouble, sign))

    def _may_be_a_bystander(self, taken: Taken) -> bool:
        """Whether a worker was killed just now, which may have moved on to this attempt by then.

        It is made once more for that; one that may be made only once is not.
        """
        recently = time.monotonic() - self._forced_at < STRAY_S
        return recently and not taken.bystander and not taken.attempt.task.once

    # Waiting in vain.

    def _look_for_cluster(self) -> None:
        """A cluster that is gone makes nothing any more: it is not for an attempt to fail by that."""
        self.gone = self.gone or self._launcher.gone()
        if self.gone:
            for taken in list(self._taken.values()):
                may_have_begun = taken.attempt.task.once and taken.flight is not None
                self._tell(taken, Lost(self.gone) if may_have_begun else Halted())
            self._flights.clear()
            self._lanes.clear()

    def _look_at_flights(self) -> None:
        now = time.monotonic()
        if now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        for flight in list(self._flights.values()):
            if flight.forced_at is not None:
                if now - flight.forced_at > FORCE_S:
                    self._give_up(flight)
            elif not self._is_overdue(flight, now):
                self._say_if_hopeless(flight, now)

    def _give_up(self, flight: Flight) -> None:
        """The worker does not die: it is stopped, or its node is gone. Its batch goes on without it."""
        self._launcher.hunt(flight.name)
        del self._flights[id(flight)]
        flight.lane.under_way -= 1
        self._failed(flight, Trouble("lost", "The worker did not answer any more."))

    def _is_overdue(self, flight: Flight, now: float) -> bool:
        """Whether the time of an attempt was up and its worker did not say so; then it is reported."""
        first = flight.taken[0]
        if first.bound_s is None or now - flight.since < first.bound_s + GRACE_S + OVERDUE_S:
            return False
        late = overdue(first.attempt, self._launcher.sign(flight.name), GRACE_S + OVERDUE_S)
        if late is None:
            return False
        self._launcher.cancel(flight.launched, force=True)
        self._tell(first, late)
        flight.taken.clear()
        flight.cancelled = True
        self._give_up(flight)
        return True

    def _say_if_hopeless(self, flight: Flight, now: float) -> None:
        lane = flight.lane
        if id(lane) in self._told or not lane.options or now - flight.since < PATIENCE_S:
            return
        self._told.add(id(lane))
        lacking = self._launcher.lacking(lane.options)
        if lacking:
            _LOG.warning("Step %s waits: %s", flight.taken[0].attempt.key.step, lacking)


def _place(attempt: Attempt) -> tuple[str, ...]:
    """Which code an attempt runs: a worker process serves one, for it has one module of a name."""
    return (attempt.run.snapshot or "", *attempt.run.python_path)


def _is_bounded(attempt: Attempt) -> bool:
    return attempt.timeout_s is not None or attempt.heartbeat_s is not None
