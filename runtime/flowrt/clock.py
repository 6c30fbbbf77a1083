"""The clock as a port, so that tests can move time. In: nothing. Out: instants in microseconds."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """Whole microseconds since 1970-01-01 UTC."""
        ...

    def timeout_s(self, until: int) -> float:
        """How long to wait in earnest, in seconds, until the clock shows `until`; 0 when it does."""
        ...


class WallClock:
    """The machine's clock, made monotonic within the process: it never goes back."""

    def __init__(self) -> None:
        """Start at the machine's time."""
        self._last = 0

    def now(self) -> int:
        """Whole microseconds since 1970-01-01 UTC, never less than the last answer."""
        self._last = max(self._last, time.time_ns() // 1000)
        return self._last

    def timeout_s(self, until: int) -> float:
        """How long it is, in seconds, until the clock shows `until`; 0 when it does."""
        return max(0.0, (until - self.now()) / 1_000_000)
