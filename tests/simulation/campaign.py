"""Simulate the engine on virtual time: seeds in, violations out.

    python tests/simulation/campaign.py                          10,000 seeds in two processes
    python tests/simulation/campaign.py --seeds 500 --first 7    others
    python tests/simulation/campaign.py --replay 4711            one seed again, with its trace

The same seed gives the same trace, in every process. What is simulated and what must hold is said in
`simulate.py` and `watch.py`.
"""

import argparse
import os
import sys
import time
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
    turns: int


def simulate_chunk(first: int, count: int) -> Chunk:
    """Simulate some seeds."""
    from simulate import simulate  # noqa: PLC0415 - in the process that does it

    time.sleep = lambda _: None  # Plain runs sleep in earnest.
    problems: list[tuple[int, str]] = []
    turns = 0
    for seed in range(first, first + count):
        done = simulate(seed)
        turns += done.turns
        problems += [(seed, problem) for problem in done.problems[:1]]
    return Chunk(problems, turns)


def campaign(first: int, count: int, jobs: int) -> int:
    """Simulate all seeds and say what came of them."""
    began = time.monotonic()
    starts = range(first, first + count, CHUNK)
    counts = [min(CHUNK, first + count - start) for start in starts]
    with ProcessPoolExecutor(jobs) as pool:
        chunks = list(pool.map(simulate_chunk, starts, counts))
    problems = [problem for chunk in chunks for problem in chunk.problems]
    for seed, problem in problems[:SHOWN]:
        print(f"seed {seed}: {problem}")
    turns, length = sum(chunk.turns for chunk in chunks), time.monotonic() - began
    print(f"{count} seeds, {len(problems)} with a violation, {turns:,} turns, {length:.0f} s")
    return 1 if problems else 0


def replay(seed: int) -> int:
    """Simulate one seed and print its trace."""
    from simulate import simulate  # noqa: PLC0415 - after the arguments are known to be good

    time.sleep = lambda _: None
    done = simulate(seed, keep_trace=True)
    print(*done.lines, sep="\n")
    print(f"trace {done.trace}: {'; '.join(done.problems) or 'no violation'}")
    return 1 if done.problems else 0


def main() -> int:
    """Take the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--replay", type=int)
    given = parser.parse_args()
    sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
    if os.environ.get("PYTHONHASHSEED") != "0":
        # The order of sets of strings is part of what happens.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    return campaign(given.first, given.seeds, given.jobs) if given.replay is None else replay(given.replay)


if __name__ == "__main__":
    sys.exit(main())
