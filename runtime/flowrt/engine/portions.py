"""What many runs have to append, in portions. In: runs; out: what became of the batch of each.

One flush appends for every run that has something to say, and a store is given a bounded part of it in one
transaction: a transaction of millions of records would hold up every other process at the store for minutes,
and would be lost as a whole.

What is damaged in the store for one run is that run's affair. A transaction that fails because of it is made
again in halves, until the damaged runs stand alone: one among thousands costs some twenty transactions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flowrt.engine.conduct import Conductor
from flowrt.errors import StoreError, StoreUnavailable
from flowrt.failpoint import hit
from flowrt.store.port import Store
from flowrt.store.rows import Batch

RECORDS_MAX = 10_000
"""About how many records go into one transaction, which takes a store some tenths of a second."""

BYTES_MAX = 16 << 20
"""About how many bytes."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a batch: durable, or of a run that is no longer ours (`lost`), or refused (`damage`)."""

    conductor: Conductor
    lost: bool = False
    damage: StoreError | None = None


def append_all(store: Store, dirty: Sequence[Conductor]) -> Iterator[list[Appended]]:
    """Append what the runs have noted; each transaction's outcome as soon as it is there.

    Raises StoreUnavailable: then the transactions that were told of are durable, and nothing else is known.
    """
    for portion in _portions(dirty):
        yield from _append(store, portion)


Portion = list[tuple[Conductor, Batch]]


def _portions(dirty: Sequence[Conductor]) -> Iterator[Portion]:
    portion: Portion = []
    count = size = 0
    for conductor in dirty:
        batch = conductor.run.batch()
        length = sum(map(len, batch.records))
        if portion and (count + len(batch.records) > RECORDS_MAX or size + length > BYTES_MAX):
            yield portion
            portion, count, size = [], 0, 0
        portion.append((conductor, batch))
        count, size = count + len(batch.records), size + length
    if portion:
        yield portion


def _append(store: Store, portion: Portion) -> Iterator[list[Appended]]:
    left = [portion]
    while left:
        some = left.pop()
        try:
            lost = store.append([batch for _, batch in some])
        except StoreUnavailable:
            raise
        except StoreError as error:
            if len(some) == 1:
                yield [Appended(some[0][0], damage=error)]
            else:
                half = len(some) // 2
                left += [some[half:], some[:half]]
        else:
            hit("flush.done")
            yield [Appended(conductor, batch.run_id in lost) for conductor, batch in some]
