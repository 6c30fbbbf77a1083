"""Trivial tasks of a durable parallel `for`, recorded, against plain `ray.remote` calls, in one run.

    python tests/benchmarks/recorded_tasks.py [--count 2000] [--times 3]

Bar: at least half the rate of the plain calls.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import ray

from flowc.compile import compile_file
from flowrt.engine.drive import drive, start
from flowrt.executor.ray import RayExecutor
from flowrt.store.open import open_store

HERE = Path(__file__).resolve().parent


def plain(count: int) -> float:
    @ray.remote
    def trivial(n: int) -> int:
        return n + 1

    ray.get([trivial.remote(n) for n in range(8)])
    began = time.monotonic()
    assert sum(ray.get([trivial.remote(n) for n in range(count)])) == count * (count + 1) // 2
    return count / (time.monotonic() - began)


def durable(count: int, directory: str) -> float:
    program = compile_file(HERE / "many.flow.yaml").program
    store, blobs = open_store(directory)
    executor = RayExecutor()
    try:
        began = time.monotonic()
        inputs = {"count": count, "parallel": min(count, 1000)}
        run_id = start(store, blobs, program, inputs, run_id=None, labels={}, python_path=[str(HERE)])
        result = drive(store, blobs, executor, [run_id])[run_id]
        took = time.monotonic() - began
        assert result.status == "succeeded", result
        return count / took
    finally:
        executor.close()
        store.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    rates: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as base:
        for number in range(given.times):
            rates.append((plain(given.count), durable(given.count, f"{base}/{number}")))
            print(f"plain {rates[-1][0]:.0f}/s, durable {rates[-1][1]:.0f}/s")
    ratio = statistics.median(ours / theirs for theirs, ours in rates)
    print(f"ratio {ratio:.2f} (bar 0.5)")
    return 0 if ratio >= 0.5 else 1


if __name__ == "__main__":
    sys.exit(main())
