"""What seals cost: records a second through a store with a key, against one without, and reading them again.

    python tests/benchmarks/sealed_records.py

Each of a few rounds appends the same batches to both, in turns, so that what else the machine does is shared.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flowrt.store.open import open_store
from flowrt.store.owner import this_owner
from flowrt.store.port import Store
from flowrt.store.rows import Batch, NewRun
from flowrt.store.seal import seals_of
from flowrt.store.sealed import SealedStore

ROUNDS = 5
BATCHES = 50
RECORDS = 100
SIZE = 200
KEY = "the key of a benchmark of 32 characters"


def _filled(make: Callable[[Store], Store], place: Path) -> tuple[float, float]:
    """Records a second: appended, and read."""
    inner, _ = open_store(str(place))
    store = make(inner)
    store.create(NewRun("r", "f", "p" * 64, b"p", {}, "i" * 64, b"first", {}, {}, (), 0))
    epoch = store.claim("r", this_owner(), 0, 10**18)
    record = b"\x01" + bytes(SIZE)
    began = time.perf_counter()
    for number in range(BATCHES):
        store.append([Batch("r", epoch, 1 + number * RECORDS, [record] * RECORDS)])
    appended = time.perf_counter()
    count = sum(1 for _ in store.journal("r"))
    read = time.perf_counter()
    store.close()
    return count / (appended - began), count / (read - appended)


def main() -> int:
    """Measure and print."""
    seals = seals_of({"FLOWC_STORE_KEY": KEY})
    assert seals is not None
    plain: list[tuple[float, float]] = []
    sealed: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            plain.append(_filled(lambda store: store, Path(folder) / "plain"))
            sealed.append(_filled(lambda store: SealedStore(store, seals), Path(folder) / "sealed"))
    for what, at in (("appended", 0), ("read", 1)):
        without, with_key = (statistics.median(round_[at] for round_ in rounds) for rounds in (plain, sealed))
        print(f"{what:8} {without:9,.0f} records/s without, {with_key:9,.0f} with: {with_key / without:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
