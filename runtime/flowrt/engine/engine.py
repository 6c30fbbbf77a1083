"""The engine: the only loop. It owns runs, and moves them on until they have ended.

A turn: take what came in, fire what is due, carry out what the core wants, make it durable, and only
then let anyone see it. All that arrived while one flush was on its way is the next flush: the more
there is to do, the more records share a transaction (group commit). A turn looks only at the runs that
something has happened to.

A run that waits is a timer in a heap and a row in the store; it holds no thread and no worker. An engine
that has a `Source` of runs lets go of runs that only wait (see `flowrt.engine.parking`): their rows are
all that is left of them, and the source brings them back when they are due.

What is wrong with one run is that run's affair: it is laid aside with the reason, and the others go on. A
store that cannot be reached is waited for.

One thread runs the engine. Executors report from threads of their own into a queue.
"""

from collections.abc import Callable
from functools import partial

from flowrt.clock import Clock
from flowrt.command import Command
from flowrt.encoding.values import Values
from flowrt.engine.active import ActiveRun
from flowrt.engine.actors import Actors
from flowrt.engine.blocked import Blocked
from flowrt.engine.caching import Caching
from flowrt.engine.care import StoreCare
from flowrt.engine.conduct import Conductor
from flowrt.engine.detach import Detacher
from flowrt.engine.held import HeldRuns
from flowrt.engine.inbox import Inbox
from flowrt.engine.locks import Locks
from flowrt.engine.once import unknown_outcomes
from flowrt.engine.pace import PACE, Pace
from flowrt.engine.parking import park_of
from flowrt.engine.perform import Performer
from flowrt.engine.portions import append_all
from flowrt.engine.source import Source
from flowrt.engine.tell import tell_taken_up
from flowrt.engine.timers import Timer, Timers
from flowrt.errors import ExecutorUnavailable, StoreError, StoreUnavailable
from flowrt.executor.port import AttemptKey, Executor, Outcome
from flowrt.interrupt import Interruption
from flowrt.mailbox import Mailbox
from flowrt.record import Ended
from flowrt.store.port import Blobs, Store
from flowrt.store.rows import RunStatus

PURE_MAX = 1_000
"""How many commands of one run are carried out in a turn before the world gets a hearing."""

RUN_US = 1_000_000
"""After what time the rest of them is left to the next turn: an expression, or a value that it reads from far
away, may take long, and the leases of all runs would run out meanwhile."""

TURN_MAX = 20_000
"""About how many of all runs: who had no turn then comes first in the next one."""

STORE_PAUSE_S = 0.5


