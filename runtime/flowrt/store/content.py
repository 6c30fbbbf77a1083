"""Content: what is the same for every place that keeps values by their digest. In: bytes; out: digests.

How long a value stays. A worker stores a value first and reports its digest then; only the record that
names it makes it needed. So a value that nothing needs yet may be needed soon, and is left alone until it
is older than the grace of the collection. A value that is there already may be just as old: whoever
stores it anew, and finds it older than REFRESH_US, makes it young again. With that, a value is removed
only when it was last relied on longer ago than grace less REFRESH_US and no record names it. That span,
half an hour, must be more than the time from the end of `put` to the commit of the record and the
difference between the clocks of the machines together.
"""

import hashlib
import re
import time
from collections.abc import Sequence

from flowrt.errors import StoreCorrupt

GRACE_US = 3_600_000_000
"""A value that nothing needs is collected when it is older than this, unless told otherwise."""

REFRESH_US = GRACE_US // 2
"""A value that is there, older than this, and stored again, becomes young."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def digest_and_size(parts: Sequence[bytes | memoryview]) -> tuple[str, int]:
    """The SHA-256 (hex) and the length in bytes of the concatenation of `parts`."""
    digest, size = hashlib.sha256(), 0
    for part in parts:
        digest.update(part)
        size += memoryview(part).nbytes
    return digest.hexdigest(), size


def check_digest(digest: str) -> str:
    """The digest, if it is one. Raises StoreCorrupt."""
    if not _DIGEST.fullmatch(digest):
        raise StoreCorrupt(f"{digest[:80]!r} is no digest of a stored value.")
    return digest


def is_of(digest: str, data: bytes) -> bool:
    """Whether bytes have this digest."""
    return hashlib.sha256(data).hexdigest() == digest


def verified(digest: str, data: bytes, where: str) -> bytes:
    """The bytes, if they are those of the digest. Raises StoreCorrupt."""
    if not is_of(digest, data):
        raise damaged(where)
    return data


def damaged(where: str) -> StoreCorrupt:
    """What to raise for bytes that are not those that were put."""
    return StoreCorrupt(f"The stored value {where} is damaged: its bytes are not those of its digest.")


def missing(where: str) -> StoreCorrupt:
    """What to raise for a value that is not there."""
    return StoreCorrupt(
        f"The stored value {where} is missing. If values are kept in another place, name it with --blobs."
    )


def wall_us() -> int:
    """The machine's clock, in microseconds since 1970-01-01 UTC, as the ages of values are told by it."""
    return time.time_ns() // 1000
