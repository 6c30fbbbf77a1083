"""Die at every named point of every scenario, start over, and check what is left.

    python tests/failpoints/campaign.py                     every point of each scenario, on SQLite
    python tests/failpoints/campaign.py --store postgres    on a PostgreSQL server of its own; `all`: on both
    python tests/failpoints/campaign.py --every             … at every hit of it, not only at four of them
    python tests/failpoints/campaign.py --short             each point once, in the first scenario that has it
    python tests/failpoints/campaign.py --only pauses inbox.taken:2     one trial, to look into it

First each scenario is done undisturbed, which gives its result, and tells which points it comes to and how
often. Then, for each point and a few of its hits, a process does the same and dies there; the next one
starts over and dies at the first hit of the same point, and so does the one after it; the last one is
left alone. What must hold: it ends with the same result, and the checker (`tests/support/effects.py`) has
nothing to say. A point of the table at which no process died fails the campaign: nothing is left out by
oversight.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from durable_runs import Place, place_in, warm
from grounds import Ground, grounds, scratch
from lives import live
from scenarios import Scenario, scenarios

from flowrt.failpoint import FAILPOINTS

AGAIN = 2
"""How many of the processes that start over die as well; one in the short version."""


@dataclass(frozen=True)
class Trial:
    """A scenario on a store, dying at a hit of a point."""

    ground: Ground
    scenario: Scenario
    point: str
    number: int
    expected: object
    again: int = AGAIN


@dataclass(frozen=True)
class Verdict:
    """What came of a trial; `deaths` is 0 when the point was not reached after all."""

    trial: str
    point: str
    deaths: int
    problems: tuple[str, ...]


@contextmanager
def fresh(ground: Ground) -> Iterator[Place]:
    """A place of a trial's own."""
    with scratch("failpoint") as folder, ground.own() as own:
        yield place_in(folder, own)


def rehearse(ground: Ground, scenario: Scenario) -> tuple[object, Counter[str], list[str]]:
    """Do a scenario undisturbed: its result, the points that it comes to, what is wrong with it."""
    with fresh(ground) as place:
        log = place.effects.with_suffix(".log")
        live(lambda: scenario.prepare(place))
        ending = live(lambda: scenario.act(place), log=log)
        if ending.status != 0:
            return None, Counter(), [f"undisturbed: {ending.error}"]
        points = Counter(log.read_text().split()) if log.exists() else Counter[str]()
        return ending.value, points, scenario.check(place)


def attempt(trial: Trial) -> Verdict:
    """Die, start over, die again, and come to an end."""
    name = f"{trial.ground.name} {trial.scenario.name} {trial.point}:{trial.number}"
    deaths = 0
    with fresh(trial.ground) as place:
        live(lambda: trial.scenario.prepare(place))
        ending = live(lambda: trial.scenario.act(place), die_at=f"{trial.point}:{trial.number}")
        while ending.died and deaths < trial.again:
            deaths += 1
            ending = live(lambda: trial.scenario.act(place), die_at=trial.point)
        if ending.died:
            deaths += 1
            ending = live(lambda: trial.scenario.act(place))
        if ending.status != 0:
            return Verdict(name, trial.point, deaths, (f"exit {ending.status}: {ending.error[-3000:]}",))
        problems = trial.scenario.check(place)
        if ending.value != trial.expected:
            problems = [*problems, f"the result is {ending.value} and not {trial.expected}"]
        return Verdict(name, trial.point, deaths, tuple(problems))


def hits(count: int, *, every: bool, short: bool) -> list[int]:
    """At which of so many hits of a point a process is to die."""
    if every:
        return list(range(1, count + 1))
    return [1] if short else sorted({1, min(2, count), (count + 1) // 2, count})


def planned(ground: Ground, *, every: bool, short: bool) -> tuple[list[Trial], list[str]]:
    """The trials on a store, and what went wrong without any dying."""
    trials: list[Trial] = []
    problems: list[str] = []
    seen: set[str] = set()
    for scenario in scenarios():
        expected, points, wrong = rehearse(ground, scenario)
        problems += [f"{ground.name} {scenario.name}: {one}" for one in wrong]
        for point, count in points.items():
            if short and point in seen:
                continue
            seen.add(point)
            numbers = hits(count, every=every, short=short)
            again = 1 if short else AGAIN
            trials += [Trial(ground, scenario, point, number, expected, again) for number in numbers]
    return trials, problems


def campaign(kinds: list[str], jobs: int, *, every: bool, short: bool) -> int:
    """Do all trials; how many failed."""
    began = time.monotonic()
    failures: list[str] = []
    died_at: Counter[str] = Counter()
    count = 0
    with grounds(kinds) as all_grounds:
        for ground in all_grounds:
            trials, problems = planned(ground, every=every, short=short)
            failures += problems
            count += len(trials)
            for verdict in _attempted(trials, jobs):
                died_at[verdict.point] += verdict.deaths
                failures += [f"{verdict.trial}: {one}" for one in verdict.problems]
    never = [point for point in FAILPOINTS if not died_at[point]]
    failures += [f"no process died at {point}" for point in never]
    for failure in failures:
        print(f"FAILED {failure}")
    took = time.monotonic() - began
    print(
        f"{count} trials, {sum(died_at.values())} deaths at {len(+died_at)} of {len(FAILPOINTS)} points, "
        f"{len(failures)} violations, {took:.0f} s"
    )
    return len(failures)


def _attempted(trials: list[Trial], jobs: int) -> Iterator[Verdict]:
    """The verdicts of trials that are made some at a time; each worker is a fork that knows them all."""
    global _TRIALS  # noqa: PLW0603 - what a fork is given without being pickled
    _TRIALS = trials
    with get_context("fork").Pool(jobs) as pool:
        yield from pool.imap_unordered(_numbered, range(len(trials)), chunksize=4)


_TRIALS: list[Trial] = []


def _numbered(number: int) -> Verdict:
    return attempt(_TRIALS[number])


def one(kind: str, name: str, point: str) -> int:
    """One trial, told at length."""
    point, _, number = point.partition(":")
    with grounds([kind]) as [ground]:
        [scenario] = [scenario for scenario in scenarios() if scenario.name == name]
        expected, points, problems = rehearse(ground, scenario)
        print(json.dumps({"expected": expected, "points": points, "problems": problems}, indent=2))
        verdict = attempt(Trial(ground, scenario, point, int(number or 1), expected))
        print(f"{verdict.trial}: {verdict.deaths} deaths", *verdict.problems, sep="\n")
        return len(verdict.problems)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--store", choices=("sqlite", "postgres", "all"), default="sqlite")
    parser.add_argument("--every", action="store_true", help="at every hit of a point")
    parser.add_argument("--short", action="store_true", help="each point once")
    parser.add_argument("--jobs", type=int, default=2, help="how many trials at a time")
    parser.add_argument("--only", nargs=2, metavar=("SCENARIO", "POINT"))
    given = parser.parse_args()
    warm()
    kinds = ["sqlite", "postgres"] if given.store == "all" else [given.store]
    if given.only:
        return 1 if one(kinds[0], *given.only) else 0
    return 1 if campaign(kinds, given.jobs, every=given.every, short=given.short) else 0


if __name__ == "__main__":
    sys.exit(main())
