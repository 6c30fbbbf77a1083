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
    """The machine's clock, made monotonic within the process: it never goes back, and never stands still.

    When the machine's clock was set back, this one goes at half the speed until the other has caught up.
    Whoever looks for something every so often does so all the while; were it to stand still, an engine
    would hear of no event and no request to cancel until then.
    """

    def __init__(self) -> None:
        """Start at the machine's time."""
        self._last = 0
        self._ticks = time.monotonic_ns() // 1000

    def now(self) -> int:
        """Whole microseconds since 1970-01-01 UTC, never less than the last answer."""
        wall, ticks = time.time_ns() // 1000, time.monotonic_ns() // 1000
        half, odd = divmod(ticks - self._ticks, 2)
        self._last = max(wall, self._last + half) if wall < self._last else wall
        self._ticks = ticks - odd
        return self._last

    def timeout_s(self, until: int) -> float:
        """How long it is, in seconds, until the clock shows `until`, or not quite yet; 0 when it does."""
        return max(0.0, (until - self.now()) / 1_000_000)
