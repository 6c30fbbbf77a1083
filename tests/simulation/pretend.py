"""A simulated executor: attempts go in; outcomes come out reordered, late, lost, or not at all before a stop.

The attempts themselves are made by the worker's own code.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from world import SECOND

from flowrt.engine.engine import Engine
from flowrt.executor.attempt import make_attempt
from flowrt.executor.port import Attempt, AttemptKey, Halted, Lost, Outcome, Report
from flowrt.program import Task
from flowrt.store.port import Blobs

if TYPE_CHECKING:
    from process import Process


class PretendExecutor:
    """Implements `flowrt.executor.port.Executor` for one simulated process."""

    def __init__(self, process: "Process") -> None:
        self.process = process
        self.held: dict[AttemptKey, Attempt] = {}
        self.stopping: set[AttemptKey] = set()
        self._report: Report | None = None
        self._blobs: Blobs | None = None

    @property
    def engine(self) -> Engine | None:
        """The engine that was given this executor last."""
        return getattr(self._report, "__self__", None)

    def start(self, report: Report, blobs: Blobs) -> None:
        self._report, self._blobs = report, blobs

    def submit(self, attempts: Sequence[Attempt]) -> None:
        process = self.process
        process.alive()
        for attempt in attempts:
            process.watch.begins(process, attempt)
            self.held[attempt.key] = attempt
            process.world.note(process.name, "submit", *attempt.key)
            process.world.after(self._length(), lambda attempt=attempt: self._finish(attempt))

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        world, weather = self.process.world, self.process.weather
        world.note(self.process.name, "stop", *key, force)
        if key in self.held and (force or not world.chance(weather.deaf)):
            self.stopping.add(key)
            world.after(world.rng.randrange(2 * SECOND), lambda: self._tell(key, Halted()))

    def close(self) -> None:
        self.held.clear()

    def _length(self) -> int:
        rng = self.process.world.rng
        if self.process.world.faulty and rng.random() < 0.1:
            return rng.randrange(100 * SECOND)
        return rng.randrange(2 * SECOND)

    def _finish(self, attempt: Attempt) -> None:
        if attempt.key in self.held:
            self._tell(attempt.key, self._outcome(attempt))

    def _outcome(self, attempt: Attempt) -> Outcome:
        world, weather = self.process.world, self.process.weather
        if world.chance(weather.lost) and self.process.watch.may_lose(attempt):
            return Lost("A simulated worker died.")
        if world.chance(weather.halted):
            return Halted()
        assert isinstance(attempt.task, Task)
        return make_attempt(attempt, self._blobs)

    def _tell(self, key: AttemptKey, outcome: Outcome) -> None:
        if self.held.pop(key, None) is not None and not self.process.dead:
            self.process.world.count(type(outcome).__name__)
            self.process.world.note(self.process.name, "outcome", *key, type(outcome).__name__)
            self._report(key, outcome)
            self.process.wake()
