"""A wish to end that a signal's handler may utter. In: `set`, from anywhere; out: whether it was, and a wait.

`threading.Event` is not for this: its `wait` and its `set` take the same lock, and the handler of a signal
runs in the main thread, between any two of its instructions. One that comes while the main thread is about to
wait, or has just waited, would wait for itself for ever. Here nothing is held while anything else is done:
there are a flag, and a lock that is a bell.
"""

from threading import TIMEOUT_MAX, Lock
from typing import Protocol


class Interruption(Protocol):
    """What is looked at by those who are to end: an `Interrupt`, or a `threading.Event` without handlers."""

    def is_set(self) -> bool:
        """Whether somebody wishes it."""
        ...

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for that, so many seconds at most; whether it is so."""
        ...


class Interrupt:
    """Set once, by a handler, by any thread; any number of threads may wait."""

    def __init__(self) -> None:
        """Begin unset."""
        self._is_set = False
        self._bell = Lock()
        self._bell.acquire()

    def set(self) -> None:
        """Wish it."""
        self._is_set = True
        self._ring()

    def is_set(self) -> bool:
        """Whether somebody wishes it."""
        return self._is_set

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for that, so many seconds at most; whether it is so."""
        if not self._is_set:
            self._bell.acquire(timeout=-1 if timeout is None else min(max(timeout, 0.0), TIMEOUT_MAX))
            if self._is_set:
                self._ring()  # For whoever waits as well.
        return self._is_set

    def _ring(self) -> None:
        try:  # noqa: SIM105 - as in a mailbox: nothing that takes a lock
            self._bell.release()
        except RuntimeError:
            pass  # It is ringing.
