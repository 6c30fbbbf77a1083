"""Delete: a run that has ended leaves the store, and its values with it. In: its id; out: what was freed.

Two steps, and a crash may come between them. The run and all that is its own go in one transaction of
the store, which also tells the blobs that nothing refers to from then on; then these are removed. A blob
that has just been put may be about to be named by a record of another run (see
`flowrt.store.content`), so what is young stays; it is removed by the next collection of garbage, and so
is what a crash left.
"""

from flowrt.failpoint import hit
from flowrt.noun import noun
from flowrt.store.content import GRACE_US
from flowrt.store.port import Blobs, Store


@noun
class Deleted:
    """A run that was deleted: how many of its blobs were removed, how many are left to the collection."""

    run_id: str
    freed_count: int
    left_count: int


def delete_run(store: Store, blobs: Blobs, run_id: str, *, now: int, grace_us: int = GRACE_US) -> Deleted:
    """Remove a run that has ended, and the blobs that nothing needs any more and that are not young.

    Args:
        store: Where the run is.
        blobs: Where its values are.
        run_id: The run.
        now: The present instant, in microseconds.
        grace_us: Blobs that were put less than this ago stay.

    Raises:
        UnknownRun: There is no such run.
        RunNotEnded: It has not ended.
        StoreError: The store or the place of the blobs cannot be used. A run that is gone stays gone.
    """
    unneeded = store.delete(run_id)
    hit("delete.done")
    freed = 0
    for digest in sorted(unneeded):
        hit("gc.found")
        freed += blobs.remove(digest, now - grace_us)
        hit("gc.removed")
    return Deleted(run_id, freed, len(unneeded) - freed)
