"""The machine: frames, steps, open commands, and the list of what is to be done next.

It knows bodies and nothing of constructs: how a `for` goes on when one of its bodies ends is in
`flowrt.core.constructs`. Every operation here only notes what follows in `todo`; `flowrt.core.state`
works the list off. So a run of any depth needs no deeper Python stack, and one record costs what it makes
possible, not what there is.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from flowrt.command import Command
from flowrt.core.frame import Frame, Step
from flowrt.core.outcome import HALTED, Blame, Broken, Done, Halted, Left, Outcome
from flowrt.core.path import block_prefix, prefixes_of
from flowrt.core.plan import Plans
from flowrt.core.undo_failures import UndoFailures
from flowrt.observer import Observer
from flowrt.program import Body, Param, Program, Source
from flowrt.record import Failure
from flowrt.value import NONE, Handle


@dataclass(frozen=True, slots=True)
class OpenNode:
    """A node is to be started."""

    frame: Frame
    index: int


@dataclass(frozen=True, slots=True)
class FrameEnded:
    """A frame has ended; its owner is to go on."""

    frame: Frame
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class StopStep:
    """A step is to stop."""

    step: Step


Todo: TypeAlias = OpenNode | FrameEnded | StopStep


class Machine:
    """The live part of one run."""

    def __init__(self, program: Program, observer: Observer | None, plans: Plans) -> None:
        """Begin with nothing running."""
        self.program = program
        self.observer = observer
        self.steps: dict[str, Step] = {}
        self.todo: deque[Todo] = deque()
        self.consumed: set[int] = set()
        self.undo_failures = UndoFailures()
        self.unknown: dict[str, int] = {}
        self._open: dict[str, Command] = {}
        self._fresh: dict[str, None] = {}
        self._held: dict[str, dict[str, None]] = {}
        self._plans = plans

    # Commands

    def command(self, path: str, command: Command) -> None:
        """Open a command for a path, in the place of the one that was open."""
        self._open[path] = command
        self._fresh.pop(path, None)
        by = (
            next((prefix for prefix in prefixes_of(path) if prefix in self._held), None)
            if self._held
            else None
        )
        (self._fresh if by is None else self._held[by])[path] = None

    def withdraw(self, path: str) -> None:
        """Close the command of a path, if one is open."""
        self._open.pop(path, None)
        self._fresh.pop(path, None)

    def take(self) -> list[Command]:
        """The commands opened since the last call that are still open, in order."""
        fresh = [self._open[path] for path in self._fresh]
        self._fresh.clear()
        return fresh

    @property
    def has_fresh(self) -> bool:
        """Whether `take` would give anything."""
        return bool(self._fresh)

    def open_command(self, path: str) -> Command | None:
        """The open command of a path."""
        return self._open.get(path)

    def open_commands(self) -> Iterator[Command]:
        """Every open command: the frontier of the run."""
        return iter(self._open.values())

    def hold(self, frame: Frame) -> None:
        """Keep the commands of a frame back until it is let go on."""
        held = self._held.setdefault(frame.prefix, {})
        frames = [frame]
        while frames:
            for step in frames.pop().open.values():
                frames += step.children.values()
                for path in step.paths & self._fresh.keys():
                    del self._fresh[path]
                    held[path] = None

    def let_go(self, frame: Frame) -> None:
        """Give the commands that were kept back."""
        for path in self._held.pop(frame.prefix, ()):
            if path in self._open:
                self.command(path, self._open[path])

    # Steps

    def route(self, path: str, step: Step) -> None:
        """Send records of `path` to `step`."""
        self.steps[path] = step
        step.paths.add(path)

    def unroute(self, path: str, step: Step) -> None:
        """Send no more records of `path` to `step`, and close its command."""
        self.withdraw(path)
        self.steps.pop(path, None)
        step.paths.discard(path)

    def settle(self, step: Step, outcome: Outcome) -> None:
        """End a step: hand its outcome to its frame."""
        for path in tuple(step.paths):
            self.unroute(path, step)
        frame = step.frame
        del frame.open[step.index]
        frame.active -= 1
        if self.observer is not None:
            _tell_closed(self.observer, step.path, outcome)
        match outcome:
            case Done():
                self._note_done(frame, step.index, outcome)
            case Left():
                frame.verdict = frame.verdict or outcome
                frame.closing = True
            case Broken():
                frame.blamed += outcome.seqs
                self._note_broken(frame, outcome)
            case Halted():
                frame.blamed += outcome.seqs
        self.end_if_idle(frame)

    def _note_done(self, frame: Frame, index: int, outcome: Done) -> None:
        if frame.plan.readers[index]:
            frame.done[index] = outcome
        for follower in frame.plan.followers[index]:
            frame.waits[follower] -= 1
            if not frame.waits[follower] and not frame.closing:
                self._plan_open(frame, follower)

    def _note_broken(self, frame: Frame, outcome: Broken) -> None:
        frame.verdict = frame.verdict or outcome
        if frame.body.failure == "cancel":
            self.stop_frame(frame, outcome)

    # Frames

    def start_frame(
        self, body: Body, prefix: str, env: dict[str, Handle], owner: Step | None, tag: int = 0
    ) -> Frame:
        """Start a body for a step (None: the run itself) under the prefix of its paths."""
        plan = self._plans.of(body)
        depth = owner.frame.depth if owner else 0
        frame = Frame(body, plan, prefix, env, owner, tag, depth, list(plan.waits), list(plan.readers))
        if owner is not None:
            owner.children[tag] = frame
            frame.saga = owner.frame.saga
            frame.catches = owner.frame.catches
        for index in plan.first:
            self._plan_open(frame, index)
        self.end_if_idle(frame)
        return frame

    def start_block(self, body: Body, step: Step) -> None:
        """Start a body that sees what its step sees."""
        self.start_frame(body, block_prefix(step.path), step.env, step)

    def _plan_open(self, frame: Frame, index: int) -> None:
        frame.active += 1
        self.todo.append(OpenNode(frame, index))

    def make_step(self, frame: Frame, index: int) -> Step:
        """Bring the step of a node to life, with the values that it reads."""
        node = frame.body.nodes[index]
        env = {name: self.read(frame, source) for name, source in node.env}
        for read in frame.plan.reads[index]:
            frame.readers[read] -= 1
            if not frame.readers[read]:
                frame.done.pop(read, None)
        step = Step(frame, index, node, f"{frame.prefix}{node.id}", env)
        frame.open[index] = step
        self.route(step.path, step)
        return step

    def read(self, frame: Frame, source: Source | None) -> Handle:
        """The value of a source in a frame."""
        if source is None:
            return NONE
        if isinstance(source, Param):
            return frame.env[source.name]
        done = frame.done[source.node]
        return done.names[source.field] if source.field else done.value

    def stop_frame(self, frame: Frame, verdict: Outcome) -> None:
        """Open nothing more in a frame and stop what runs; it ends with `verdict`, or an earlier one."""
        frame.verdict = frame.verdict or verdict
        frame.closing = True
        if frame.stopping:
            return
        self.let_go(frame)
        frame.stopping = True
        self.todo.extend(StopStep(step) for step in frame.open.values() if not step.halting)

    def end_if_idle(self, frame: Frame) -> None:
        """End a frame in which nothing runs and nothing is about to."""
        if frame.active:
            return
        self.todo.append(FrameEnded(frame, self._outcome(frame)))

    def _outcome(self, frame: Frame) -> Outcome:
        match frame.verdict:
            case None:
                exports = {name: self.read(frame, source) for name, source in frame.body.exports}
                return Done(self.read(frame, frame.body.value), exports)
            case Broken(failure):
                return Broken(failure, tuple(frame.blamed))
            case Halted():
                return Halted(tuple(frame.blamed))
            case verdict:
                return verdict

    def skip_open(self, frame: Frame) -> None:
        """A node that was about to be opened is not, since its frame is closing."""
        frame.active -= 1
        self.end_if_idle(frame)


def broken(type_name: str, message: str, step: str, seqs: tuple[Blame, ...] = ()) -> Broken:
    """A failure that the core itself finds."""
    return Broken(Failure(type_name, message, step), seqs)


def halted(outcome: Outcome) -> Halted:
    """What the end of a body comes to for a step that was told to stop."""
    return Halted(outcome.seqs) if isinstance(outcome, Broken | Halted) else HALTED


def _tell_closed(observer: Observer, path: str, outcome: Outcome) -> None:
    match outcome:
        case Done() | Left():
            observer.closed(path, "succeeded", "")
        case Broken(failure):
            observer.closed(path, "failed", f"{failure.type}: {failure.message}")
        case Halted():
            observer.closed(path, "stopped", "")


__all__ = ["HALTED", "FrameEnded", "Machine", "OpenNode", "StopStep", "Todo", "broken", "halted"]
