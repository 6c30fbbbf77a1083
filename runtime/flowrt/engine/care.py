"""What an engine does at the store every so often: leases, news, runs that are given up.

In: the runs that it holds, and the time. Out: leases that are renewed, runs that something has happened to
awake, those that are lost or damaged dropped.

Each of these concerns many runs at once, and none may take so long that a lease runs out meanwhile: an event
that thousands of runs wait for only marks their waits, which then look one after another, a part of them in
each turn, with a look at the leases in between.
"""

from collections.abc import Sequence
from functools import partial

from flowrt.clock import Clock
from flowrt.engine.conduct import Conductor
from flowrt.engine.held import HeldRuns
from flowrt.engine.pace import Pace
from flowrt.engine.source import Source
from flowrt.errors import StoreCorrupt, StoreError, StoreUnavailable, WrongStoreKey
from flowrt.store.port import Store
from flowrt.store.rows import LockRow

LOOK_US = 1_000_000
"""How long waits look for their events before the engine does something else."""


FREE_US = 1_000_000
"""How often it is seen to what runs hold that nobody goes on with, while others wait for it."""


STIR_US = 10_000
"""How long at least is between two looks at the store, however much is written meanwhile: who is due by it is
not to wait for long, and a loop of events is not to be all looks."""


class StoreCare:
    """Keeps what an engine holds and what the store says of it in step. `superseded` were taken from us."""

    def __init__(self, store: Store, runs: HeldRuns, clock: Clock, pace: Pace, source: Source | None) -> None:
        """Everything is due at once."""
        self.superseded: set[str] = set()
        self._store = store
        self._runs = runs
        self._clock = clock
        self._pace = pace
        self._source = source
        self._renew_at = self._held_until = 0
        self._news_at = self._free_at = self._hurried_at = 0
        self._last_event_id = -1
        self._given_back: set[str] = set()
        self._last_now = self._looked_at = clock.now()

    def next_at(self) -> int:
        """When something is to be done again."""
        until = min(self._renew_at, self._news_at)
        return until if self._source is None else min(until, self._source.next_at())

    def clock_was_put_back(self) -> bool:
        """Whether the clock shows less than at the last look: then all that waits for an instant is due."""
        now, last = self._clock.now(), self._last_now
        self._last_now = now
        if now < last:
            self._renew_at = self._news_at = self._free_at = self._hurried_at = 0
            if self._source is not None:
                self._source.clock_put_back()
        return now < last

    def give_up(self, run_id: str) -> None:
        """Another engine has taken the run: nothing of ours counts any more."""
        conductor = self._runs.get(run_id)
        if conductor is None:
            return
        self._runs.drop(conductor)
        if self._source is None:
            self.superseded.add(run_id)
        else:
            self._source.lost(run_id)

    def renew_leases(self) -> None:
        """Renew the leases when it is time. Raises StoreError."""
        now = self._clock.now()
        if now >= self._renew_at:
            for run_id in self._store.renew(self._runs.epochs(), now + self._pace.lease_us):
                self.give_up(run_id)
            self._renew_at = now + self._pace.renew_us
            self._held_until = now + self._pace.lease_us

    def stir(self) -> None:
        """Something was written that others may wait for: look soon, though not after every word of it."""
        self._news_at = min(self._news_at, self._looked_at + STIR_US)
        self._hurry()

    def _hurry(self) -> None:
        """Others may be due: claim them now, though not more often than that."""
        now = self._clock.now()
        if self._source is not None and now >= self._hurried_at:
            self._hurried_at = max(now, self._hurried_at + STIR_US)
            self._source.hurry(self._hurried_at)

    def release_given_up(self) -> None:
        """Tell the store which runs were laid aside, and why. Raises StoreUnavailable.

        One that is so damaged that not even that can be written is told of here alone; its lease ends.
        """
        while self._runs.given_up:
            run_id, epoch, problem = self._runs.given_up[-1]
            try:
                self._store.release(run_id, epoch, "suspended", problem=problem)
            except StoreUnavailable:
                raise
            except StoreError as error:
                problem = f"{problem} That cannot be written to the store: {error}"
            self._runs.given_up.pop()
            if self._source is not None:
                self._source.laid_aside(run_id, problem)
                self._runs.broken.pop(run_id, None)

    def look_for_fresh(self) -> None:
        """Let waits that have begun, or that there is news for, look for their events.

        Raises StoreUnavailable.
        """
        until = self._clock.now() + LOOK_US
        for conductor in list(self._runs.awake.values()):
            if not (conductor.inbox.fresh or conductor.locks.fresh):
                continue
            self.renew_leases()
            if self._runs.get(conductor.run.run_id) is conductor:
                self._runs.alone(conductor, partial(conductor.look_for_fresh, until))
            if self._clock.now() >= until:
                return

    def given_back(self, names: set[str]) -> None:
        """Locks were given back: to runs that wait here, which look at once, or that are due now."""
        if names:
            self._given_back |= names
            self._hurry()

    def hand_over(self) -> None:
        """Let those look who wait for what was given back. Raises StoreError."""
        names, self._given_back = self._given_back, set()
        if names:
            self._look_for_locks([one for one in self._waiting() if one.locks.waits_for(names)])

    def _waiting(self) -> list[Conductor]:
        """The runs that wait for locks here. One that has just been let go is another's."""
        return [one for one in self._runs if one.locks.waits and not one.run.let_go]

    def _look_for_locks(self, waiting: Sequence[Conductor]) -> None:
        """See what has come of what these runs wait for."""
        if not waiting:
            return
        rows = self._answers(waiting)
        for conductor in waiting:
            run_id = conductor.run.run_id
            answers = None if rows is None else rows.get(run_id, [])
            self._runs.alone(conductor, partial(conductor.locks.look, answers))
            if conductor.busy:
                self._runs.wake(run_id)

    def _answers(self, waiting: Sequence[Conductor]) -> dict[str, list[LockRow]] | None:
        """What some runs have got; None when a place is damaged: then each run is to look for itself."""
        rows: dict[str, list[LockRow]] = {}
        try:
            for row in self._store.locks_of([one.run.run_id for one in waiting], answered=True):
                rows.setdefault(row.run_id, []).append(row)
        except (StoreCorrupt, WrongStoreKey):
            return None
        return rows

    def _free_locks(self, now: int) -> None:
        """Give away the locks of runs that nobody goes on with, having said that we go on with ours."""
        if now >= self._free_at:
            if now >= self._held_until:
                self._renew_at = 0
                self.renew_leases()
            self._store.free_locks(now)
            self._free_at = now + FREE_US

    def look_for_news(self) -> None:
        """Ask what has happened outside, when it is time. Raises StoreError."""
        now = self._clock.now()
        if now < self._news_at:
            return
        news = self._store.news(self._runs.epochs(), self._last_event_id)
        for run_id, cancel in news.cancels.items():
            conductor = self._runs.wake(run_id)
            if conductor is not None:
                self._runs.alone(conductor, partial(conductor.note_cancel, cancel))
        if news.last_event_id != self._last_event_id:
            for conductor in self._runs:
                if conductor.inbox.freshen(news.places):
                    self._runs.wake(conductor.run.run_id)
            self._last_event_id = news.last_event_id
        if self._waiting():
            self._free_locks(now)
            self._look_for_locks(self._waiting())
        self._looked_at = now
        self._news_at = now + self._pace.news_us
