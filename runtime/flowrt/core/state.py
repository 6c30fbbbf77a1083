"""The state of a run: the fold of its records, and the commands that follow from it.

In: records, one by one, in the order of the journal. Out: commands. No I/O, no clock, no randomness:
instants stand in the records. Live and on every later fold the same records give the same state, so a
run that was killed goes on from `State` folded anew, with `take` giving everything that is still to do.

    state = State(program)
    for seq, record in enumerate(records):      state.apply(record, seq)
    for command in state.take():                carry it out, append the answer, apply it, take again
"""

from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

from flowrt.command import AwaitTimer, Command, EndRun, StartSleep, Unlock
from flowrt.core.actors import ends_turn
from flowrt.core.constructs import answer, frame_ended, open_step, stop_step
from flowrt.core.flows import flow_env
from flowrt.core.for_each import lay_aside
from flowrt.core.frame import Frame
from flowrt.core.machine import FrameEnded, Machine, OpenNode, StopStep
from flowrt.core.outcome import HALTED, Anew, Broken, Done, Halted, Left, Outcome
from flowrt.core.path import LIMIT, bodies_around, prefixes_of, root_prefix
from flowrt.core.plan import Plans
from flowrt.core.step_kind import kind_of
from flowrt.core.undo_failures import with_undo_failures
from flowrt.observer import Observer
from flowrt.program import ForEach, Lock, Program, Sleep
from flowrt.record import (
    Begun,
    CancelRequested,
    Ended,
    Failed,
    Failure,
    Fired,
    Received,
    Record,
    Reopened,
    Sleeping,
    Started,
    StepRecord,
)
from flowrt.value import Handle

TimerKind: TypeAlias = Literal["sleep", "pause", "bound", "limit"]
"""What a timer is for: a sleep (or the pause of a loop), the pause before a block's next attempt, the bound
on a block, the bound on the whole run."""


class HeldLock(NamedTuple):
    """A lock that a step has, or the turn of a call at an actor, which has no body inside of it."""

    step: str
    name: str
    limit: int
    has_body: bool


END = ""
"""The path under which the end of the run is commanded: no step has it."""


