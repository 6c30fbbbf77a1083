"""The alarm of one attempt in a worker: in go its bounds in time, out comes a TimeoutError, or the end.

Two bounds: the attempt as a whole (`timeout`), and the time without a heartbeat while the author's code
runs (`heartbeat`). Whichever is over first rings:

1. A timer of the process (SIGALRM) raises TimeoutError in the main thread. It does so once. What the
   attempt makes of that error does not matter: an attempt whose alarm has rung has failed by it.
2. A step that does not end within GRACE_S of that is deaf: it runs C code, or swallows the error. Then
   the process ends, by a thread of `faulthandler` that does not need Python's lock.

A heartbeat must be cheap, so it notes the time and little more. The timer is not moved by it: when it
goes off too early, it is set anew. The thread that ends the process cannot be so lenient; it is moved by
a heartbeat when the last move was SLACK ago, and gives that much more time.

All of this belongs to the main thread but the heartbeats, which come from any: hence the lock.
"""

import faulthandler
import math
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType, TracebackType
from typing import IO

GRACE_S = 5.0
_SLACK_S = 1.0
_LEAST_S = 1e-6


class Alarm:
    """Watches over one attempt. For use in the main thread, as a context."""

    def __init__(
        self,
        timeout_s: float | None,
        heartbeat_s: float | None,
        tell: Callable[[float | None], None] | None = None,
    ) -> None:
        """Take the bounds; the time counts from `__enter__`.

        Args:
            timeout_s: Bounds the whole attempt.
            heartbeat_s: Bounds the time without a heartbeat, between `begin` and `end`.
            tell: Is called with the wall clock's time of a heartbeat, at most once in SLACK, and with None
                when none is expected any more; from any thread.
        """
        self._timeout_s = timeout_s
        self._heartbeat_s = heartbeat_s
        self._tell = tell
        self._slack_s = 0.0 if heartbeat_s is None else min(_SLACK_S, heartbeat_s / 4)
        self._ends_at = math.inf
        self._heard_at: float | None = None
        self._moved_at = 0.0
        self._on = False
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._nowhere: IO[str] | None = None
        self.rang: TimeoutError | None = None

    def __enter__(self) -> "Alarm":
        """Begin to watch."""
        self._nowhere = open(os.devnull, "w")  # noqa: PTH123 - the watchdog wants a descriptor
        if self._timeout_s is not None:
            self._ends_at = time.monotonic() + self._timeout_s
        self._on = True
        signal.signal(signal.SIGALRM, self._ring)
        self._set()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Watch no more. The alarm may ring in here, once: hence the second attempt."""
        try:
            self.off()
        except TimeoutError:
            self.off()

    def off(self) -> None:
        """Watch no more; any number of times."""
        self._on = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        with self._lock:
            faulthandler.cancel_dump_traceback_later()
        if self._nowhere is not None:
            self._nowhere.close()

    def begin(self) -> None:
        """The author's code begins: from now on heartbeats are missed."""
        if self._heartbeat_s is not None:
            self._heard_at = time.monotonic()
            self._set()
            if self._tell is not None:
                self._tell(time.time())

    def beat(self) -> None:
        """A heartbeat."""
        now = time.monotonic()
        if self._heard_at is None or self.rang is not None or os.getpid() != self._pid:
            return  # A process that the step has forked is not the attempt.
        self._heard_at = now
        if now - self._moved_at > self._slack_s:
            with self._lock:
                if self._on:
                    self._move_watchdog(now)
            if self._tell is not None:
                self._tell(time.time())

    def end(self) -> None:
        """The author's code has ended: what follows has no heartbeat."""
        if self._heartbeat_s is not None:
            self._heard_at = None
            self._set()
            if self._tell is not None:
                self._tell(None)

    def _due_at(self) -> float:
        if self._heard_at is None or self._heartbeat_s is None:
            return self._ends_at
        return min(self._ends_at, self._heard_at + self._heartbeat_s)

    def _set(self) -> None:
        """Set the timer and the watchdog to what is due next; after the alarm has rung, leave them."""
        with self._lock:
            if self.rang is not None or not self._on:
                return
            now, due_at = time.monotonic(), self._due_at()
            left_s = 0.0 if due_at == math.inf else max(due_at - now, _LEAST_S)
            signal.setitimer(signal.ITIMER_REAL, left_s)
            self._move_watchdog(now)

    def _move_watchdog(self, now: float) -> None:
        self._moved_at = now
        due_at = self._due_at()
        if due_at == math.inf:
            faulthandler.cancel_dump_traceback_later()
            return
        patience_s = max(due_at - now, 0.0) + GRACE_S + self._slack_s
        assert self._nowhere is not None, "the alarm is on"
        with suppress(OverflowError):  # In a few hundred years.
            faulthandler.dump_traceback_later(patience_s, exit=True, file=self._nowhere)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if not self._on or self.rang is not None:
            return
        now = time.monotonic()
        if now < self._due_at():
            self._set()
            return
        if now >= self._ends_at:
            assert self._timeout_s is not None, "without a timeout it never ends"
            self.rang = TimeoutError(too_long(self._timeout_s))
        else:
            assert self._heartbeat_s is not None, "without a heartbeat none is missed"
            self.rang = TimeoutError(too_silent(self._heartbeat_s))
        raise self.rang


def too_long(timeout_s: float) -> str:
    """What is said of an attempt that took longer than its timeout."""
    return f"The attempt took longer than its timeout of {timeout_s:g} s."


def too_silent(heartbeat_s: float) -> str:
    """What is said of an attempt that did not call `flowrt.heartbeat()` in time."""
    return (
        f"The attempt did not call `flowrt.heartbeat()` for longer than its heartbeat of {heartbeat_s:g} s."
    )
