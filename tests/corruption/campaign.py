"""Damage a store byte by byte, and see that every damage is detected or harmless.

    python tests/corruption/campaign.py                     every case, on a sealed store and on another one
    python tests/corruption/campaign.py --sample 300        that many cases of each kind, spread evenly
    python tests/corruption/campaign.py --only file:1234    one case, to look into it
    python tests/corruption/campaign.py --unsealed          only the store without a key; also --sealed
    python tests/corruption/campaign.py --kind file         only this kind

The kinds of damage:

    record    a byte of the data of a record, in the database's row, whose checksum stays
    forged    the same, by somebody who makes the checksum right (only with a key is that damage)
    file      a byte of `journal.db`
    cut       `journal.db` ends at an offset
    blob      a byte of a stored value
    blobcut   a stored value ends at an offset

After each the commands of `damaged.COMMANDS` are asked, in this process. One that exits 0 must say what it
says of the undamaged store (but for how long it took to resume); any other must say what is wrong, in words,
within 20 seconds. The store has small pages, so that its file is small, and
lies in memory where there is a place for that. A damaged file in which SQLite finds the same rows, and
nothing wrong, answers every question as before: none is asked of it.
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from damaged import Judge, key_set, make_store
from damages import DAMAGES, fresh, logical, means_the_same

PROBLEMS_SHOWN = 20
FILES = ("file", "cut")


@dataclass(frozen=True)
class Tally:
    """What came of the cases of one kind on one store."""

    kind: str
    sealed: bool
    counts: Counter[str]
    problems: list[str]


def trials(kind: str, sealed: bool, numbers: list[int]) -> Tally:
    """Do the cases of a kind with these numbers; all when there are none."""
    counts: Counter[str] = Counter()
    problems: list[str] = []
    # Elsewhere each command would look for its settings, and find those of this project.
    with _folder() as folder, key_set(sealed=sealed), chdir(folder):
        source, place = folder / "source", folder / "damaged"
        make_store(source)
        judge = Judge()
        fresh(source, place)
        judge.learn(place)
        rows = logical(source)
        damage = DAMAGES[kind](source)
        for number in numbers or range(damage.count):
            fresh(source, place)
            damage.do(place, number % damage.count)
            if kind in FILES and means_the_same(place, rows):
                counts["harmless: SQLite finds the same rows"] += 1
                continue
            verdict, found = judge.judge(place)
            counts["wrong" if found else verdict] += 1
            for problem in found:
                problems.append(f"{kind}:{number}{' sealed' if sealed else ''}: {problem}")
                print(problems[-1], file=sys.stderr, flush=True)
    return Tally(kind, sealed, counts, problems)


@contextmanager
def _folder() -> Generator[Path]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def _count(kind: str) -> int:
    with _folder() as folder, key_set(sealed=kind == "forged"):
        make_store(folder / "source")
        return DAMAGES[kind](folder / "source").count


def parts(kind: str, sealed: bool, sample: int | None) -> Iterator[tuple[str, bool, list[int]]]:
    """The cases of a kind, in parts for the processes."""
    count = _count(kind)
    step = 1 if sample is None else max(1, count // sample)
    # The same bytes of each page would be looked at with a step that divides a page.
    numbers = [min(count - 1, at + random.Random(at).randrange(step)) for at in range(0, count, step)]
    part = max(50, len(numbers) // 8)
    for at in range(0, len(numbers), part):
        yield kind, sealed, numbers[at : at + part]


def campaign(kinds: list[str], stores: list[bool], sample: int | None, processes: int) -> list[Tally]:
    """Do the cases of several kinds on several stores."""
    work = [
        part
        for kind in kinds
        for sealed in stores
        if sealed or kind != "forged"
        for part in parts(kind, sealed, sample)
    ]
    if processes == 1:
        return [trials(*part) for part in work]
    with get_context("spawn").Pool(processes) as pool:
        return pool.starmap(trials, work, chunksize=1)


def report(tallies: list[Tally]) -> int:
    """Say what came of it; how many cases went wrong."""
    sums: dict[tuple[str, bool], Counter[str]] = {}
    for tally in tallies:
        sums.setdefault((tally.kind, tally.sealed), Counter()).update(tally.counts)
    for (kind, sealed), counts in sums.items():
        told = ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))
        print(f"{kind:8} {'sealed' if sealed else 'no key':7} {counts.total():7} cases: {told}")
    problems = [problem for tally in tallies for problem in tally.problems]
    for problem in problems[:PROBLEMS_SHOWN]:
        print(problem)
    return sum(counts["wrong"] for counts in sums.values())


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sample", type=int, help="about so many cases of each kind")
    parser.add_argument("--kind", choices=list(DAMAGES), action="append", help="only this kind")
    parser.add_argument("--sealed", action="store_true", help="only the sealed store")
    parser.add_argument("--unsealed", action="store_true", help="only the store without a key")
    parser.add_argument("--only", metavar="KIND:NUMBER", help="one case")
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    stores = [True] if args.sealed else [False] if args.unsealed else [False, True]
    began = time.monotonic()
    if args.only:
        kind, number = args.only.split(":")
        tallies = [trials(kind, sealed, [int(number)]) for sealed in stores]
    else:
        tallies = campaign(args.kind or list(DAMAGES), stores, args.sample, args.processes)
    wrong = report(tallies)
    print(f"{wrong} wrong, {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
