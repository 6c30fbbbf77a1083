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
    """The machine's clock, as it is: it may be set back or forward at any time.

    Whoever does something every so often sees to it himself that a clock which was set back does not hold
    that up: see `flowrt.engine.engine`.
    """

    def now(self) -> int:
        """Whole microseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1000

    def timeout_s(self, until: int) -> float:
        """How long it is, in seconds, until the clock shows `until`; 0 when it does."""
        return max(0.0, (until - self.now()) / 1_000_000)
