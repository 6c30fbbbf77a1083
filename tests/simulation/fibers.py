"""Fibers: threads that run one at a time, so that what happens is decided by the simulation alone.

In: a function. Out: control comes back whenever it parks or has ended. A thread is kept for the next fiber.
"""

import threading
from collections.abc import Callable
from contextlib import suppress


class Killed(BaseException):
    """Raised in a fiber whose process has died: nothing of it may run any more."""


class _Thread:
    """A thread that takes one job after another. The two locks are the baton's two directions."""

    def __init__(self) -> None:
        self.go, self.back = threading.Lock(), threading.Lock()
        self.go.acquire()
        self.back.acquire()
        self.job: Callable[[], None] | None = None
        threading.Thread(target=self._work, name="simulated", daemon=True).start()

    def _work(self) -> None:
        while True:
            self.go.acquire()
            self.job()
            self.back.release()


_IDLE: list[_Thread] = []


class Fiber:
    """A function that is run in pieces."""

    def __init__(self, body: Callable[[], None]) -> None:
        self._body = body
        self._thread: _Thread | None = None
        self.killed = False
        self.ended = False
        self.error: BaseException | None = None

    def resume(self) -> None:
        """Run until the fiber parks or ends. Raises what its body raised."""
        if self._thread is None:
            self._thread = _IDLE.pop() if _IDLE else _Thread()
            self._thread.job = self._run
        thread = self._thread
        thread.go.release()
        thread.back.acquire()
        if self.ended:
            self._thread = None
            _IDLE.append(thread)
            if self.error is not None:
                raise self.error

    def park(self) -> None:
        """In the fiber: let the others run until somebody resumes this one. Raises Killed."""
        thread = self._thread
        thread.back.release()
        thread.go.acquire()
        self.check()

    def check(self) -> None:
        """In the fiber: raise Killed if its process has died."""
        if self.killed:
            raise Killed

    def kill(self) -> None:
        """Let the fiber unwind without doing anything."""
        self.killed = True
        if self._thread is not None and not self.ended:
            with suppress(Killed):
                self.resume()

    def _run(self) -> None:
        try:
            self._body()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised where the fiber was resumed
            self.error = error
        self.ended = True
