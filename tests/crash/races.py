"""Let two engines race for one run, and let dead owners come back: one epoch can write a run.

    python tests/crash/races.py                     50 races and 50 zombies on SQLite
    python tests/crash/races.py --races 500 --zombies 500 --store all

A race: a run that exists, or is half done and whose engine was killed, is taken up by two processes at the
same instant, give or take some milliseconds. One gets it. The other one is told so within two seconds and
ends with exit status 4, or comes so late that the run has ended, and gives its result.

A zombie: the owner of a run is stopped (SIGSTOP) at a random instant, or at a place between what it knows
and what it writes, until its lease has run out; another process takes the run over; then the owner goes on
(SIGCONT). It commits nothing any more and ends with exit status 4.

The checker (`tests/support/effects.py`) has nothing to say after either: no step has two records, epochs
never go back, and the result is that of an undisturbed run. The leases of zombies are short: the campaign
gives them a pace of its own.
"""

import argparse
import random
import signal
import sys
import time
from collections import Counter
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from durable_runs import (
    QUICK,
    Place,
    begin_run,
    epochs_of,
    go_on,
    is_owned,
    place_in,
    problems_of,
    program_of,
    warm,
)
from grounds import Ground, grounds, scratch
from lives import OWNED, Ending, Life, begin, live

from flowrt.engine.pace import Pace
from flowrt.failpoint import FailpointName

PROGRAM = program_of(Path(__file__).resolve().parent / "race.flow.yaml")
SHORT = Pace(lease_us=300_000, renew_us=60_000, news_us=20_000)
STOPS: tuple[FailpointName, ...] = (
    "append.begun",
    "append.done",
    "flush.done",
    "outcome.taken",
    "dispatch.begun",
    "dispatch.done",
    "renew.begun",
    "release.begun",
    "end.noted",
)
"""Where an owner is stopped: nowhere within a transaction, which would keep the store locked."""

TOLD_WITHIN_S = 2.0


def _drive(place: Place, pace: Pace = QUICK) -> object:
    begin_run(place, PROGRAM)
    return go_on(place, pace=pace)


def _left(place: Place, endings: list[Ending], expected: object) -> list[str]:
    """What is wrong with what processes have left, and with how they ended."""
    problems = [f"exit {e.status}: {e.error[-1500:]}" for e in endings if e.status not in (0, OWNED)]
    problems += [f"result {e.value}" for e in endings if e.status == 0 and e.value != expected]
    checked = live(lambda: problems_of(place, superseded=True))
    return problems + (checked.value if checked.status == 0 else [checked.error])


def race(ground: Ground, rng: random.Random, expected: object) -> tuple[str, list[str]]:
    """Two processes take up one run."""
    with scratch("race") as folder:
        place = place_in(folder, ground)
        if rng.random() < 0.5:  # A run that is half done, and whose owner is dead.
            first = begin(lambda: _drive(place))
            first.over(rng.uniform(0.0, 0.2))
            first.kill()
            first.end()
        offset_s = rng.choice((0.0, rng.uniform(0.0, 0.005), rng.uniform(0.0, 0.05)))
        at = time.monotonic() + 0.03
        lives = [begin(lambda at=at: _at(at, place)), begin(lambda at=at + offset_s: _at(at, place))]
        endings = [life.end() for life in lives]
        problems = _left(place, endings, expected)
        losers = [ending for ending in endings if ending.status == OWNED]
        if len(losers) == len(endings):
            problems.append("both were told that the other one has the run")
        problems += [f"the loser was told after {e.took_s:.1f} s" for e in losers if e.took_s > TOLD_WITHIN_S]
        return "one was refused" if losers else "one came late", problems


def _at(instant: float, place: Place) -> object:
    time.sleep(max(0.0, instant - time.monotonic()))
    return _drive(place)


