"""Check of blobs. In: the digests that records and deployments name; out: findings on those not sound."""

from flowrt.store.port import Blobs, Store
from flowrt.upkeep.finding import Findings

_PAGE = 500
_KEY_SIZE = 32
"""Half of a digest in hex is enough to tell a million blobs apart, and half the memory."""


class NamedBlobs:
    """Reads each blob once, and sees that the store knows of each reference."""

    def __init__(self, store: Store, blobs: Blobs) -> None:
        """Read from these."""
        self._store = store
        self._blobs = blobs
        self._seen: set[bytes] = set()
        self._named: dict[str, tuple[str | None, int | None]] = {}
        self.byte_count = 0

    @property
    def count(self) -> int:
        """How many different blobs have been read."""
        return len(self._seen)

    def check(
        self, digest: str, found: Findings, run_id: str | None = None, record: int | None = None
    ) -> None:
        """Read a blob that is named here, unless it was read before and was sound."""
        self._named.setdefault(digest, (run_id, record))
        if len(self._named) >= _PAGE:
            self.check_references(found)
        key = digest.encode()[:_KEY_SIZE]
        if key in self._seen:
            return
        length = found.attempt("blob", lambda: len(self._blobs.get(digest)), run_id, record)
        if length is not None:
            self._seen.add(key)
            self.byte_count += length

    def check_references(self, found: Findings) -> None:
        """See that the store knows that these blobs are needed: what it does not know of is collected."""
        named, self._named = self._named, {}
        needed = found.attempt("database", lambda: self._store.needed(list(named)))
        if needed is None:
            return
        for digest, (run_id, record) in named.items():
            if digest not in needed:
                message = (
                    f"The store does not know that the stored value {digest} is needed: "
                    "`flowc store gc` would remove it."
                )
                found.note("blob", message, run_id, record)
