"""Simulate the engine on virtual time: seeds in, violations out.

    python tests/simulation/campaign.py                          10,000 seeds in two processes
    python tests/simulation/campaign.py --seeds 500 --first 7    others
    python tests/simulation/campaign.py --store sqlite           on the SQL of earnest runs, ten times slower
    python tests/simulation/campaign.py --replay 4711            one seed again, with its trace

The same seed gives the same trace, in every process. What is simulated and what must hold is said in
`simulate.py` and `watch.py`.
"""

import argparse
import gc
import logging
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
CHUNK = 50
SHOWN = 10


@dataclass(frozen=True)
class Chunk:
    """What came of some seeds."""

    problems: list[tuple[int, str]]
    counts: Counter[str]


def quiet() -> None:
    """Plain runs would sleep in earnest, and engines say when a store does not answer."""
    time.sleep = lambda _: None
    logging.disable()


def simulate_chunk(first: int, count: int, kind: str) -> Chunk:
    """Simulate some seeds."""
    from simulate import simulate  # noqa: PLC0415 - in the process that does it

    quiet()
    # What is remembered from seed to seed need not be looked through for garbage in each of them.
    gc.collect()
    gc.freeze()
    problems: list[tuple[int, str]] = []
    counts: Counter[str] = Counter()
    for seed in range(first, first + count):
        done = simulate(seed, kind)
        counts += done.counts
        problems += [(seed, problem) for problem in done.problems[:1]]
    return Chunk(problems, counts)


def campaign(first: int, count: int, jobs: int, kind: str) -> int:
    """Simulate all seeds and say what came of them."""
    began = time.monotonic()
    starts = range(first, first + count, CHUNK)
    counts = [min(CHUNK, first + count - start) for start in starts]
    with ProcessPoolExecutor(jobs) as pool:
        chunks = list(pool.map(simulate_chunk, starts, counts, [kind] * len(counts)))
    problems = [problem for chunk in chunks for problem in chunk.problems]
    for seed, problem in problems[:SHOWN]:
        print(f"seed {seed}: {problem}")
    if len(problems) > SHOWN:
        print("and seeds", *[seed for seed, _ in problems[SHOWN:]])
    counts = sum((chunk.counts for chunk in chunks), Counter())
    print(f"{count} seeds, {len(problems)} with a violation, {time.monotonic() - began:.0f} s")
    print("what happened:", ", ".join(f"{what} {number:,}" for what, number in counts.most_common()))
    return 1 if problems else 0


def replay(seed: int, kind: str) -> int:
    """Simulate one seed and print its trace."""
    from simulate import simulate  # noqa: PLC0415 - after the arguments are known to be good

    quiet()
    done = simulate(seed, kind, keep_trace=True)
    print(*done.lines, sep="\n")
    print(f"trace {done.trace}: {'; '.join(done.problems) or 'no violation'}")
    return 1 if done.problems else 0


def main() -> int:
    """Take the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--store", choices=("memory", "sqlite"), default="memory")
    parser.add_argument("--replay", type=int)
    given = parser.parse_args()
    sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of strings is part of what happens.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    if given.replay is not None:
        return replay(given.replay, given.store)
    return campaign(given.first, given.seeds, given.jobs, given.store)


if __name__ == "__main__":
    sys.exit(main())
