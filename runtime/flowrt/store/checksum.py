"""Checksums of rows. In: what a row says of itself, and its bytes; out: a CRC-32.

The bytes of a record have a checksum of their own, but a database whose pages are damaged can also give
intact bytes under another number. So the checksum of a row covers its place.
"""

import zlib


def record_checksum(run_id: str, seq: int, epoch: int, data: bytes) -> int:
    """The checksum of a record at its place in its journal."""
    return zlib.crc32(data, zlib.crc32(f"{run_id} {seq} {epoch}".encode()))


def event_checksum(name: str, key: str | None, payload: bytes) -> int:
    """The checksum of an event."""
    return zlib.crc32(payload, zlib.crc32(repr((name, key)).encode()))
