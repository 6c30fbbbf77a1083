"""Serving: an engine that takes whatever runs of a store are due, until it is told to stop.

Several may serve one store: they share the runs by claiming, and what one of them held when it died is
due again when its lease ends, or at once when it was a process of this machine.

In: a store, blobs, an executor, hooks that want to be called at instants (schedules). Out: runs that end.
What is notable goes to the logger `flowrt.serve`, one line each.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from flowrt.clock import Clock, WallClock
from flowrt.engine.active import ActiveRun
from flowrt.engine.engine import Engine
from flowrt.engine.load import Loader
from flowrt.engine.pace import PACE, Pace
from flowrt.errors import FlowrtError, StoreCorrupt, StoreError, StoreUnavailable
from flowrt.executor.port import Executor
from flowrt.interrupt import Interruption
from flowrt.record import Ended
from flowrt.store.owner import this_owner
from flowrt.store.port import Blobs, Store
from flowrt.store.rows import JournalRow, RunRow, RunStatus

CLAIM_MAX = 500
"""How many runs are claimed in one transaction."""

LOAD_US = 2_000_000
"""How long runs are loaded before the engine has a turn. Much longer, and the leases of those that it holds
would run out: of two engines with long journals each would take from the other what it is loading."""

HOOK_PAUSE_US = 60_000_000
"""After what time a hook is called again that has failed."""

LOOK_FOR_DEAD_US = 1_000_000

ELSEWHERE_US = 60_000_000
"""How long a run that cannot go on here is left to other servers before it is looked at again."""

LOG = logging.getLogger("flowrt.serve")

Mismatches = Callable[[RunRow], Sequence[str]]


class Hook(Protocol):
    """Something that is to be done at instants, in the engine's thread."""

    def tick(self, now: int) -> int:
        """Do what is due and return the next instant. Raises StoreUnavailable: it is called again."""
        ...


@dataclass(slots=True)
class _Alarm:
    at: int
    hook: Hook


