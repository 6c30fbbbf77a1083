"""How many trivial tasks a second: the executor on Ray against plain `ray.remote` calls, in one run.

    python tests/benchmarks/tasks_per_second.py [COUNT]

Both make COUNT calls (2,000) of the same function on the same local Ray and look at every result, three
times over; the best of each counts. The last line is the ratio: above 1 the executor is faster.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path

import ray

from flowrt.encoding.values import Values
from flowrt.executor.port import Attempt, AttemptKey, Outcome, Returned, RunFacts
from flowrt.executor.ray import RayExecutor
from flowrt.expr.tree import Name
from flowrt.program import Imported, Task
from flowrt.store.blobs import LocalBlobs

ROUNDS = 3


def inc(value: int) -> int:
    """The trivial task."""
    return value + 1


class Measured:
    """The executor, and a count of what it reports."""

    def __init__(self, root: str) -> None:
        """Start a local Ray."""
        self.blobs = LocalBlobs(root)
        self.values = Values(self.blobs)
        self.outcomes: dict[AttemptKey, Outcome] = {}
        self.wanted = 0
        self.done = threading.Event()
        self.executor = RayExecutor()
        self.executor.start(self.report, self.blobs)

    def report(self, key: AttemptKey, outcome: Outcome) -> None:
        """Gather outcomes until all are there."""
        self.outcomes[key] = outcome
        if len(self.outcomes) == self.wanted:
            self.done.set()

    def seconds(self, count: int) -> float:
        """How long `count` attempts take, from their making to the last result."""
        run = RunFacts("run", "flow", 0, {}, 1, [str(Path(__file__).parent)])
        task = Task(Imported("tasks_per_second:inc"), (Name("x"),))
        self.outcomes, self.wanted = {}, count
        self.done.clear()
        began = time.perf_counter()
        self.executor.submit(
            [
                Attempt(
                    AttemptKey("run", f"step[{number}]", 1), task, {"x": self.values.record(number)}, run, {}
                )
                for number in range(count)
            ]
        )
        assert self.done.wait(120)
        total = 0
        for outcome in self.outcomes.values():
            assert isinstance(outcome, Returned), outcome
            value = self.values.load(outcome.value)
            assert isinstance(value, int)
            total += value
        took = time.perf_counter() - began
        assert total == count * (count + 1) // 2
        return took


def plain_seconds(count: int) -> float:
    """How long `count` plain calls take, from the first call to the last result."""
    remote = ray.remote(inc)
    began = time.perf_counter()
    total = sum(ray.get([remote.remote(number) for number in range(count)]))
    took = time.perf_counter() - began
    assert total == count * (count + 1) // 2
    return took


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    with tempfile.TemporaryDirectory() as root:
        measured = Measured(root)
        plain = [plain_seconds(count) for _ in range(ROUNDS)]
        ours = [measured.seconds(count) for _ in range(ROUNDS)]
        measured.executor.close()
    for name, times in (("plain ray.remote", plain), ("executor", ours)):
        shown = ", ".join(f"{seconds:.3f}" for seconds in times)
        print(f"{name}: {count} tasks in {shown} s; {count / min(times):,.0f} tasks/s")
    print(f"ratio: {min(plain) / min(ours):.1f}")


if __name__ == "__main__":
    main()
