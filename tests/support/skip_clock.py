"""A clock for runs on real executors that skips what nobody works in.

In: an executor. Out: the same one, counted, and a clock that goes like the machine's as long as an attempt
is under way, and jumps to the instant that is waited for when none is. So a run that sleeps until nine
o'clock is run by the real engine on a real Ray, and nobody has to wait for nine o'clock.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from flowrt.executor.port import Attempt, AttemptKey, Executor, Outcome, Report
from flowrt.store.port import Blobs


@dataclass
class Counted:
    """An executor that knows how many attempts are under way."""

    executor: Executor
    under_way: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, report: Report, blobs: Blobs) -> None:
        def counted(key: AttemptKey, outcome: Outcome) -> None:
            # First the engine is told: whoever finds nothing under way finds the outcome.
            report(key, outcome)
            self._count(-1)

        self.executor.start(counted, blobs)

    def submit(self, attempts: Sequence[Attempt]) -> None:
        self._count(len(attempts))
        self.executor.submit(attempts)

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        self.executor.stop(key, force=force)

    def close(self) -> None:
        self.executor.close()

    def _count(self, more: int) -> None:
        with self._lock:
            self.under_way += more


@dataclass
class SkipClock:
    """The machine's clock, and all that was skipped."""

    executor: Counted
    skipped_us: int = 0

    def now(self) -> int:
        return time.time_ns() // 1000 + self.skipped_us

    def timeout_s(self, until: int) -> float:
        left_us = max(0, until - self.now())
        if self.executor.under_way:
            return left_us / 1_000_000
        self.skipped_us += left_us
        return 0.0
