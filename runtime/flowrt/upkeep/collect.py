"""Collect: what no run and no deployment needs is removed. In: a store and its blobs; out: what went.

Blobs are gone through once, in pages, so that memory does not grow with their number. Those older than
the grace are held against the store's references, page by page, and what nothing refers to is removed.

Beside engines at work. A worker puts a blob, and only later does a record name it; and a blob that is
there already is not put again. Let a worker's `put` end at p, its record be durable at r, and a
collection begin at t, which is the `now` that it is given.

* It removes only blobs whose age is above the grace: those last put before t - grace. `remove` looks at
  the age once more in the instant of the removal, so a blob that is put while the collection is at work
  is safe, however the look and the put are interleaved.
* A `put` that finds its blob older than REFRESH makes it young. So a blob that some worker relied on at
  p was last put after p - REFRESH, and is removed only if p < t - grace + REFRESH: with the default
  grace, half an hour or more before the collection began.
* The references are read after t. A record that was durable before, r < t, is seen, and its blob stays.

So a needed blob is lost only if r - p, the time from the end of the put to the commit of its record, and
what the clocks of the machines differ by come to more than grace - REFRESH. A worker reports as soon as
it has put; an engine appends what has arrived with its next flush. A smaller grace than the default
leaves no such span, and is refused while anything else uses the store.

A crash at any point leaves blobs that the next collection finds. Two collections at once are safe on a
path; in a bucket, see `flowrt.store.object_blobs`.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from flowrt.engine.drive import owned
from flowrt.errors import FlowrtError
from flowrt.failpoint import hit
from flowrt.noun import noun
from flowrt.store.content import GRACE_US
from flowrt.store.port import Blobs, Store
from flowrt.store.rows import BlobFacts

EVENTS_KEPT_US = 7 * 24 * 3_600_000_000
"""Events stay at least a week: as long as one is there, its dedupe id is known."""

_PAGE = 1000
_AT_ONCE = 8
"""Removals on their way at a time: a bucket takes milliseconds for each."""


@noun
class Garbage:
    """What was removed, or with a dry run what would be. `young_count` blobs are not needed but young."""

    blob_count: int
    blob_bytes: int
    young_count: int
    needed_count: int
    unfinished_count: int
    program_count: int
    event_count: int


def collect_garbage(
    store: Store, blobs: Blobs, *, now: int, grace_us: int = GRACE_US, dry_run: bool = False
) -> Garbage:
    """Remove blobs, programs, callables and events that nothing needs.

    Args:
        store: What says which blobs are needed.
        blobs: The place of the blobs; it belongs to this store alone.
        now: The present instant, in microseconds.
        grace_us: Blobs that were put less than this ago stay.
        dry_run: Remove nothing; programs and events are not counted then.

    Raises:
        FlowrtError: The grace is less than the default while an engine has runs.
        StoreError: The store or the place of the blobs cannot be used.
    """
    if grace_us < GRACE_US and not dry_run:
        _refuse_if_used(store, now)
    store.check_references()
    before = now - grace_us
    count = size = young = needed_count = 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for page in _pages(blobs.every()):
            needed = store.needed([facts.digest for facts in page])
            needed_count += sum(facts.digest in needed for facts in page)
            unneeded = [facts for facts in page if facts.digest not in needed]
            old = [facts for facts in unneeded if facts.at < before]
            young += len(unneeded) - len(old)
            gone = old if dry_run else _remove(blobs, old, before, pool)
            count += len(gone)
            size += sum(facts.size for facts in gone)
    if dry_run:
        return Garbage(count, size, young, needed_count, 0, 0, 0)
    unfinished = blobs.sweep(before)
    unused = store.sweep(min(before, now - EVENTS_KEPT_US))
    return Garbage(count, size, young, needed_count, unfinished, unused.programs, unused.events)


def _refuse_if_used(store: Store, now: int) -> None:
    busy = next((row.run_id for row in store.runs() if owned(row, now)), None)
    if busy is not None:
        raise FlowrtError(
            f"A grace of less than an hour may take what a task has just stored, and run {busy} is at work. "
            "Wait until nothing uses the store, or give a longer grace."
        )


def _pages(facts: Iterable[BlobFacts]) -> Iterator[Sequence[BlobFacts]]:
    rest = iter(facts)
    while page := list(islice(rest, _PAGE)):
        yield page


def _remove(blobs: Blobs, old: Sequence[BlobFacts], before: int, pool: ThreadPoolExecutor) -> list[BlobFacts]:
    """Remove blobs that are neither needed nor young; return those that went."""

    def remove(facts: BlobFacts) -> bool:
        hit("gc.found")
        gone = blobs.remove(facts.digest, before)
        hit("gc.removed")
        return gone

    return [facts for facts, gone in zip(old, pool.map(remove, old), strict=True) if gone]
