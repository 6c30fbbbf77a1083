"""The engine: the only loop. It owns runs, and moves them on until they have ended.

A turn: take what came in, fire what is due, carry out what the core wants, make it durable, and only
then let anyone see it. All that arrived while one flush was on its way is the next flush: the more
there is to do, the more records share a transaction (group commit). A run that waits is a timer in a
heap and a row in the store; it holds no thread and no worker.

One thread runs the engine. Executors report from threads of their own into a queue.
"""

import queue
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event

from flowrt.clock import Clock
from flowrt.command import Command
from flowrt.encoding.values import Values
from flowrt.engine.active import ActiveRun, cancel_noted
from flowrt.engine.conduct import Conductor
from flowrt.engine.inbox import Inbox
from flowrt.engine.perform import Performer
from flowrt.engine.timers import Timer, Timers
from flowrt.errors import StoreError, StoreUnavailable
from flowrt.executor.port import AttemptKey, Executor, Outcome
from flowrt.failpoint import hit
from flowrt.record import CancelRequested, Ended
from flowrt.store.port import Blobs, RunStatus, Store


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a lease lasts, how often it is renewed, how often the store is asked for news."""

    lease_us: int = 30_000_000
    renew_us: int = 5_000_000
    news_us: int = 200_000


PACE = Pace()

PURE_MAX = 1_000
"""How many commands are carried out in a turn before the world gets a hearing."""

STORE_PATIENCE_US = 30_000_000
STORE_PAUSE_S = 0.5


class Engine:
    """Runs that this process owns, on one store and one executor."""

    def __init__(
        self, store: Store, blobs: Blobs, executor: Executor, clock: Clock, pace: Pace = PACE
    ) -> None:
        """Begin with no runs; the executor is started."""
        self._pace = pace
        self.store = store
        self.values = Values(blobs)
        self.executor = executor
        self.clock = clock
        self.timers = Timers()
        self.superseded: set[str] = set()
        self.finished: dict[str, Ended] = {}
        self._conductors: dict[str, Conductor] = {}
        self._arrived: queue.SimpleQueue[tuple[AttemptKey, Outcome]] = queue.SimpleQueue()
        self._renew_at = 0
        self._news_at = 0
        self._last_event_id = -1
        self._resting = True
        self._blocked_since: int | None = None
        executor.start(self._report, blobs)

    def _report(self, key: AttemptKey, outcome: Outcome) -> None:
        self._arrived.put((key, outcome))

    def add(self, run: ActiveRun) -> None:
        """Take on a run whose journal has been folded."""
        started = run.state.started
        assert started is not None, "a run begins with Started"
        ended = run.state.ended is not None
        run.wanted_status = None if ended else "running"
        self._conductors[run.run_id] = Conductor(
            run=run,
            store=self.store,
            values=self.values,
            executor=self.executor,
            timers=self.timers,
            clock=self.clock,
            inbox=Inbox(run.run_id, started.at),
            performer=Performer(self.values, run.facts, self.clock),
        )
        if run.cancel_reason is not None and not ended and not cancel_noted(run):
            run.note(CancelRequested(self.clock.now(), run.cancel_reason))
            hit("cancel.noted")

    def run(self, interrupt: Event) -> None:
        """Go on until every run has ended or was taken from us, or `interrupt` is set.

        A store that cannot be reached or written is tried again for half a minute, with nothing lost;
        then StoreUnavailable is raised, and the runs can be resumed.
        """
        while self._conductors and not interrupt.is_set():
            try:
                self._turn(interrupt)
            except StoreUnavailable:
                self._resting = True
                now = self.clock.now()
                self._blocked_since = self._blocked_since or now
                if now - self._blocked_since > STORE_PATIENCE_US:
                    raise
                interrupt.wait(STORE_PAUSE_S)
            else:
                self._blocked_since = None

    def _turn(self, interrupt: Event) -> None:
        self._resting = False
        self._flush()
        self._carry_out()
        self._flush()
        self._retire()
        if self._conductors and not self._busy():
            self._mark_waiting()
            self._await(interrupt)
        self._drain()
        self._look_after_store()
        self._resting = True

    def suspend(self) -> None:
        """Stop: what has arrived is kept, what is in flight is given up, every run can be resumed.

        After an interruption in the middle of a turn, what has arrived and was not noted is given up too:
        nothing is done any more on a state that may be half changed. Raises StoreError; then too no
        attempt goes on, and the runs that could be released are.
        """
        try:
            # First as it stands: the answer to an append may have been lost, and the same is sent again.
            self._flush()
            if self._resting:
                self._drain()
                self._flush()
                self._retire()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        failed: StoreError | None = None
        while self._conductors:
            run_id, conductor = self._conductors.popitem()
            self._stop_all(conductor)
            try:
                self.store.release(run_id, conductor.run.epoch, "suspended")
            except StoreError as error:
                failed = error
        if failed is not None:
            raise failed

    # A turn

    def _carry_out(self) -> None:
        self.timers.prune(self._wants)
        self._fire(self.timers.due(self.clock.now()))
        for conductor in self._conductors.values():
            self._carry_out_run(conductor)

    def _wants(self, timer: Timer) -> bool:
        conductor = self._conductors.get(timer.run_id)
        return conductor is not None and conductor.wants(timer)

    def _fire(self, due: list[Timer]) -> None:
        for index, timer in enumerate(due):
            conductor = self._conductors.get(timer.run_id)
            try:
                if conductor is not None:
                    conductor.fire(timer)
            except StoreUnavailable:
                for later in due[index:]:
                    self.timers.set(later)
                raise

    def _carry_out_run(self, conductor: Conductor) -> None:
        done = 0
        while done < PURE_MAX and (commands := conductor.run.state.take()):
            self._carry_out_all(conductor, commands)
            done += len(commands)
        conductor.submit()

    def _carry_out_all(self, conductor: Conductor, commands: list[Command]) -> None:
        for index, command in enumerate(commands):
            try:
                conductor.carry_out(command)
            except StoreUnavailable:
                conductor.run.state.put_back(commands[index:])
                raise

    def _flush(self) -> None:
        dirty = [conductor for conductor in self._conductors.values() if conductor.run.dirty]
        if not dirty:
            return
        lost = self.store.append([conductor.run.batch() for conductor in dirty])
        hit("flush.done")
        for conductor in dirty:
            if conductor.run.run_id not in lost:
                conductor.flushed()
        for run_id in lost:
            self._give_up(run_id)

    def _retire(self) -> None:
        for run_id, conductor in list(self._conductors.items()):
            ended = conductor.run.state.ended
            if ended is not None:
                self.finished[run_id] = ended
                self.store.release(run_id, conductor.run.epoch)
                del self._conductors[run_id]

    def _give_up(self, run_id: str) -> None:
        """Another engine has taken the run: nothing of ours counts any more."""
        conductor = self._conductors.pop(run_id)
        self.superseded.add(run_id)
        self._stop_all(conductor)

    def _stop_all(self, conductor: Conductor) -> None:
        for step, key in conductor.run.in_flight.items():
            if step not in conductor.ready:
                self.executor.stop(key, force=True)

    def _busy(self) -> bool:
        return any(c.busy for c in self._conductors.values())

    def _mark_waiting(self) -> None:
        for conductor in self._conductors.values():
            run = conductor.run
            # Nothing is busy: what is open waits for an attempt, a timer or an event.
            status: RunStatus = "running" if run.in_flight else "waiting"
            if status != run.status:
                run.wanted_status = status

    # The world

    def _await(self, interrupt: Event) -> None:
        if any(c.run.dirty for c in self._conductors.values()) or interrupt.is_set():
            return
        if not self._arrived.empty():
            return
        until = min(self._renew_at, self._news_at)
        if self.timers.next_at is not None:
            until = min(until, self.timers.next_at)
        self._resting = True
        try:
            item = self._arrived.get(timeout=self.clock.timeout_s(until))
        except queue.Empty:
            item = None
        self._resting = False
        if item is not None:
            self._take(item)

    def _drain(self) -> None:
        while True:
            try:
                item = self._arrived.get_nowait()
            except queue.Empty:
                return
            self._take(item)

    def _take(self, item: tuple[AttemptKey, Outcome]) -> None:
        key, outcome = item
        conductor = self._conductors.get(key.run_id)
        if conductor is None:
            return
        try:
            conductor.take_outcome(key, outcome)
        except StoreUnavailable:
            self._arrived.put(item)
            raise

    def _look_after_store(self) -> None:
        now = self.clock.now()
        if now >= self._renew_at:
            held: Mapping[str, int] = {i: c.run.epoch for i, c in self._conductors.items()}
            for run_id in self.store.renew(held, now + self._pace.lease_us):
                self._give_up(run_id)
            self._renew_at = now + self._pace.renew_us
        for conductor in self._conductors.values():
            conductor.look_for_events(news=False)
        if now >= self._news_at:
            self._look_for_news(now)

    def _look_for_news(self, now: int) -> None:
        news = self.store.news(self._conductors.keys())
        for run_id, reason in news.cancels.items():
            conductor = self._conductors.get(run_id)
            if conductor is not None and not cancel_noted(conductor.run):
                conductor.run.note(CancelRequested(now, reason))
                hit("cancel.noted")
        if news.last_event_id != self._last_event_id:
            for conductor in self._conductors.values():
                conductor.look_for_events(news=True)
            self._last_event_id = news.last_event_id
        self._news_at = now + self._pace.news_us
