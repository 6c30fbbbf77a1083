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

from collections.abc import Mapping, Sequence, Set
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
    what is to be done then. `missing` is what any of these want without a place in the queue. `fresh`: it is
    to be looked without any news. `unchecked`: the state was not held against the store yet.

    What has no place is asked for at the end of a look, and a flush follows each look: what was asked for
    where commands are carried out might be given back in the same transaction, which gives back first.
    """

    run: ActiveRun
    store: Store
    performer: Performer
    waiting: dict[str, AwaitLock] = field(default_factory=dict[str, AwaitLock])
    lost: dict[str, LockRequest] = field(default_factory=dict[str, LockRequest])
    kept_back: list[Command] = field(default_factory=list[Command])
    again: dict[str, Command | None] = field(default_factory=dict[str, "Command | None"])
    missing: dict[str, LockRequest] = field(default_factory=dict[str, LockRequest])
    fresh: bool = False
    unchecked: bool = False

    @property
    def waits(self) -> bool:
        """Whether a lock is waited for."""
        return bool(self.waiting or self.lost or self.again)

    def waits_for(self, names: Set[str]) -> bool:
        """Whether one of these locks is waited for."""
        if any(command.lock in names for command in self.waiting.values()):
            return True
        if any(one.name in names for one in self.lost.values()):
            return True
        return any(self.run.state.lock_name(step) in names for step in self.again)

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

    def holds_back(self, command: Command) -> bool:
        """Whether a command has to wait until the run has its locks back; it is kept for then."""
        if isinstance(command, StopTask):
            self.again.pop(command.step, None)
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
            case AwaitLock(step, name, limit):
                self.waiting[step] = command
                if step not in self.run.places:
                    self.missing[step] = LockRequest(step, name, limit)
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
        hit("lock.given_back")
        if self.lost.pop(step, None) is not None:
            self._has_again()

    def all_given_back(self) -> tuple[str, ...]:
        """The run ends, and has nothing any more: the steps that still have a place."""
        steps = tuple(sorted(self.run.places))
        self.run.places.clear()
        for open_ in (self.waiting, self.lost, self.again, self.missing):
            open_.clear()
        return steps

    # Looking

    def look(self, answers: Sequence[LockRow] | None = None) -> None:
        """See what has come. Raises StoreError, LocksGone.

        `answers` are its places that have got their locks, or never will, if they were read already.
        """
        if self.run.requests:
            return  # What is asked for is not in the store yet.
        if answers is None or self.unchecked:
            answers = self.store.locks_of([self.run.run_id], answered=not self.unchecked)
        self.fresh = False  # Not before the store has answered: a run that has not looked must not be let go.
        if self.unchecked:
            self._check({row.step: row for row in answers})
        for row in answers:
            if row.granted or row.problem is not None:
                self._answered(row)
        self._ask_missing()

    def _check(self, places: Mapping[str, LockRow]) -> None:
        """Hold what the state has against all places of the run."""
        self.unchecked = False
        self.run.places |= set(places)
        for step, name, limit, has_body in self.run.state.held_locks:
            row = places.get(step)
            if row is not None and row.granted:
                continue
            self.missing[step] = request = LockRequest(step, name, limit)
            if has_body:
                self.lost[step] = request
            else:
                self.again[step] = None
        self._go_on()

    def _answered(self, row: LockRow) -> None:
        step = row.step
        if step in self.run.answered or self._is_inside(step):
            return
        if step in self.lost:
            if row.problem is not None:
                raise LocksGone(row.problem)
            del self.lost[step]
            self._has_again()
        elif step in self.waiting or step in self.again:
            self._has_come(row, self.waiting.pop(step, None) or self.again.pop(step, None))

    def _has_come(self, row: LockRow, command: Command | None) -> None:
        """What a step waited for with this command has come, or never will."""
        step = row.step
        if row.problem is not None:
            self.run.places.discard(step)
            now = self.performer.clock.now()
            failure = Failure("flowrt.LocksInCircle", row.problem, step)
            self.run.note(Failed(step, failure, 1, now, now), along=Along(unlocks=(step,)))
        elif not isinstance(command, AwaitLock):
            self._put_back([] if command is None else [command])
        elif self.run.state.command(step) is command:
            self.run.note(Locked(step))
            hit("lock.got")

    def _has_again(self) -> None:
        """A lost lock is there again, or needed no more."""
        self.fresh = True  # What is inside of it may be asked for, or be there.
        self._go_on()

    def _ask_missing(self) -> None:
        """Ask for what has no place, unless it is inside of a lock that is lost."""
        free = [step for step in self.missing if not self._is_inside(step)]
        requests = [self.missing.pop(step) for step in free]
        wanted = [
            one for one in requests if one.step not in self.run.places and self._is_waited_for(one.step)
        ]
        if wanted:
            self.run.requests = tuple(self._asked_now(one) for one in wanted)
            self.run.places |= {one.step for one in wanted}
            self.run.parking = None
            self.fresh = True

    def _is_waited_for(self, step: str) -> bool:
        return step in self.lost or step in self.waiting or step in self.again

    def _asked_now(self, request: LockRequest) -> LockRequest:
        return replace(request, at=self.performer.clock.now())

    def _go_on(self) -> None:
        """Carry out what was kept back and is inside of nothing that is lost any more."""
        kept, self.kept_back = self.kept_back, []
        for command in kept:
            assert not isinstance(command, EndRun), "the end of a run is not kept"
            if self._is_inside(command.step):
                self.kept_back.append(command)
            else:
                self._put_back([command])

    def _put_back(self, commands: list[Command]) -> None:
        """Have these carried out: a run that was about to be let go is kept for that."""
        self.run.parking = None
        self.run.state.put_back(commands)
