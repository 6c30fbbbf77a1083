"""Locks of one run: asking for them, looking whether they have come, giving them back.

In: commands of the core, rows of the store's queues. Out: records noted in the run, with what the store
has to do in their transactions.

The store says who holds a lock. A run that nobody went on with may have lost what it had: it was killed, or
interrupted, or has failed and is resumed behind its failure. The state that is folded from its journal is
inside of a lock all the same. So when a run is taken up, what the state has is held against the store, and
what the store has given to others is asked for again, of those inside of each other the outermost first.
Until a lock is there, nothing inside of it goes on but what stops it; everything else does. More cannot be
waited for: bodies that failed one after another in the same lock are all inside of it when who has mended
the cause goes on behind the failures, and the second gets it when the first has given it back. A call of an
actor's method has nothing inside of it: when its turn has gone to others, that call alone waits for another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flowrt.amounts import keyed_lock_name, lock_name, whole_number
from flowrt.command import (
    AskTurn,
    AwaitLock,
    AwaitTimer,
    BeginTask,
    Command,
    EndRun,
    RunTask,
    StartLock,
    StartSleep,
    StopTask,
    Unlock,
)
from flowrt.core.path import prefixes_of
from flowrt.engine.active import ActiveRun, Along
from flowrt.engine.perform import Performer
from flowrt.errors import LocksGone
from flowrt.expr.evaluate import evaluate
from flowrt.expr.tree import Expr
from flowrt.failpoint import hit
from flowrt.noun import replace
from flowrt.record import Failed, Failure, Locked, Queued, Unlocked
from flowrt.store.port import Store
from flowrt.store.rows import LockRequest, LockRow


@dataclass(slots=True)
class Locks:
    """What a run has in the queues.

    `waiting` are the locks that steps wait for. `lost` are those that the run needs back, by their steps;
    `kept_back` are the commands that wait for that. `again` are the calls that need their turn back, with
    what is to be done then. `fresh`: it is to be looked without any news. `unchecked`: the state was not
    held against the store yet.
    """

    run: ActiveRun
    store: Store
    performer: Performer
    waiting: dict[str, AwaitLock] = field(default_factory=dict[str, AwaitLock])
    lost: dict[str, LockRequest] = field(default_factory=dict[str, LockRequest])
    kept_back: list[Command] = field(default_factory=list[Command])
    again: dict[str, Command | None] = field(default_factory=dict[str, "Command | None"])
    fresh: bool = False
    unchecked: bool = False

    @property
    def waits(self) -> bool:
        """Whether a lock is waited for."""
        return bool(self.waiting or self.lost or self.again)

    @property
    def names(self) -> set[str]:
        """The locks that are waited for."""
        awaited = {command.lock for command in self.waiting.values()}
        lost = {self.lost[step].name for step in self._asked_for()}
        return awaited | lost | {self.run.state.lock_name(step) for step in self.again}

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that wait for locks."""
        return (*self._asked_for(), *self.waiting, *self.again)

    def _asked_for(self) -> list[str]:
        """Of the locks that are lost, those that are not inside of others."""
        return [step for step in self.lost if not self._is_inside(step)]

    def _is_inside(self, path: str) -> bool:
        """Whether a step is inside of a lock that is lost."""
        return bool(self.lost) and any(around.removesuffix(".") in self.lost for around in prefixes_of(path))

    def take_up(self) -> None:
        """A run was taken up: what its state has of locks is held against the store before it goes on."""
        open_ = any(isinstance(command, AwaitLock) for command in self.run.state.open_commands)
        self.fresh = self.unchecked = open_ or bool(self.run.state.held_locks)

    def _check(self, places: Mapping[str, LockRow]) -> None:
        self.unchecked = False
        self.run.places |= set(places)
        for step, name, limit, has_body in self.run.state.held_locks:
            row = places.get(step)
            if row is not None and row.granted:
                continue
            if has_body:
                self.lost[step] = LockRequest(step, name, limit)
            else:
                self.again[step] = None
        self._go_on()

    def _request(self, request: LockRequest) -> None:
        self.run.requests = (*self.run.requests, self._asked_now(request))
        self.run.parking = None
        self.run.places.add(request.step)
        self.fresh = True

    def _asked_now(self, request: LockRequest) -> LockRequest:
        return replace(request, at=self.performer.clock.now())

    def holds_back(self, command: Command) -> bool:
        """Whether a command has to wait until the run has its locks back; it is kept for then."""
        if not self.is_kept(command):
            return False
        assert not isinstance(command, EndRun), "the end of a run is not kept"
        if self.unchecked or self._is_inside(command.step):
            self.kept_back.append(command)
        else:
            self.again[command.step] = command
            self.fresh = True
        return True

    def is_kept(self, command: Command) -> bool:
        """Whether a command is one of those that wait for that."""
        if isinstance(command, StopTask | Unlock | EndRun) or self._bounds(command):
            return False
        if self.unchecked or self._is_inside(command.step):
            return True
        return command.step in self.again and isinstance(command, RunTask | BeginTask)

    def _bounds(self, command: Command) -> bool:
        """Whether a command sees to it that something is stopped in time: that does not wait for locks."""
        if isinstance(command, StartSleep | AwaitTimer):
            return self.run.state.timer_kind(command.step) in ("bound", "limit")
        return False

    # Commands

    def carry_out(self, command: StartLock | AskTurn | AwaitLock | Unlock) -> None:
        """Do what a command says."""
        match command:
            case StartLock(_, lock):
                self._ask(command, lock.name, lock.key, lock.limit)
            case AskTurn(_, name, key):
                self._ask(command, name, key, None)
            case AwaitLock(step):
                self.waiting[step] = command
                self.fresh = True
            case Unlock(step):
                self._give_back(step)

    def _ask(self, command: StartLock | AskTurn, name: str, key: Expr | None, limit: Expr | None) -> None:
        """Take a place in the queue."""

        def work() -> Queued:
            env = self.performer.env(command.env)
            whole = lock_name(name) if key is None else keyed_lock_name(name, evaluate(key, env))
            most = 1 if limit is None else whole_number("limit", evaluate(limit, env), 1)
            return Queued(command.step, whole, most)

        record = self.performer.guard(command.step, work)
        if isinstance(record, Failed):
            self.run.note(record)
            return
        self.run.places.add(record.step)
        asked = self._asked_now(LockRequest(record.step, record.lock, record.limit))
        self.run.note(record, along=Along(lock=asked))
        hit("lock.asked")

    def _give_back(self, step: str) -> None:
        """Give a lock back, or the place in its queue."""
        self.waiting.pop(step, None)
        self.run.note(Unlocked(step), along=Along(unlocks=(step,)))
        self.run.places.discard(step)
        self.fresh = self.fresh or bool(self.waiting)  # It may be for another step of this run.
        hit("lock.given_back")
        if self.lost.pop(step, None) is not None:
            self._go_on()

    def all_given_back(self) -> tuple[str, ...]:
        """The run ends, and has nothing any more: the steps that still have a place."""
        steps = tuple(sorted(self.run.places))
        self.run.places.clear()
        for open_ in (self.waiting, self.lost, self.again):
            open_.clear()
        return steps

    # Looking

    def look(self, rows: Sequence[LockRow] | None = None) -> None:
        """See what has come. Raises StoreError, LocksGone."""
        if self.run.requests:
            return  # What is asked for is not in the store yet.
        if rows is None:
            rows = self.store.locks_of([self.run.run_id])
        self.fresh = False  # Not before the store has answered: a run that has not looked must not be let go.
        places = {row.step: row for row in rows}
        if self.unchecked:
            self._check(places)
        self._look_for_lost(places)
        for step, command in list(self.waiting.items()):
            if self.run.state.command(step) is not command:
                del self.waiting[step]  # It was told to stop.
            elif step not in self.run.answered:
                self._look_for(command, places.get(step))
        for step in list(self.again):
            self._look_for_turn(step, places.get(step))

    def _look_for(self, command: AwaitLock, row: LockRow | None) -> None:
        step = command.step
        if row is None:
            self._request(LockRequest(step, command.lock, command.limit))
        elif row.problem is not None:
            del self.waiting[step]
            self.run.places.discard(step)
            now = self.performer.clock.now()
            failure = Failure("flowrt.LocksInCircle", row.problem, step)
            self.run.note(Failed(step, failure, 1, now, now), along=Along(unlocks=(step,)))
        elif row.granted:
            del self.waiting[step]
            self.run.note(Locked(step))
            hit("lock.got")

    def _look_for_turn(self, step: str, row: LockRow | None) -> None:
        """A call that needs its turn back."""
        if not isinstance(self.run.state.command(step), RunTask | BeginTask):
            del self.again[step]  # It was told to stop.
        elif self._is_inside(step):
            pass
        elif row is None:
            # What is asked for in a look is in the store before anything is given back: the same transaction
            # would give back first.
            self._request(LockRequest(step, self.run.state.lock_name(step), 1))
        elif row.granted:
            kept = self.again.pop(step)
            self.run.state.put_back([] if kept is None else [kept])

    def _look_for_lost(self, places: Mapping[str, LockRow]) -> None:
        """Ask for what is lost, the outermost first, and see whether it has come."""
        before = len(self.lost)
        for step, request in list(self.lost.items()):
            row = places.get(step)
            if self._is_inside(step):
                continue
            if row is None:
                self._request(request)
            elif row.problem is not None:
                raise LocksGone(row.problem)
            elif row.granted:
                del self.lost[step]
        if len(self.lost) < before:
            self._go_on()

    def _go_on(self) -> None:
        """Carry out what was kept back and is inside of nothing that is lost any more."""
        kept, self.kept_back = self.kept_back, []
        for command in kept:
            assert not isinstance(command, EndRun), "the end of a run is not kept"
            if self._is_inside(command.step):
                self.kept_back.append(command)
            else:
                self.run.state.put_back([command])
