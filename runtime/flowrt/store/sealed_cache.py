"""Cached values, sealed. In: values to be cached, or rows; out: the same, in an envelope or out of it.

Nobody without the key can put a value under a key, change one, or move it to another key or run.
"""

from dataclasses import replace

from flowrt.store.rows import CachedRow, NewCached
from flowrt.store.seal import Seals, place


def sealed_cached(seals: Seals, run_id: str, new: NewCached) -> NewCached:
    """What a run has made, sealed."""
    return replace(new, value=seals.seal(_place(run_id, new), new.value))


def opened_cached(seals: Seals, row: CachedRow) -> CachedRow:
    """A row with its value as it was. Raises StoreCorrupt, WrongStoreKey."""
    value = seals.unseal(
        _place(row.run_id, row), row.value, f"the cached value {row.key} of run {row.run_id}"
    )
    return replace(row, value=value)


def _place(run_id: str, one: NewCached | CachedRow) -> bytes:
    until = "" if one.expires_at is None else str(one.expires_at)
    return place("cached", run_id.encode(), one.key.encode(), str(one.made_at).encode(), until.encode())
