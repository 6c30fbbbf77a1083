"""Checksums of rows. In: what a row says of itself, and its bytes; out: a CRC-32.

The bytes of a record have a checksum of their own, but a database whose pages are damaged can also give
intact bytes under another number. So the checksum of a row covers its place.
"""

import zlib


def record_checksum(run_id: str, seq: int, epoch: int, data: bytes) -> int:
    """The checksum of a record at its place in its journal."""
    return zlib.crc32(data, zlib.crc32(f"{run_id} {seq} {epoch}".encode()))


def event_checksum(
    name: str, key: str | None, at: int, run_id: str | None, dedupe: str | None, payload: bytes
) -> int:
    """The checksum of an event, of its columns as they are written."""
    return zlib.crc32(payload, _of(name, key, at, run_id, dedupe))


def wait_checksum(run_no: int, name: str, key: str | None, looked: int) -> int:
    """The checksum of a wait, of its columns as they are written."""
    return _of(run_no, name, key, looked)


def pair_checksum(first: int | str, second: str) -> int:
    """The checksum of a row that says what belongs to what."""
    return _of(first, second)


def cursor_checksum(name: str, cursor: int) -> int:
    """The checksum of the cursor of a deployment; its name as it is written."""
    return _of(name, cursor)


def lock_checksum(columns: tuple[object, ...], *, granted: bool) -> int:
    """The checksum of a place in the queue for a lock, of its columns as they are written."""
    return zlib.crc32(repr((*columns, granted)).encode("utf-8", "surrogatepass"))


def cache_checksum(key: str, run_no: int, made_at: int, expires_at: int | None, value: bytes) -> int:
    """The checksum of a cached value, of its columns as they are written."""
    return zlib.crc32(value, _of(key, run_no, made_at, expires_at))


def actor_checksum(columns: tuple[object, ...], state: bytes) -> int:
    """The checksum of the state of an actor, of its columns as they are written."""
    return zlib.crc32(state, zlib.crc32(repr(columns).encode("utf-8", "surrogatepass")))


def _of(*columns: str | int | None) -> int:
    return zlib.crc32(repr(columns).encode("utf-8", "surrogatepass"))
