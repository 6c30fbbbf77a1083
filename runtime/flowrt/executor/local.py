"""The executor without Ray: attempts are made by threads of this process, and their outcomes are reported.

It is for tests of the engine and for authors' tests of their flows. A thread cannot be interrupted from
outside. So an attempt that is stopped by force, or whose time is up, is reported at once and its thread is
left to itself: what it gives later is dropped, and another thread takes its place.
"""

import math
import os
import threading
import time
from collections.abc import Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING

from flowrt.encoding.values import Values
from flowrt.executor.alarm import too_long, too_silent
from flowrt.executor.attempt import make_with
from flowrt.executor.exits import survived
from flowrt.executor.failure import failure_of
from flowrt.executor.listener import polls
from flowrt.executor.port import Attempt, AttemptKey, Halted, Lost, Outcome, Raised, Report
from flowrt.store.port import Blobs

if TYPE_CHECKING:
    from flowrt.executor.listening import Listeners


class _Watch:
    """The bounds in time of one attempt, and when it is to be looked at again."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self.began_at = time.time_ns() // 1000
        self._ends_at = math.inf
        if attempt.timeout_s is not None:
            self._ends_at = time.monotonic() + attempt.timeout_s
        self._heard_at: float | None = None
        self.timer: threading.Timer | None = None

    def begin(self) -> None:
        """The author's code begins."""
        self._heard_at = time.monotonic()

    def beat(self) -> None:
        """A heartbeat."""
        if self._heard_at is not None:
            self._heard_at = time.monotonic()

    def end(self) -> None:
        """The author's code has ended."""
        self._heard_at = None

    def left_s(self) -> float:
        """How long until a bound may be over. A heart that is not listened to is looked at again."""
        now, heartbeat_s, heard_at = time.monotonic(), self._attempt.heartbeat_s, self._heard_at
        if heartbeat_s is None:
            return self._ends_at - now
        return min(self._ends_at, (now if heard_at is None else heard_at) + heartbeat_s) - now

    def over(self) -> str:
        """Which bound is over, in words; empty when none is."""
        attempt, now, heard_at = self._attempt, time.monotonic(), self._heard_at
        if attempt.timeout_s is not None and now >= self._ends_at:
            return too_long(attempt.timeout_s)
        if attempt.heartbeat_s is not None and heard_at is not None and now >= heard_at + attempt.heartbeat_s:
            return too_silent(attempt.heartbeat_s)
        return ""


class LocalExecutor:
    """Makes attempts in threads. Implements `flowrt.executor.port.Executor`."""

    def __init__(self, threads: int | None = None) -> None:
        """Make at most `threads` attempts at once; None for as many as the machine has CPUs, at least 4."""
        self._count = threads or max(4, os.cpu_count() or 1)
        self._queue: SimpleQueue[AttemptKey | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._waiting: dict[AttemptKey, Attempt] = {}
        self._running: dict[AttemptKey, _Watch | None] = {}
        self._report: Report | None = None
        self._blobs: Blobs | None = None
        self._listeners: Listeners | None = None

    def start(self, report: Report, blobs: Blobs) -> None:
        """Begin."""
        self._report, self._blobs = report, blobs
        for _ in range(self._count):
            self._add_thread()

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Take attempts on."""
        for attempt in attempts:
            if polls(attempt.task):
                self._listen(attempt)
                continue
            with self._lock:
                self._waiting[attempt.key] = attempt
            self._queue.put(attempt.key)

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        """Stop an attempt: one that waits at once, one that runs only by force."""
        if self._listeners is not None and self._listeners.stop(key, force=force):
            return
        with self._lock:
            waited = self._waiting.pop(key, None) is not None
        if waited:
            self._tell(key, Halted())
        elif force:
            self._abandon(key, Halted())

    def close(self) -> None:
        """Report nothing any more and let the threads end."""
        if self._listeners is not None:
            self._listeners.close()
        with self._lock:
            self._report = None
            self._waiting.clear()
            watches = [watch for watch in self._running.values() if watch is not None]
            self._running.clear()
        for watch in watches:
            if watch.timer is not None:
                watch.timer.cancel()
        for _ in range(self._count):
            self._queue.put(None)

    def _listen(self, attempt: Attempt) -> None:
        if self._listeners is None:
            from flowrt.executor.listening import Listeners  # noqa: PLC0415 - few flows have listeners

            assert self._blobs is not None, "the executor was not started"
            self._listeners = Listeners(self._tell, self._blobs)
        self._listeners.begin(attempt)

    def _add_thread(self) -> None:
        threading.Thread(target=self._work, name="flowrt-local", daemon=True).start()

    def _work(self) -> None:
        """The life of a thread: it ends when the executor is closed, or when its attempt was abandoned."""
        assert self._blobs is not None
        values = Values(self._blobs)
        while (key := self._queue.get()) is not None:
            begun = self._begin(key)
            if begun is None:
                continue
            attempt, watch = begun
            pulse = None if attempt.heartbeat_s is None else watch
            with survived() as wanted:
                outcome = make_with(attempt, values, pulse)
            if wanted.status is not None:
                outcome = Lost(f"The step wanted to end its process with os._exit({wanted.status}).")
            if not self._finish(key, outcome):
                return

    def _begin(self, key: AttemptKey) -> tuple[Attempt, _Watch | None] | None:
        with self._lock:
            attempt = self._waiting.pop(key, None)
            if attempt is None:
                return None
            bounded = attempt.timeout_s is not None or attempt.heartbeat_s is not None
            watch = _Watch(attempt) if bounded else None
            self._running[key] = watch
        if watch is not None:
            self._look_later(attempt, watch)
        return attempt, watch

    def _look_later(self, attempt: Attempt, watch: _Watch) -> None:
        watch.timer = threading.Timer(max(watch.left_s(), 0.0), self._look, (attempt, watch))
        watch.timer.daemon = True
        watch.timer.start()

    def _look(self, attempt: Attempt, watch: _Watch) -> None:
        said = watch.over()
        if said:
            failure = failure_of(TimeoutError(said), attempt.key.step, attempt.asked_for)
            self._abandon(attempt.key, Raised(failure, watch.began_at, time.time_ns() // 1000))
        elif self._running.get(attempt.key) is watch:
            self._look_later(attempt, watch)

    def _abandon(self, key: AttemptKey, outcome: Outcome) -> None:
        if self._finish(key, outcome):
            self._add_thread()

    def _finish(self, key: AttemptKey, outcome: Outcome) -> bool:
        """Report the outcome of an attempt that runs; false if that was done before."""
        with self._lock:
            if key not in self._running:
                return False
            watch = self._running.pop(key)
        if watch is not None and watch.timer is not None:
            watch.timer.cancel()
        self._tell(key, outcome)
        return True

    def _tell(self, key: AttemptKey, outcome: Outcome) -> None:
        report = self._report
        if report is not None:
            report(key, outcome)
