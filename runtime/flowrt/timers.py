"""Timers: what is due when. In: instants and what they are for. Out: what has become due, in order."""

import heapq
from dataclasses import dataclass, field
from typing import Literal

Purpose = Literal["attempt", "fire", "force"]
"""Make an attempt; a sleep or wait is over; stop by force what did not stop when asked."""


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

    def set(self, timer: Timer) -> None:
        """Add a timer."""
        heapq.heappush(self._heap, timer)

    def due(self, now: int) -> list[Timer]:
        """Take out every timer whose instant has come, the earliest first: never one before its time."""
        due: list[Timer] = []
        while self._heap and self._heap[0].at <= now:
            due.append(heapq.heappop(self._heap))
        return due

    @property
    def next_at(self) -> int | None:
        """The instant of the earliest timer."""
        return self._heap[0].at if self._heap else None