def zombie(ground: Ground, rng: random.Random, expected: object) -> tuple[str, list[str]]:
    """An owner is stopped past its lease, another process takes over, and the owner comes back."""
    with scratch("zombie") as folder:
        owner = None
        while owner is None:  # One that comes to its end before it is stopped is no zombie.
            place = place_in(folder, ground)
            live(lambda place=place: begin_run(place, PROGRAM))
            owner = _stopped_owner(place, rng)
        time.sleep(SHORT.lease_us / 1e6 + 0.02)
        other = begin(lambda: go_on(place, pace=SHORT))
        over = other.over(rng.choice((0.05, 0.1, 0.2, 5.0)))
        owner.kill(signal.SIGCONT)
        endings = [owner.end(), other.end()]
        problems = _left(place, endings, expected)
        if over and endings[0].status != OWNED and endings[1].status == 0 and _last_epoch(place) > 1:
            # The other one has ended the run. The owner may know nothing but that. (An owner that was
            # stopped behind its last append has ended the run itself: the epoch of the end is its own.)
            problems.append(f"the zombie ended with {endings[0]}")
        if all(ending.status == OWNED for ending in endings):
            problems.append("nobody has ended the run")
        return "the zombie was refused" if endings[0].status == OWNED else "the zombie kept the run", problems


def _last_epoch(place: Place) -> int:
    """The epoch under which the last record of the run was written."""
    found = live(lambda: epochs_of(place))
    assert found.status == 0, found.error
    return found.value[-1]


def _stopped_owner(place: Place, rng: random.Random) -> Life | None:
    """A process that owns a run and is stopped; None when it has ended before that, or has not the run."""
    if rng.random() < 0.5:
        life = begin(lambda: _drive(place, SHORT))
        if life.over(rng.uniform(0.05, 0.3)):
            life.end()
            return None
        life.kill(signal.SIGSTOP)
        looked = live(lambda: is_owned(place))
        if looked.status == 0 and not looked.value:  # It was stopped within its claim, or before.
            life.kill(signal.SIGKILL)
            life.end()
            return None
        return life
    point, count = rng.choice(STOPS), rng.choice((1, 2, 3, 5))
    life = begin(lambda: _drive(place, SHORT), die_at=f"{point}:{count}:stop")
    while not life.stopped():
        if life.over(0.01):
            life.end()
            return None
    return life


TRIALS = {"race": race, "zombie": zombie}
_COMMON: list[tuple[Ground, int, object]] = []
"""What workers, which are forks, are given without being pickled."""


def _numbered(given: tuple[str, int]) -> tuple[str, list[str]]:
    what, number = given
    ground, seed, expected = _COMMON[-1]
    return TRIALS[what](ground, random.Random(f"{seed}/{what}/{number}"), expected)


def campaign(ground: Ground, what: str, times: int, seed: int, jobs: int) -> int:
    """So many trials of a kind; how many failed."""
    began = time.monotonic()
    with scratch("race") as folder:
        place = place_in(folder, ground)
        ending = live(lambda: _drive(place))
        assert ending.status == 0, ending.error
    _COMMON.append((ground, seed, ending.value))
    ends: Counter[str] = Counter()
    failed = 0
    with get_context("fork").Pool(jobs) as pool:
        for end, problems in pool.imap_unordered(_numbered, [(what, n) for n in range(times)]):
            ends[end] += 1
            failed += bool(problems)
            for problem in problems[:3]:
                print(f"FAILED {what} ({end}): {problem}", flush=True)
    how = ", ".join(f"{count} times {end}" for end, count in ends.most_common())
    took = time.monotonic() - began
    print(f"{ground.name}: {times} of kind {what} ({how}), {failed} violations, seed {seed}, {took:.0f} s")
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--races", type=int, default=50)
    parser.add_argument("--zombies", type=int, default=50)
    parser.add_argument("--store", choices=("sqlite", "postgres", "all"), default="sqlite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--jobs", type=int, default=2, help="how many trials run at a time")
    given = parser.parse_args()
    kinds = ["sqlite", "postgres"] if given.store == "all" else [given.store]
    warm()
    failed = 0
    with grounds(kinds) as all_grounds:
        for ground in all_grounds:
            failed += campaign(ground, "race", given.races, given.seed, given.jobs)
            failed += campaign(ground, "zombie", given.zombies, given.seed, given.jobs)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
