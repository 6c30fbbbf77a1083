"""The states of actors in a store in memory. In: what batches have made; out: rows."""

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager

from flowrt.errors import UnknownActor
from flowrt.store.actor_rules import check_free, refused
from flowrt.store.rows import ActorRow, Batch, LockRow

Queue = Callable[[str], Sequence[LockRow]]
Needed = Callable[[Collection[str]], frozenset[str]]


class MemoryActors:
    """States by name. `queue` gives the places for a lock, `needed` those of some blobs that are."""

    def __init__(self, lock: AbstractContextManager[object], queue: Queue, needed: Needed) -> None:
        """Begin with none; `lock` is that of the store."""
        self._lock = lock
        self._queue = queue
        self._needed = needed
        self._rows: dict[str, ActorRow] = {}

    def found(self, names: Collection[str]) -> list[ActorRow]:
        """The states under these names."""
        with self._lock:
            return [self._rows[name] for name in names if name in self._rows]

    def every(self, after: str, limit: int) -> list[ActorRow]:
        """States with names behind `after`, in their order."""
        with self._lock:
            return [self._rows[name] for name in sorted(self._rows) if name > after][:limit]

    def remove(self, name: str) -> frozenset[str]:
        """Remove a state. Raises UnknownActor, ActorBusy."""
        with self._lock:
            check_free(name, self._queue(name))
            row = self._rows.pop(name, None)
            if row is None:
                raise UnknownActor(f"There is no actor {name} in this process.")
            blobs = {row.blob} if row.blob is not None else set[str]()
            return frozenset(blobs) - self._needed(blobs)

    def check(self, batch: Batch) -> None:
        """Raise StoreCorrupt when a batch begins from other versions than there are."""
        versions: dict[str, int] = {}
        for change in batch.actors:
            there = self._rows.get(change.name)
            version = versions.get(change.name, 0 if there is None else there.version)
            if version != change.version:
                raise refused(batch.run_id, change)
            versions[change.name] = version + 1

    def change(self, batch: Batch) -> None:
        """Write what a batch has made."""
        for one in batch.actors:
            self._rows[one.name] = ActorRow(
                one.name, one.version + 1, one.state, one.blob, batch.run_id, one.step, one.at
            )

    def blobs(self) -> Iterable[str]:
        """The blobs that states are in."""
        return [row.blob for row in self._rows.values() if row.blob is not None]
