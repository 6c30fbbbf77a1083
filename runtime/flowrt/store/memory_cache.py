"""The cached values of a store in memory. In: what batches have made; out: rows."""

from collections.abc import Collection

from flowrt.store.rows import Batch, CachedRow, NewCached


class MemoryCache:
    """Values by their keys."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: dict[str, CachedRow] = {}

    def add(self, batch: Batch) -> None:
        """Add what a batch has made, where nothing is that lasts."""
        for one in batch.cached:
            there = self._rows.get(one.key)
            if there is None or _is_over(there, one):
                row = CachedRow(one.key, batch.run_id, one.value, one.made_at, one.expires_at)
                self._rows[one.key] = row

    def found(self, keys: Collection[str], now: int) -> list[CachedRow]:
        """The entries of these keys that have not expired."""
        rows = [self._rows[key] for key in keys if key in self._rows]
        return [row for row in rows if row.expires_at is None or row.expires_at > now]

    def every(self, after: str, limit: int) -> list[CachedRow]:
        """Entries with keys behind `after`, in their order."""
        return [self._rows[key] for key in sorted(self._rows) if key > after][:limit]

    def drop(self, run_id: str) -> None:
        """A run is deleted: what it has made goes with it."""
        self._rows = {key: row for key, row in self._rows.items() if row.run_id != run_id}

    def sweep(self, before: int) -> None:
        """Remove what expired before an instant."""
        rows = self._rows.items()
        self._rows = {k: row for k, row in rows if row.expires_at is None or row.expires_at >= before}


def _is_over(row: CachedRow, new: NewCached) -> bool:
    """Whether an entry has expired, or is older than the one that is new may become."""
    if row.expires_at is not None and row.expires_at <= new.made_at:
        return True
    return new.expires_at is not None and row.made_at + (new.expires_at - new.made_at) <= new.made_at
