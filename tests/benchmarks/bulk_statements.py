"""What the statements cost that a serving engine makes for a thousand runs at once.

python tests/benchmarks/bulk_statements.py [--runs 1000] [--rounds 30] [--store postgres]

A store on the disk in memory, where there is one, so that the disk does not hide what the statements take; on
SQLite what the processor took, on PostgreSQL what the clock says.
For each statement: the median of the rounds, in milliseconds.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from flowrt.store.open import open_store
from flowrt.store.owner import this_owner
from flowrt.store.port import Store
from flowrt.store.rows import Batch, NewRun, Park, WaitRow

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

FAR = 1 << 50
PARK = Park(7, [WaitRow("go", "k", 0)])


def measure(store: Store, run_count: int, rounds: int, clock: Callable[[], float]) -> dict[str, float]:
    """The median time of each statement, in milliseconds."""
    times: dict[str, list[float]] = defaultdict(list)

    def timed(name: str, work: Callable[[], Any]) -> Any:
        began = clock()
        done = work()
        times[name].append((clock() - began) * 1_000)
        return done

    new = [
        NewRun(f"r{n}", "f", "p", b"p", {}, "i", b"first", {}, {}, (), 5, served=True)
        for n in range(run_count)
    ]
    timed("create, each run", lambda: [store.create(run) for run in new])
    times["create, each run"][0] /= run_count
    heads = dict.fromkeys((run.run_id for run in new), 1)
    for _ in range(rounds):
        rows = timed("claim_due", partial(store.claim_due, this_owner(), FAR, FAR, run_count))
        held = {row.run_id: row.epoch for row in rows}
        timed("renew", partial(store.renew, held, FAR))
        step = [Batch(i, epoch, heads[i], [b"a record"], status="running") for i, epoch in held.items()]
        timed("append", partial(store.append, step))
        last = [
            Batch(i, epoch, heads[i] + 1, [b"a record"], status="waiting", park=PARK)
            for i, epoch in held.items()
        ]
        timed("append and park", partial(store.append, last))
        timed("journals", partial(store.journals, list(held)))
        timed("runs", store.runs)
        heads = {i: head + 2 for i, head in heads.items()}
    return {name: statistics.median(found) for name, found in times.items()}


@contextmanager
def fresh(kind: str) -> Iterator[Store]:
    """An empty store."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        if kind == "postgres":
            from postgres import fresh_database  # noqa: PLC0415 - a server of its own

            store, _ = open_store(fresh_database(), "memory:")
        else:
            store, _ = open_store(folder)
        yield store
        store.close()


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    args = parser.parse_args()
    # On a busy machine the time of the processor says more; a server takes none of this process's.
    clock = time.process_time if args.store == "sqlite" else time.perf_counter
    with fresh(args.store) as store:
        for name, ms in measure(store, args.runs, args.rounds, clock).items():
            print(f"{name:20} {ms:9.2f} ms")


if __name__ == "__main__":
    main()