class Engine:
    """Runs that this process owns, on one store and one executor."""

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        executor: Executor,
        clock: Clock,
        pace: Pace = PACE,
        source: Source | None = None,
    ) -> None:
        """Begin with no runs; the executor is started. Without a `source` runs are added by hand."""
        self._pace = pace
        self.store = store
        self.values = Values(blobs)
        self.executor = executor
        self.clock = clock
        self.timers = Timers()
        self.finished: dict[str, Ended] = {}
        self.runs = HeldRuns(executor)
        self._source = source
        self._arrived: Mailbox[tuple[AttemptKey, Outcome]] = Mailbox()
        self._care = StoreCare(store, self.runs, clock, pace, source)
        self._resting = True
        self._clean_at = clock.now()
        self._blocked = Blocked(clock)
        self._left = 0
        executor.start(self._report, blobs)

    @property
    def superseded(self) -> set[str]:
        """The runs that were taken from us."""
        return self._care.superseded

    def _report(self, key: AttemptKey, outcome: Outcome) -> None:
        self._arrived.post((key, outcome))

    def add(self, run: ActiveRun) -> None:
        """Take on a run whose journal has been folded."""
        ended = run.state.ended is not None
        if not ended and run.status != "running":
            run.wanted_status = "running"
        performer = Performer(self.values, run.facts, self.clock, run.state.catches)
        conductor = Conductor(
            run=run,
            store=self.store,
            values=self.values,
            executor=self.executor,
            timers=self.timers,
            clock=self.clock,
            inbox=Inbox(run.run_id, run.events_after),
            performer=performer,
            detacher=Detacher(run.program, run.facts, run.versions, self.store, performer),
            locks=Locks(run, self.store, performer),
            caching=Caching(self.store, run.facts, self.values, performer),
            actors=Actors(run, self.store),
        )
        if not ended:
            conductor.locks.take_up()
            for lost in unknown_outcomes(run.state, self.clock.now()):
                run.note(lost)
        self.runs.add(conductor)
        if run.head > 1 and not ended:
            tell_taken_up(run.run_id, run.epoch, run.head, often=run.served)
        if run.cancel is not None and not ended:
            conductor.note_cancel(run.cancel)

    def run(self, interrupt: Interruption, on_turn: Callable[[int], None] | None = None) -> None:
        """Go on until every run has ended or was taken from us, or `interrupt` is set.

        With a source there is no end but that. A store that cannot be reached or written is waited for,
        with nothing lost; a warning says so. So is an executor, by an engine with a source; another raises
        ExecutorUnavailable. `on_turn` is called after each turn with the instant.
        """
        while (self.runs or self.runs.given_up or self._source) and not interrupt.is_set():
            try:
                self._turn(interrupt)
            except (StoreUnavailable, ExecutorUnavailable) as error:
                if self._source is None and isinstance(error, ExecutorUnavailable):
                    raise
                self._resting = True
                self._blocked.say(error)
                interrupt.wait(STORE_PAUSE_S)
            else:
                self._blocked.say_no_more()
            if on_turn is not None:
                on_turn(self.clock.now())

    def _turn(self, interrupt: Interruption) -> None:
        self._resting = False
        self._flush()
        self._carry_out()
        self._flush()
        self._care.hand_over()
        self._settle()
        if (self.runs or self._source) and not self.runs.awake:
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
                self._retire_ended()
                self._care.release_given_up()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        failed: StoreError | None = None
        for conductor in self.runs:
            run = conductor.run
            self.runs.drop(conductor)
            if run.let_go:
                continue
            try:
                # One that is served is due at once for whoever serves the store.
                self.store.release(run.run_id, run.epoch, None if run.served else "suspended", wake_at=0)
            except StoreError as error:
                failed = error
        if failed is not None:
            raise failed

    # A turn

    def _carry_out(self) -> None:
        self.timers.prune(self._wants)
        self._fire(self.timers.due(self.clock.now()))
        self._left = TURN_MAX
        done: list[Conductor] = []
        for conductor in list(self.runs.awake.values()):
            if self._left <= 0:
                self.runs.put_behind(done)
                return
            self._care.renew_leases()  # There may be much to do.
            if self.runs.get(conductor.run.run_id) is conductor:
                self.runs.alone(conductor, partial(self._carry_out_run, conductor))
            done.append(conductor)

    def _wants(self, timer: Timer) -> bool:
        conductor = self.runs.get(timer.run_id)
        return conductor is not None and conductor.wants(timer)

    def _fire(self, due: list[Timer]) -> None:
        for index, timer in enumerate(due):
            try:
                self._care.renew_leases()
                conductor = self.runs.wake(timer.run_id)
                if conductor is not None:
                    self.runs.alone(conductor, partial(conductor.fire, timer))
            except (StoreUnavailable, ExecutorUnavailable):
                for later in due[index:]:
                    self.timers.set(later)
                raise

    def _carry_out_run(self, conductor: Conductor) -> None:
        done, until = 0, self.clock.now() + RUN_US
        while done < PURE_MAX and (commands := conductor.run.state.take()):
            count = self._carry_out_until(until, conductor, commands)
            done += count
            if count < len(commands):
                break
        self._left -= done
        conductor.submit()

    def _carry_out_until(self, until: int, conductor: Conductor, commands: list[Command]) -> int:
        """Carry out commands, one at least; how many there was time for."""
        state = conductor.run.state
        for index, command in enumerate(commands):
            try:
                # What one of them came to may have stopped the steps of others.
                if state.wants(command) and not conductor.locks.holds_back(command):
                    conductor.carry_out(command)
            except (StoreUnavailable, ExecutorUnavailable):
                state.put_back(commands[index:])
                raise
            if self.clock.now() >= until:
                state.put_back(commands[index + 1 :])
                return index + 1
        return len(commands)

    def _flush(self) -> None:
        dirty = [conductor for conductor in self.runs.awake.values() if conductor.run.dirty]
        now = self.clock.now()
        if not dirty:
            self._clean_at = now
            return
        for conductor in dirty:
            self.runs.alone(conductor, partial(conductor.make_blobs_young, now, self._clean_at))
        dirty = [conductor for conductor in dirty if self.runs.get(conductor.run.run_id) is conductor]
        stirs = any(conductor.run.stirs for conductor in dirty)
        for told in append_all(self.store, dirty):
            for one in told:
                if one.damage is not None:
                    self.runs.lay_aside(one.conductor, one.damage)
                elif one.lost:
                    self._care.give_up(one.conductor.run.run_id)
                else:
                    self._care.given_back(one.conductor.run.given_back)
                    self.runs.alone(one.conductor, one.conductor.flushed)
            self._care.renew_leases()
        if stirs:
            self._care.stir()
        self._clean_at = now

    def _settle(self) -> None:
        """See which of the runs that were awake have ended, which rest, and which may be let go."""
        not_before = self.clock.now() + self._pace.park_us
        for run_id, conductor in list(self.runs.awake.items()):
            run = conductor.run
            if run.state.ended is not None:
                self._retire(conductor)
            elif run.let_go:
                self.runs.drop(conductor)
            elif not conductor.busy:
                if self._source is not None and run.served:
                    run.parking = park_of(conductor, not_before)
                # What is open waits for an attempt, a timer or an event.
                status: RunStatus = "running" if run.in_flight else "waiting"
                if status != run.status:
                    run.wanted_status = status
                if not run.dirty:
                    del self.runs.awake[run_id]

    def _retire_ended(self) -> None:
        for conductor in self.runs:
            if conductor.run.state.ended is not None:
                self._retire(conductor)

    def _retire(self, conductor: Conductor) -> None:
        run, ended = conductor.run, conductor.run.state.ended
        assert ended is not None, "only runs that have ended are retired"
        if not run.let_go:
            self.runs.alone(conductor, partial(self.store.release, run.run_id, run.epoch))
        if self.runs.get(run.run_id) is not conductor:
            return
        self.runs.drop(conductor)
        if self._source is None:
            self.finished[run.run_id] = ended
        else:
            self._source.ended(run, ended)

    # The world

    def _await(self, interrupt: Interruption) -> None:
        if interrupt.is_set() or not self._arrived.empty():
            return
        self._look_at_clock()
        until = self._care.next_at()
        if self.timers.next_at is not None:
            until = min(until, self.timers.next_at)
        self._resting = True
        item = self._arrived.take(self.clock.timeout_s(until))
        self._resting = False
        if item is not None:
            self._take(item)

    def _drain(self) -> None:
        while (item := self._arrived.take_now()) is not None:
            self._take(item)

    def _take(self, item: tuple[AttemptKey, Outcome]) -> None:
        key, outcome = item
        conductor = self.runs.wake(key.run_id)
        if conductor is None:
            return
        try:
            self.runs.alone(conductor, partial(conductor.take_outcome, key, outcome))
        except StoreUnavailable:
            self._arrived.post(item)
            raise

    def _look_at_clock(self) -> None:
        """A clock that was put back must not hold up what is done every so often."""
        if self._care.clock_was_put_back():
            self._clean_at = self.clock.now()

    def _look_after_store(self) -> None:
        self._look_at_clock()
        self._care.renew_leases()
        self._care.release_given_up()
        self._care.look_for_news()
        self._care.look_for_fresh()
        now = self.clock.now()
        if self._source is not None and now >= self._source.next_at():
            room = self._pace.active_max - len(self.runs)
            for run in self._source.fetch(now, room, self.runs.owned):
                self.add(run)
