"""Values that runs take over from one another, in SQL. In: a connection within a transaction; out: rows.

An entry belongs to the run that made it, whose references keep the blobs of its value; it goes when that
run is deleted. The first who makes a value under a key keeps the place until it expires, or is older than the
next one may become: whoever made that found it too old, and so would all who come later.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, Row, delete, or_, select

from flowrt.errors import StoreCorrupt
from flowrt.failpoint import hit
from flowrt.store.checksum import cache_checksum
from flowrt.store.rows import Batch, CachedRow
from flowrt.store.schema import cache, runs
from flowrt.store.sql_insert import insert_absent
from flowrt.store.sql_rows import as_list, given_texts

_ROWS = select(cache, runs.c.run_id).join(runs, runs.c.run_no == cache.c.run_no)


def add(connection: Connection, batches: Sequence[Batch], numbers: Mapping[str, int]) -> None:
    """Write what batches have made. In the order of the keys: two who write the same wait for each other."""
    made = sorted((one.key, numbers[batch.run_id], one) for batch in batches for one in batch.cached)
    for key, run_no, one in made:
        over = cache.c.expires_at <= one.made_at
        if one.expires_at is not None:
            over = or_(over, cache.c.made_at <= 2 * one.made_at - one.expires_at)
        connection.execute(delete(cache).where(cache.c.key == key, over))
        row = {
            "key": key,
            "run_no": run_no,
            "value": one.value,
            "made_at": one.made_at,
            "expires_at": one.expires_at,
            "checksum": cache_checksum(key, run_no, one.made_at, one.expires_at, one.value),
        }
        insert_absent(connection, cache, [row])
    if made:
        hit("cache.written")


def found(connection: Connection, keys: Collection[str], now: int) -> list[CachedRow]:
    """The entries of these keys that have not expired."""
    lasts = or_(cache.c.expires_at.is_(None), cache.c.expires_at > now)
    query = _ROWS.where(cache.c.key.in_(given_texts(connection.dialect.name)), lasts)
    return [_row(row) for row in connection.execute(query, as_list(keys))]


def every(connection: Connection, after: str, limit: int) -> list[CachedRow]:
    """Entries with keys behind `after`, in their order."""
    query = _ROWS.where(cache.c.key > after).order_by(cache.c.key).limit(limit)
    return [_row(row) for row in connection.execute(query)]


def sweep(connection: Connection, before: int) -> None:
    """Remove what expired before an instant."""
    connection.execute(delete(cache).where(cache.c.expires_at < before))


def _row(row: Row[*tuple[object, ...]]) -> CachedRow:
    try:
        sound = row.checksum == cache_checksum(row.key, row.run_no, row.made_at, row.expires_at, row.value)
    except (TypeError, AttributeError):
        sound = False
    if not sound:
        raise StoreCorrupt(
            f"The cached value {row.key}, made by run {row.run_id}, is damaged. Delete that run, or restore "
            "the store from a copy."
        )
    return CachedRow(row.key, row.run_id, row.value, row.made_at, row.expires_at)
