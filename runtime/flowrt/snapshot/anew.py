"""The code of a failed run once more. In: a run and the folders of its author. Out: what has changed in them.

A failed run goes on "once the cause is mended". The mending was done in the author's folders, so when
these are here and hold something else than the snapshot, they are packed anew. Folders of the same name
that hold another project (`/app` on another machine) are not taken for them: of the files that were
packed, at least half must be there.
"""

from collections.abc import Mapping
from pathlib import Path

from flowrt.noun import noun
from flowrt.snapshot.cache import keep, packed_here
from flowrt.snapshot.pack import NotPacked, pack
from flowrt.snapshot.unpack import members
from flowrt.store.port import Blobs
from flowrt.store.rows import RunRow


@noun
class Anew:
    """A new snapshot of a run's code, in the blob store, and the names of the files that have changed."""

    snapshot: str
    changed: tuple[str, ...]


@noun
class Kept:
    """Why the recorded code stays, when that is worth saying; else empty."""

    reason: str = ""


def packed_anew(row: RunRow, blobs: Blobs) -> Anew | Kept:
    """Pack the code of a run again, if its author's folders are here and differ. Raises StoreError."""
    if not row.python_path or not all(Path(folder).is_dir() for folder in row.python_path):
        return Kept()
    packed = pack(row.python_path)
    if isinstance(packed, NotPacked):
        return Kept("" if row.snapshot is None else f"it cannot be packed anew: {packed.reason}")
    if packed.digest == row.snapshot:
        packed_here(packed.digest)
        return Kept()
    after = members(packed.data, packed.digest)
    changed: tuple[str, ...] = ()
    if row.snapshot is not None:
        before = members(bytes(blobs.get(row.snapshot)), row.snapshot)
        changed = _changed(before, after)
        if not changed:
            return Kept()
        if len(before.keys() & after.keys()) * 2 < len(before):
            return Kept(f"{row.python_path[0]} holds something else here")
    digest = keep(packed, blobs)
    assert digest is not None, "it was packed"
    return Anew(digest, changed)


def _changed(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[str, ...]:
    names = sorted(before.keys() | after.keys())
    return tuple(name.partition("/")[2] for name in names if before.get(name) != after.get(name))
