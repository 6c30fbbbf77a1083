"""Fibers: what runs in pieces, one at a time, so that what happens is decided by the simulation alone.

In: a function. Out: control comes back whenever it parks or has ended.
"""

from collections.abc import Callable
from contextlib import suppress

from greenlet import getcurrent, greenlet


class Killed(BaseException):
    """Raised in a fiber whose process has died: nothing of it may run any more."""


class Fiber:
    """A function that is run in pieces."""

    def __init__(self, body: Callable[[], None]) -> None:
        self._body = body
        self._pieces = greenlet(self._run)
        self.killed = False
        self.ended = False

    def resume(self) -> None:
        """Run until the fiber parks or ends. Raises what its body raised."""
        self._pieces.parent = getcurrent()
        self._pieces.switch()

    def park(self) -> None:
        """In the fiber: let the others run until somebody resumes this one. Raises Killed."""
        self._pieces.parent.switch()
        self.check()

    def check(self) -> None:
        """In the fiber: raise Killed if its process has died."""
        if self.killed:
            raise Killed

    def kill(self) -> None:
        """Let the fiber unwind without doing anything."""
        self.killed = True
        if self._pieces and not self.ended:
            with suppress(Killed):
                self.resume()

    def _run(self) -> None:
        with suppress(Killed):
            self._body()
        self.ended = True