class Claims:
    """The runs that are due, claimed for one engine. Implements `flowrt.engine.source.Source`."""

    def __init__(
        self,
        store: Store,
        loader: Loader,
        clock: Clock,
        pace: Pace,
        hooks: Sequence[Hook],
        mismatches: Mismatches,
    ) -> None:
        """Claim from `store`, as a process of our own; a run with `mismatches` is laid aside."""
        self._store = store
        self._loader = loader
        self._pace = pace
        self._mismatches = mismatches
        self._owner = this_owner()
        self._alarms = [_Alarm(0, hook) for hook in hooks]
        self._clock = clock
        self._claimed: list[RunRow] = []
        self._in_doubt = False
        self._claim_max = CLAIM_MAX
        self._too_many = False
        self._claim_at = 0
        self._dead_at = 0
        self._looked_at = 0

    def next_at(self) -> int:
        """When it is worth asking again."""
        return min([self._claim_at, *(alarm.at for alarm in self._alarms)])

    def hurry(self, at: int) -> None:
        """Others may have become due by what was just written: claim at that instant, if not earlier."""
        self._claim_at = min(self._claim_at, at)

    def clock_put_back(self) -> None:
        """The clock shows less than before: what is done every so often is due now."""
        self._claim_at = self._dead_at = 0
        for alarm in self._alarms:
            alarm.at = 0

    def fetch(self, now: int, room: int, held: Callable[[], Mapping[str, int]]) -> list[ActiveRun]:
        """Runs that are due, claimed and loaded; at most `room`. Raises StoreUnavailable.

        `held` are those that the engine has already, by id and epoch.
        """
        for alarm in self._alarms:
            if now >= alarm.at:
                alarm.at = _tick(alarm.hook, now)
        if now >= self._dead_at:
            self._store.free_locks(now)
            freed = self._store.free_dead()
            if freed:
                LOG.info("%d runs of processes that have died are due again", freed)
            self._dead_at = now + LOOK_FOR_DEAD_US
            self._looked_at = self._store.call_damaged(self._looked_at)
        self._drop_stale(now)
        if self._in_doubt:
            self._free_unknown(held())
        if not self._claimed:
            self._claim(now, room)
        return self._load()

    def _drop_stale(self, now: int) -> None:
        """See to what was claimed and could not be loaded at once."""
        if self._too_many:
            self.give_back()
            self._too_many = False
        if self._claimed and self._claimed[0].lease_until <= now:
            self._claimed.clear()  # Another engine may have them by now; else they are due again.

    def _claim(self, now: int, room: int) -> None:
        limit = min(room, self._claim_max)
        pace = self._pace
        if limit <= 0:
            self._claim_at = now + pace.news_us
            return
        self._in_doubt = True
        self._claimed = self._store.claim_due(self._owner, now, now + pace.lease_us, limit, pace.ahead_us)
        self._in_doubt = False
        # Of a full hand there may be more.
        self._claim_at = now if len(self._claimed) == limit else now + pace.news_us

    def _free_unknown(self, held: Mapping[str, int]) -> None:
        """The answer to a claim was lost: what it may have claimed is not to rest until its lease ends."""
        known = {**held, **{row.run_id: row.epoch for row in self._claimed}}
        freed = self._store.free_unknown(self._owner, known)
        if freed:
            LOG.info("%d runs whose claim was not confirmed are due again", freed)
        self._in_doubt = False

    def _load(self) -> list[ActiveRun]:
        """Load what was claimed. What a lost connection leaves over is loaded the next time.

        What takes too long to load is given back, and less is claimed the next time.
        """
        if not self._claimed:
            return []
        until = self._clock.now() + LOAD_US
        journals = self._journals()
        loaded: list[ActiveRun] = []
        while self._claimed:
            if loaded and self._clock.now() >= until:
                self._too_many, self._claim_max = True, len(loaded)
                return loaded
            row = self._claimed[-1]
            try:
                run = self._loaded(row, journals)
            except StoreUnavailable:
                if loaded:
                    break
                raise
            self._claimed.pop()
            if run is not None:
                loaded.append(run)
        self._claim_max = min(CLAIM_MAX, 2 * self._claim_max)
        return loaded

    def _journals(self) -> Mapping[str, Sequence[JournalRow]]:
        """The journals of what was claimed; none when one cannot be read: then each is read alone."""
        try:
            return self._store.journals([row.run_id for row in self._claimed])
        except StoreCorrupt:
            return {}

    def _loaded(self, row: RunRow, journals: Mapping[str, Sequence[JournalRow]]) -> ActiveRun | None:
        """A run, or None when it cannot go on here: then it is laid aside with the reason."""
        try:
            problem = "; ".join(self._mismatches(row))
            if problem:
                self._leave_to_others(row, problem)
                return None
            return self._loader.load(row, row.epoch, journal=journals.get(row.run_id))
        except StoreUnavailable:
            raise
        except FlowrtError as error:
            problem = str(error)
        except Exception as error:  # One run must not end the service.
            LOG.exception("run %s cannot be loaded", row.run_id)
            problem = f"flowc failed: {type(error).__name__}: {error}"
        self._release(row, "suspended", problem=problem)
        LOG.error("run %s is laid aside: %s", row.run_id, problem)
        return None

    def _leave_to_others(self, row: RunRow, problem: str) -> None:
        """A run that cannot go on in this environment may in that of another server of the store."""
        wake_at = self._clock.now() + ELSEWHERE_US
        self._release(row, wake_at=wake_at, problem=problem)
        LOG.error("run %s cannot go on here: %s", row.run_id, problem)

    def end(self) -> None:
        """Release all that is ours in the store once the engine has let go of its runs. Raises StoreError."""
        self.give_back()
        if self._in_doubt:
            self._free_unknown({})

    def give_back(self) -> None:
        """Release what was claimed and never loaded. Raises StoreError."""
        while self._claimed:
            row = self._claimed[-1]
            self._release(row, wake_at=0)
            self._claimed.pop()

    def _release(
        self,
        row: RunRow,
        status: RunStatus | None = None,
        *,
        wake_at: int | None = None,
        problem: str | None = None,
    ) -> None:
        """Give a run up. One so damaged that it cannot be told keeps its lease until that ends.

        Raises StoreUnavailable.
        """
        try:
            self._store.release(row.run_id, row.epoch, status, wake_at=wake_at, problem=problem)
        except StoreUnavailable:
            raise
        except StoreError as error:
            LOG.error("run %s cannot be given up: %s", row.run_id, error)  # noqa: TRY400 - the store's sentence says it

    def ended(self, run: ActiveRun, ended: Ended) -> None:
        """A run has ended, durably."""
        why = f": {ended.failure.type}: {ended.failure.message}" if ended.failure else ""
        LOG.info("run %s %s%s", run.run_id, ended.status, why)

    def lost(self, run_id: str) -> None:
        """Another engine has taken a run."""
        LOG.warning("run %s was taken over by another process", run_id)

    def laid_aside(self, run_id: str, problem: str) -> None:
        """A run cannot go on, and was given up as suspended with that problem."""
        LOG.error("run %s is laid aside: %s", run_id, problem)


def _tick(hook: Hook, now: int) -> int:
    """Call a hook. What is wrong with it is not the affair of the runs. Raises StoreUnavailable."""
    try:
        return hook.tick(now)
    except StoreUnavailable:
        raise
    except Exception:  # A hook must not end the service.
        LOG.exception("%s has failed, and is called again in a minute", type(hook).__name__)
        return now + HOOK_PAUSE_US


def serve(  # noqa: PLR0913 - the parts of an engine, and what it serves
    store: Store,
    blobs: Blobs,
    executor: Executor,
    *,
    interrupt: Interruption,
    hooks: Sequence[Hook] = (),
    mismatches: Mismatches = lambda _: (),
    on_turn: Callable[[int], None] | None = None,
    clock: Clock | None = None,
    pace: Pace = PACE,
) -> None:
    """Move on the runs of a store that are due, until `interrupt` is set; then give them up to others.

    A store or an executor that cannot be reached is waited for. `mismatches` says why a run cannot go on
    here. `on_turn` is called after each turn with the instant: for a sign of life.
    Raises StoreError when the store is damaged, or cannot be reached at the very end.
    """
    clock = clock or WallClock()
    claims = Claims(store, Loader(store, clock), clock, pace, hooks, mismatches)
    engine = Engine(store, blobs, executor, clock, pace, claims)
    try:
        engine.run(interrupt, on_turn)
    finally:
        try:
            engine.suspend()
        finally:
            claims.end()
