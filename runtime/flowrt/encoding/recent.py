"""What was used of late, up to a number of bytes. In: keys, values, sizes; out: values, or None.

Safe to use from several threads. The newest entry stays whatever its size, so that going through one
huge value works as well as going through a small one.
"""

from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

V = TypeVar("V")


class Recent(Generic[V]):
    """A cache by least recent use. A value of None cannot be kept apart from none at all."""

    def __init__(self, limit: int) -> None:
        """Keep at most `limit` bytes, or one entry."""
        self._limit = limit
        self._bytes = 0
        self._entries: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> V | None:
        """The value of a key, which is now the newest; None when it is not here."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: Hashable, value: V, size: int) -> None:
        """Keep a value and let go of the oldest beyond the limit."""
        with self._lock:
            former = self._entries.pop(key, None)
            self._entries[key] = (value, size)
            self._bytes += size - (former[1] if former else 0)
            while self._bytes > self._limit and len(self._entries) > 1:
                _, (_, gone) = self._entries.popitem(last=False)
                self._bytes -= gone

    def __len__(self) -> int:
        """How many entries there are."""
        return len(self._entries)
