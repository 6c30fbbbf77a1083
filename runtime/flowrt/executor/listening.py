"""Many listeners on one event loop: attempts that wait for events come in, their outcomes are reported.

A listener that waits is a coroutine, so thousands of them share a process. What goes before and after
(loading the code, decoding, recording the event) is done by a few threads, lest one listener hold up the
others. Nothing here says when a listener gives up: a wait that is bounded is told to stop, and stopping
cancels its coroutine. One that does not heed that is left to itself when it is stopped by force.

All state but `_keys` belongs to the thread of the event loop.
"""

import asyncio
import threading
from collections.abc import Callable

from flowrt.encoding.values import Values
from flowrt.executor.attempt import listen
from flowrt.executor.port import Attempt, AttemptKey, Halted, Outcome
from flowrt.store.port import Blobs

_PATIENCE_S = 1.0
"""So long coroutines may take to end when all of them are stopped."""


class Listeners:
    """A thread with an event loop, and the attempts that wait on it."""

    def __init__(self, report: Callable[[AttemptKey, Outcome], None], blobs: Blobs) -> None:
        """Begin; `report` is called from the thread."""
        self._report = report
        self._blobs = blobs
        self._loop = asyncio.new_event_loop()
        self._keys: set[AttemptKey] = set()
        self._tasks: dict[AttemptKey, asyncio.Task[Outcome]] = {}
        self._thread = threading.Thread(target=self._run, name="flowrt-listen", daemon=True)
        self._thread.start()

    def begin(self, attempt: Attempt) -> None:
        """Let an attempt wait for its event."""
        self._keys.add(attempt.key)
        self._loop.call_soon_threadsafe(self._begin, attempt)

    def stop(self, key: AttemptKey, *, force: bool) -> bool:
        """Stop an attempt, which is reported when it has ended, or at once by force; false for others'."""
        if key not in self._keys:
            return False
        self._loop.call_soon_threadsafe(self._stop, key, force)
        return True

    def close(self) -> None:
        """Stop all of them, without further reports."""
        self._keys.clear()
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _begin(self, attempt: Attempt) -> None:
        task = self._loop.create_task(listen(attempt, Values(self._blobs)))
        self._tasks[attempt.key] = task
        task.add_done_callback(lambda done: self._ended(attempt.key, done))

    def _stop(self, key: AttemptKey, force: bool) -> None:  # noqa: FBT001 - `call_soon` hands on no keywords
        task = self._tasks.get(key)
        if task is not None:
            task.cancel()
            if force:
                self._tell(key, Halted())

    def _ended(self, key: AttemptKey, task: "asyncio.Task[Outcome]") -> None:
        del self._tasks[key]
        self._tell(key, Halted() if task.cancelled() else task.result())

    def _tell(self, key: AttemptKey, outcome: Outcome) -> None:
        if key in self._keys:
            self._keys.discard(key)
            self._report(key, outcome)

    def _run(self) -> None:
        loop = self._loop
        asyncio.set_event_loop(loop)
        loop.run_forever()
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=_PATIENCE_S))
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()
