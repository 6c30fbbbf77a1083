"""Large values by reference: encoded bytes that stay in Ray's object store beside the blob store.

A large result is in the blob store before its step counts as done; that copy is the truth. The same bytes
are kept in the object store as a second return value of the batch, and a dependent gets them as an
argument: on the same node it reads shared memory, without a copy and without a file. Should the object be
lost, the dependent reads the blob. This file knows nothing of Ray: a reference is any object.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pickle import PickleBuffer

from flowrt.store.port import Blobs
from flowrt.store.rows import BlobFacts
from flowrt.value import Blob


class Kept:
    """Encoded values by digest, whose buffers an object store takes out of band and gives back in place."""

    def __init__(self, digests: Sequence[str], buffers: Sequence[bytes | bytearray | memoryview]) -> None:
        """Pair digests with buffers."""
        self._digests = tuple(digests)
        self._buffers = tuple(buffers)

    def __reduce_ex__(self, protocol: object) -> tuple[object, tuple[object, object]]:
        """As pickle protocol 5 wants it for buffers out of band."""
        return Kept, (self._digests, tuple(PickleBuffer(buffer) for buffer in self._buffers))

    def __iter__(self) -> Iterator[tuple[str, memoryview]]:
        """Digests and their bytes."""
        for digest, buffer in zip(self._digests, self._buffers, strict=True):
            yield digest, memoryview(buffer).toreadonly()


class HeldBlobs:
    """A blob store as a worker sees it: what it holds by reference is not read, what it puts is kept."""

    def __init__(self, blobs: Blobs) -> None:
        """Put in front of `blobs`."""
        self._blobs = blobs
        self._held: dict[str, memoryview] = {}
        self._put: dict[str, bytes] = {}

    def hold(self, held: Sequence[Kept]) -> None:
        """From now on have these values, and no others."""
        self._held = {digest: data for kept in held for digest, data in kept}
        self._put = {}

    def take(self) -> Kept | None:
        """What was put since the last `hold`."""
        put, self._put = self._put, {}
        self._held = {}
        return Kept(tuple(put), tuple(put.values())) if put else None

    def put(self, parts: Sequence[bytes | memoryview]) -> tuple[str, int]:
        """Store durably, and keep the bytes."""
        digest, size = self._blobs.put(parts)
        # A copy: what the step returned may be changed by the next step of its batch.
        self._put[digest] = b"".join(parts)
        return digest, size

    def held(self, digest: str) -> memoryview | None:
        """What came by reference under that digest."""
        return self._held.get(digest)

    def get(self, digest: str) -> bytes:
        """The bytes that are held (a view of them), else those of the blob store."""
        held = self.held(digest)
        # The codec reads any buffer; a copy into `bytes` is what holding by reference is meant to save.
        return self._blobs.get(digest) if held is None else held  # type: ignore[return-value]

    def renew(self, digest: str) -> None:
        """Make a blob of the blob store young."""
        self._blobs.renew(digest)

    def every(self) -> Iterator[BlobFacts]:
        """All that the blob store has."""
        return self._blobs.every()

    def remove(self, digest: str, put_before: int) -> bool:
        """Remove a blob from the blob store."""
        return self._blobs.remove(digest, put_before)

    def sweep(self, before: int) -> int:
        """Remove what the blob store has left of puts that came to no end."""
        return self._blobs.sweep(before)


class References:
    """Which object holds which value, as far as `limit` bytes go; the least recently used go first."""

    def __init__(self, limit: int) -> None:
        """Hold on to at most `limit` bytes."""
        self._limit = limit
        self._bytes = 0
        self._known: OrderedDict[str, tuple[object, int]] = OrderedDict()

    def keep(self, digest: str, size: int, reference: object) -> None:
        """Remember where a value is."""
        self.forget(digest)
        self._known[digest] = (reference, size)
        self._bytes += size
        while self._bytes > self._limit and self._known:
            self.forget(next(iter(self._known)))

    def forget(self, digest: str) -> None:
        """The object is lost, or no longer worth its memory."""
        _, size = self._known.pop(digest, (None, 0))
        self._bytes -= size

    def find(self, blobs: Sequence[Blob]) -> dict[str, object]:
        """References by digest, for those of the values that have one."""
        found: dict[str, object] = {}
        for blob in blobs:
            known = self._known.get(blob.digest)
            if known is not None:
                self._known.move_to_end(blob.digest)
                found[blob.digest] = known[0]
        return found
