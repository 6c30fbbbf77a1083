"""The executor without Ray: attempts are made by threads of this process, and their outcomes are reported.

It is for tests of the engine and for authors' tests of their flows. A thread cannot be interrupted from
outside. So an attempt that is stopped by force, or whose time is up, is reported at once and its thread is
left to itself: what it gives later is dropped, and another thread takes its place.
"""

import os
import threading
import time
from collections.abc import Sequence
from queue import SimpleQueue

from flowrt.encoding.values import Values
from flowrt.executor.attempt import make_with
from flowrt.executor.failure import failure_of
from flowrt.executor.port import Attempt, AttemptKey, Halted, Outcome, Raised, Report
from flowrt.store.port import Blobs


class LocalExecutor:
    """Makes attempts in threads. Implements `flowrt.executor.port.Executor`."""

    def __init__(self, threads: int | None = None) -> None:
        """Make at most `threads` attempts at once; None for as many as the machine has CPUs, at least 4."""
        self._count = threads or max(4, os.cpu_count() or 1)
        self._queue: SimpleQueue[AttemptKey | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._waiting: dict[AttemptKey, Attempt] = {}
        self._running: dict[AttemptKey, threading.Timer | None] = {}
        self._report: Report | None = None
        self._blobs: Blobs | None = None

    def start(self, report: Report, blobs: Blobs) -> None:
        """Begin."""
        self._report, self._blobs = report, blobs
        for _ in range(self._count):
            self._add_thread()

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Take attempts on."""
        with self._lock:
            self._waiting.update((attempt.key, attempt) for attempt in attempts)
        for attempt in attempts:
            self._queue.put(attempt.key)

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        """Stop an attempt: one that waits at once, one that runs only by force."""
        with self._lock:
            waited = self._waiting.pop(key, None) is not None
        if waited:
            self._tell(key, Halted())
        elif force:
            self._abandon(key, Halted())

    def close(self) -> None:
        """Report nothing any more and let the threads end."""
        with self._lock:
            self._report = None
            self._waiting.clear()
            timers = [timer for timer in self._running.values() if timer is not None]
            self._running.clear()
        for timer in timers:
            timer.cancel()
        for _ in range(self._count):
            self._queue.put(None)

    def _add_thread(self) -> None:
        threading.Thread(target=self._work, name="flowrt-local", daemon=True).start()

    def _work(self) -> None:
        """The life of a thread: it ends when the executor is closed, or when its attempt was abandoned."""
        assert self._blobs is not None
        values = Values(self._blobs)
        while (key := self._queue.get()) is not None:
            attempt = self._begin(key)
            if attempt is not None and not self._finish(key, make_with(attempt, values)):
                return

    def _begin(self, key: AttemptKey) -> Attempt | None:
        with self._lock:
            attempt = self._waiting.pop(key, None)
            if attempt is None:
                return None
            timer = self._timer(attempt)
            self._running[key] = timer
        if timer is not None:
            timer.start()
        return attempt

    def _timer(self, attempt: Attempt) -> threading.Timer | None:
        if attempt.timeout_s is None:
            return None
        began_at = time.time_ns() // 1000
        timer = threading.Timer(attempt.timeout_s, self._late, (attempt, began_at))
        timer.daemon = True
        return timer

    def _late(self, attempt: Attempt, began_at: int) -> None:
        error = TimeoutError(f"The attempt took longer than its timeout of {attempt.timeout_s:g} s.")
        failure = failure_of(error, attempt.key.step, attempt.task.retry)
        self._abandon(attempt.key, Raised(failure, began_at, time.time_ns() // 1000))

    def _abandon(self, key: AttemptKey, outcome: Outcome) -> None:
        if self._finish(key, outcome):
            self._add_thread()

    def _finish(self, key: AttemptKey, outcome: Outcome) -> bool:
        """Report the outcome of an attempt that runs; false if that was done before."""
        with self._lock:
            if key not in self._running:
                return False
            timer = self._running.pop(key)
        if timer is not None:
            timer.cancel()
        self._tell(key, outcome)
        return True

    def _tell(self, key: AttemptKey, outcome: Outcome) -> None:
        report = self._report
        if report is not None:
            report(key, outcome)
