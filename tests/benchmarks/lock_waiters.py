"""What it costs to hand a lock on while many wait for it, against few, in one run.

    python tests/benchmarks/lock_waiters.py [--waiting 10 1000 10000] [--store postgres] [--only "handed on"]

handed on   at the store: a run that has the lock is taken up, and ends, which gives the lock to the next in
            line and makes that due; another run takes its place at the end. The median, in milliseconds
served      by an engine: so many runs that all go through one lock, from the first to the last; each of them

A store on the disk in memory, where there is one. Bar: with the most that wait, both take at most three times
as long as with the fewest.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path
from threading import Event

from bulk_statements import fresh

from flowc.compile import compile_file
from flowrt.engine.drive import start
from flowrt.engine.serve import serve
from flowrt.executor.local import LocalExecutor
from flowrt.store.blobs import MemoryBlobs
from flowrt.store.owner import this_owner
from flowrt.store.port import Store
from flowrt.store.rows import Batch, LockRequest, NewRun, Park

HERE = Path(__file__).resolve().parent
FAR = 1 << 50
HANDED_ON = 200
AT_ONCE = 500
BAR = 3.0
STEP = "door"


def handed_on_ms(store: Store, waiting: int) -> float:
    """How long one takes to hand the lock on, with so many who wait."""
    for first in range(0, waiting + 1, AT_ONCE):
        _ask(store, range(first, min(waiting + 1, first + AT_ONCE)))
    times: list[float] = []
    for number in range(HANDED_ON):
        began = time.perf_counter()
        [row] = store.claim_due(this_owner(), 1, FAR, 10)
        end = Batch(
            row.run_id,
            row.epoch,
            row.head,
            [b"end"],
            unlocks=(STEP,),
            status="succeeded",
            ended_at=1,
            park=Park(),
        )
        assert not store.append([end])
        times.append(time.perf_counter() - began)
        _ask(store, range(waiting + 1 + number, waiting + 2 + number))
    return statistics.median(times) * 1_000


def _ask(store: Store, numbers: range) -> None:
    """Runs take their places in the queue, and are parked there."""
    asked: list[Batch] = []
    for number in numbers:
        run = f"r{number}"
        store.create(NewRun(run, "f", "p" * 64, b"p", {}, "i" * 64, b"first", {}, {}, (), 0, served=True))
        epoch = store.claim(run, this_owner(), 0, FAR)
        places = (LockRequest(STEP, STEP, 1),)
        parked = Park(None, (), (STEP,))
        asked.append(Batch(run, epoch, 1, [b"asked"], locks=places, status="waiting", park=parked))
    assert not store.append(asked)


def served_ms(store: Store, count: int) -> float:
    """How long each of so many runs takes that go through one lock, in milliseconds."""
    program, blobs = compile_file(HERE / "door.flow.yaml").program, MemoryBlobs()
    for number in range(count):
        start(store, blobs, program, {}, run_id=f"s{number}", labels={}, python_path=(), served=True)
    interrupt = Event()

    def look(_: int) -> None:
        if not store.runs(status=["pending", "running", "waiting"], limit=1):
            interrupt.set()

    executor = LocalExecutor(threads=1)
    began = time.perf_counter()
    serve(store, blobs, executor, interrupt=interrupt, on_turn=look)
    took = time.perf_counter() - began
    executor.close()
    assert len(store.runs(status=["succeeded"])) >= count
    return took / count * 1_000


MEASURES = {"handed on": handed_on_ms, "served": served_ms}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--waiting", type=int, nargs="+", default=[10, 1_000, 10_000])
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--only", choices=tuple(MEASURES))
    given = parser.parse_args()
    worst = 0.0
    for name in [given.only] if given.only else MEASURES:
        measure = MEASURES[name]
        found: list[float] = []
        for count in given.waiting:
            with fresh(given.store) as store:
                found.append(measure(store, count))
            print(f"{name:10} {count:7,} wait: {found[-1]:8.2f} ms each", flush=True)
        worst = max(worst, found[-1] / found[0])
        print(f"{name:10} ratio {found[-1] / found[0]:.2f} (bar {BAR:g})")
    return 0 if worst <= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
