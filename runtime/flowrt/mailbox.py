"""A mailbox: many threads post, one takes. In: items; out: the same, in order, or nothing in time.

`queue.SimpleQueue.get` of Python 3.11 cannot be trusted with a timeout: when a signal interrupts it and the
handler runs past the deadline, what is left of the time is negative, which it takes for "wait for ever". An
engine that is asked to end by that very signal would never look. So a lock is the bell here, whose `acquire`
counts correctly, and the queue is only ever asked for what is there. `queue.Queue` would count correctly as
well, but a handler or a destructor that posts while its own thread holds the lock of that queue would wait
for itself; both of what is used here may be entered again.
"""

from queue import Empty, SimpleQueue
from threading import TIMEOUT_MAX, Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Items on their way to one thread; None is no item."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._items: SimpleQueue[T] = SimpleQueue()
        self._bell = Lock()
        self._bell.acquire()

    def post(self, item: T) -> None:
        """Put an item in, from any thread."""
        self._items.put(item)
        try:  # noqa: SIM105 - this is on the way of every result
            self._bell.release()
        except RuntimeError:
            pass  # It has been rung already, for an item that is not taken yet.

    def empty(self) -> bool:
        """Whether nothing is there."""
        return self._items.empty()

    def take_now(self) -> T | None:
        """The next item, or None when nothing is there."""
        try:
            return self._items.get_nowait()
        except Empty:
            return None

    def take(self, timeout_s: float | None = None) -> T | None:
        """The next item; None when none has come within the time, or now and then earlier.

        Without a time it is waited for as long as it takes.
        """
        item = self.take_now()
        if item is not None:
            return item
        if timeout_s is not None:
            self._bell.acquire(timeout=min(max(timeout_s, 0.0), TIMEOUT_MAX))
            return self.take_now()
        while (item := self.take_now()) is None:
            self._bell.acquire()
        return item
