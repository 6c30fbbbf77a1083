"""Timers: what is due when. In: instants and what they are for. Out: what has become due, in order."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Purpose = Literal["attempt", "fire", "force"]
"""Make an attempt; a sleep or wait is over; stop by force what did not stop when asked."""

PRUNE_FROM = 1_024
"""Below this number of timers nothing is looked through."""


@dataclass(frozen=True, slots=True, order=True)
class Timer:
    """Something to be done for a step of a run at `at` (microseconds since 1970-01-01 UTC)."""

    at: int
    run_id: str
    step: str
    purpose: Purpose


@dataclass(slots=True)
class Timers:
    """A heap of timers. A timer that is no longer wanted is left in and ignored when it is due."""

    _heap: list[Timer] = field(default_factory=list[Timer])
    _prune_at: int = PRUNE_FROM

    def set(self, timer: Timer) -> None:
        """Add a timer."""
        heapq.heappush(self._heap, timer)

    def due(self, now: int) -> list[Timer]:
        """Take out every timer whose instant has come, the earliest first: never one before its time."""
        due: list[Timer] = []
        while self._heap and self._heap[0].at <= now:
            due.append(heapq.heappop(self._heap))
        return due

    def prune(self, wanted: Callable[[Timer], bool]) -> None:
        """Let go of what is no longer wanted, each time the heap has doubled since the last time.

        A loop that waits with a long time-out leaves a timer behind in each round.
        """
        if len(self._heap) < self._prune_at:
            return
        self._heap = [timer for timer in self._heap if wanted(timer)]
        heapq.heapify(self._heap)
        self._prune_at = max(PRUNE_FROM, 2 * len(self._heap))

    @property
    def next_at(self) -> int | None:
        """The instant of the earliest timer."""
        return self._heap[0].at if self._heap else None

    def __len__(self) -> int:
        """How many timers there are, wanted or not."""
        return len(self._heap)