class State:
    """The state of one run. `ended` is the last record once it was applied."""

    def __init__(
        self, program: Program, observer: Observer | None = None, plans: Plans | None = None
    ) -> None:
        """Begin before the first record. `plans` may be shared by the runs of the program."""
        self.started: Started | None = None
        self.ended: Ended | None = None
        self.cancel_requested = False
        self._machine = Machine(program, observer, plans or Plans())
        self._root: Frame | None = None
        self._hops = 0
        self._failed_seqs: frozenset[int] = frozenset()
        self._given_back: set[int] = set()
        self._limit_seqs: tuple[int, ...] = ()
        self._undone: tuple[Anew, ...] = ()
        self._anew: Counter[str] = Counter()

    def apply(self, record: Record, seq: int) -> None:
        """Fold in the record with this number."""
        machine = self._machine
        match record:
            case Started():
                assert self.started is None, "a run starts once"
                self.started = record
                self._start(machine.program.main, dict(record.inputs))
                self._start_limit(dict(record.inputs))
            case CancelRequested():
                self._cancel()
            case Reopened():
                # What it voids was left out of the fold: see `flowrt.engine.fold`.
                self._anew.update(record.anew)
            case Ended():
                machine.withdraw(END)
                self.ended = record
            case _ if record.step == LIMIT:
                self._note_limit(record, seq)
            case _:
                step = machine.steps.get(record.step)
                if step is not None:
                    answer(machine, step, record, seq)
                elif isinstance(record, Received):
                    self._given_back.add(seq)
                elif isinstance(record, Begun):
                    machine.unknown[record.step] = seq
        self._work_off()

    def void(self, record: StepRecord) -> None:
        """Note where a record stood that counts no more. What it was of is open again, beside the rest."""
        for loop, index in bodies_around(record.step):
            step = self._machine.steps.get(loop)
            if step is not None and isinstance(step.node.op, ForEach):
                lay_aside(self._machine, step, step.node.op, index)
        self._work_off()

    def take(self) -> list[Command]:
        """The commands that have become possible since the last call, in order."""
        return self._machine.take()

    def put_back(self, commands: list[Command]) -> None:
        """Have `take` give these again, as far as they are still open."""
        for command in commands:
            if self.wants(command):
                self._machine.command(END if isinstance(command, EndRun) else command.step, command)

    def wants(self, command: Command) -> bool:
        """Whether a command that was taken is still open: a record may have stopped its step since."""
        path = END if isinstance(command, EndRun) else command.step
        return self._machine.open_command(path) is command

    @property
    def has_fresh(self) -> bool:
        """Whether `take` would give anything."""
        return self._machine.has_fresh

    @property
    def open_commands(self) -> list[Command]:
        """Every command that waits for its answer."""
        return list(self._machine.open_commands())

    def command(self, step: str) -> Command | None:
        """The open command of a step."""
        return self._machine.open_command(step)

    def is_open(self, step: str) -> bool:
        """Whether a command for this step waits for its answer."""
        return self._machine.open_command(step) is not None

    def timer_kind(self, step: str) -> TimerKind:
        """What the timer is for that is set for a path."""
        found = self._machine.steps.get(step)
        if found is None or found.tries is None:
            return "limit" if step == LIMIT else "sleep"
        return "bound" if found.tries.failed is None else "pause"

    @property
    def consumed(self) -> set[int]:
        """The numbers of the events that this run has taken."""
        return self._machine.consumed

    @property
    def failed_seqs(self) -> frozenset[int]:
        """The records without which the run would not have failed: see `flowrt.core.outcome.Broken`.

        With them goes what waits took after they had been stopped: other waits may have it.
        """
        return self._failed_seqs | self._given_back

    @property
    def undone(self) -> tuple[Anew, ...]:
        """The sagas that were undone when the run failed."""
        return self._undone

    @property
    def undoing(self) -> list[tuple[str, int]]:
        """The sagas that are being undone, each with how many undos are still to be begun."""
        return [(path, left) for path, left, is_undoing in self._sagas() if is_undoing]

    @property
    def has_undos(self) -> bool:
        """Whether something is undone now, or would be if the run were cancelled."""
        return any(left or is_undoing for _, left, is_undoing in self._sagas())

    @property
    def held_locks(self) -> list[HeldLock]:
        """The locks that the run has and needs, those first that it asked for first."""
        held = [
            (step.lock.seq, HeldLock(path, step.lock.name, step.lock.limit, isinstance(step.node.op, Lock)))
            for path, step in self._machine.steps.items()
            if step.lock is not None and step.lock.held and not isinstance(self.command(path), Unlock)
        ]
        return [lock for _, lock in sorted(held)]

    def lock_name(self, step: str) -> str:
        """The name of the lock that a step has, or waits for; empty for one that has asked for none."""
        found = self._machine.steps.get(step)
        return "" if found is None or found.lock is None else found.lock.name

    def ends_turn(self, record: StepRecord) -> bool:
        """Whether a record ends the turn of a call at an actor: see `flowrt.core.actors`."""
        step = self._machine.steps.get(record.step)
        return step is not None and ends_turn(step, record)

    def _sagas(self) -> Iterator[tuple[str, int, bool]]:
        for path, step in self._machine.steps.items():
            if step.saga is not None:
                yield path, len(step.saga.completed), step.saga.verdict is not None

    def catches(self, step: str) -> tuple[str, ...]:
        """The exception classes that `catch`, and `retry` of blocks, ask for around a step that runs."""
        found = self._machine.steps.get(step)
        return () if found is None else found.frame.catches

    def times_anew(self, step: str) -> int:
        """How often the saga around a step was undone and begun anew."""
        return sum(self._anew[prefix] for prefix in prefixes_of(step)) if self._anew else 0

    def _start(self, flow: str, given: dict[str, Handle]) -> None:
        machine = self._machine
        body = machine.program.flows[flow].body
        env = flow_env(machine, flow, given)
        self._root = machine.start_frame(body, root_prefix(self._hops), env, None)

    def _start_limit(self, given: dict[str, Handle]) -> None:
        program = self._machine.program
        timeout = program.flows[program.main].timeout
        if timeout is not None:
            env = flow_env(self._machine, program.main, given)
            self._machine.command(LIMIT, StartSleep(LIMIT, Sleep(duration=timeout), env))

    def _note_limit(self, record: StepRecord, seq: int) -> None:
        """The bound on the whole run is set, or reached. A run that is reopened gets a new one."""
        match record:
            case Sleeping(_, due_at):
                self._limit_seqs = (seq,)
                self._machine.command(LIMIT, AwaitTimer(LIMIT, due_at))
            case Fired():
                message = "The run did not end within the `timeout` of its flow."
                failure = Failure("flowrt.RunTimedOut", message)
                self._stop(Broken(failure, (seq,)))
            case Failed(_, failure):
                self._stop(Broken(failure, (seq,)))
            case _:
                raise AssertionError(f"a bound is not answered by {record}")

    def _cancel(self) -> None:
        self.cancel_requested = True
        self._stop(HALTED)

    def _stop(self, verdict: Broken | Halted) -> None:
        self._machine.withdraw(LIMIT)
        root = self._root
        if root is not None and self.ended is None and not self.is_open(END):
            root.blamed += verdict.seqs
            self._machine.stop_frame(root, verdict)

    def _work_off(self) -> None:
        machine = self._machine
        todo = machine.todo
        while todo:
            match todo.popleft():
                case OpenNode(frame, index):
                    if frame.closing:
                        machine.skip_open(frame)
                        continue
                    step = machine.make_step(frame, index)
                    if machine.observer is not None:
                        machine.observer.opened(step.path, kind_of(step.node.op))
                    open_step(machine, step)
                case FrameEnded(frame, outcome):
                    if frame.owner is None:
                        self._root_ended(outcome)
                    else:
                        frame_ended(machine, frame.owner, frame, outcome)
                case StopStep(step):
                    stop_step(machine, step)

    def _root_ended(self, outcome: Outcome) -> None:
        if not (isinstance(outcome, Left) and outcome.kind == "tail"):
            self._machine.withdraw(LIMIT)
        match outcome:
            case Left("tail", _, names, flow):
                self._hops += 1
                self._start(flow, dict(names))
            case Done(value) | Left(_, value):
                self._machine.command(END, EndRun("succeeded", value, None))
            case Broken(failure, seqs):
                # With the bound on the run: who goes on behind the failure has all of its time again.
                whole = (*seqs, *self._limit_seqs)
                self._failed_seqs = frozenset(seq for seq in whole if not isinstance(seq, Anew))
                self._undone = tuple(seq for seq in seqs if isinstance(seq, Anew))
                told = with_undo_failures(failure, self._machine.undo_failures)
                self._machine.command(END, EndRun("failed", None, told))
            case Halted():
                self._machine.command(END, EndRun("cancelled", None, self._not_undone()))

    def _not_undone(self) -> Failure | None:
        """What is to be told of a cancelled run: the undos that failed."""
        failures = self._machine.undo_failures
        if not failures.count:
            return None
        message = "The run was cancelled, and not all that it had done was undone."
        name = "flowrt.UndoFailed"
        if failures.finally_count == failures.count:
            message = "The run was cancelled, and not all that `finally` had to do was done."
            name = "flowrt.FinallyFailed"
        return with_undo_failures(Failure(name, message, failures.step), failures)
