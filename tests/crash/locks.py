"""Kill and stop those who hold a lock, and look at what the tasks saw of one another inside of it.

    python tests/crash/locks.py                       20 trials of each kind on SQLite
    python tests/crash/locks.py --times 200 --store all
    python tests/crash/locks.py --only order

    crowd     processes with a run each go through one lock, and are killed at random and begun again
    order     runs ask one after another, and wait; those who hold the lock, and one that waits, are killed
    stopped   who holds the lock is stopped for longer than its lease; the next one takes it; then the first
              one goes on, and commits nothing
    served    servers of one store are killed, or stopped for longer than their leases, and begun again: the
              runs keep what they hold, whichever server has them

What must hold, by the effects file alone (`tests/support/holds.py`): never are more inside than the lock
allows; they come in the order in which they asked. And by the journal: every run ends with its result, the
checker (`tests/support/effects.py`) has nothing to say, and no place is left in a queue.
"""

import argparse
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from durable_runs import (
    Place,
    begin_run,
    epochs_of,
    go_on,
    looked,
    place_in,
    problems_of,
    program_of,
    serve_until,
    warm,
)
from effects import read_effects
from grounds import Ground, grounds, scratch
from holds import inside, mark_killed, out_of_turn
from lives import OWNED, Ending, Life, begin, live

from flowrt.encoding.pack import decode_record
from flowrt.encoding.values import Values
from flowrt.engine.pace import Pace
from flowrt.record import Ended
from flowrt.store.port import Store
from flowrt.store.status import ENDED

PROGRAM = program_of(Path(__file__).resolve().parent / "doors.flow.yaml")
PACE = Pace(lease_us=2_000_000, renew_us=400_000, news_us=10_000, ahead_us=5_000, park_us=15_000)
SHORT = replace(PACE, lease_us=300_000, renew_us=60_000)
PATIENCE_S = 60.0


@dataclass
class Trial:
    """Runs of the flow in one store, the processes that move them on, and what is found to be wrong."""

    place: Place
    rng: random.Random
    limit: int
    runs: dict[str, dict[str, object]] = field(default_factory=dict)
    lives: dict[str, Life] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def of(self, run: str) -> Place:
        return replace(self.place, run_id=f"{self.place.run_id}-{run}")

    def add(self, run: str, **inputs: object) -> None:
        """Make a run."""
        self.runs[run] = {"n": len(self.runs) + 1, "most": self.limit, **inputs}
        self.do(lambda: begin_run(self.of(run), PROGRAM, self.runs[run]))

    def do(self, work: Callable[[], object]) -> object:
        """What a life gives that nobody kills."""
        ending = live(work)
        if ending.status:
            self.problems.append(f"exit {ending.status}: {ending.error[-1500:]}")
        return ending.value

    def drive(self, run: str, pace: Pace = PACE, **more: str) -> Life:
        """A process that moves a run on."""
        life = self.lives[run] = begin(lambda: go_on(self.of(run), pace=pace), **more)
        return life

    def kill(self, name: str) -> None:
        self.stop(name)
        life = self.lives.pop(name)
        life.kill()
        life.end()

    def stop(self, name: str) -> None:
        """Stop a process, and then mark it: what it did in between would be taken for what does not count."""
        life = self.lives[name]
        life.kill(signal.SIGSTOP)
        while not life.stopped() and not life.over(0.001):
            pass
        mark_killed(self.place.effects, life.pid)

    def end(self, *allowed: int) -> list[Ending]:
        """Let every process come to its end."""
        endings = [life.end(PATIENCE_S) for life in self.lives.values()]
        self.lives.clear()
        told = [
            f"exit {one.status}: {one.error[-1500:]}" for one in endings if one.status not in (0, *allowed)
        ]
        self.problems += told
        return endings

    def until(self, what: str, holds: Callable[[], object]) -> None:
        ends = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > ends:
                raise TimeoutError(what)
            time.sleep(0.02)

    def is_inside(self, run: str) -> bool:
        """Whether a task has begun inside of the lock."""
        lines = read_effects(self.place.effects)
        return any(line.run == self.of(run).run_id and line.step.endswith(".one") for line in lines)

    def waits(self, run: str) -> bool:
        """Whether a run stands in the queue."""
        queue = self.do(lambda: looked(self.place, _queued))
        return self.of(run).run_id in queue

    def check(self, *, kept: bool) -> int:
        """Hold what is left against the rules; how many were inside at once."""
        for run, inputs in self.runs.items():
            times = inputs.get("times", 2)
            expected = [inputs["n"] + i for i in range(times)]
            place = self.of(run)
            ended = self.do(lambda place=place: looked(place, lambda store: _ended(store, place)))
            if ended != ["succeeded", expected]:
                self.problems.append(f"{run} ended as {ended}, not with {expected}")
            self.problems += self.do(lambda place=place: problems_of(place, superseded=True)) or []
        if self.do(lambda: looked(self.place, lambda store: len(store.all_locks(0, 100)))):
            self.problems.append("places are left in the queue")
        seen = inside(read_effects(self.place.effects), kept=kept)
        if seen.most > self.limit:
            self.problems.append(f"{seen.most} were inside at once, and {self.limit} may")
        return seen.most


def _queued(store: Store) -> list[str]:
    return [row.run_id for row in store.lock_queue("door", 100) if not row.granted]


def _ended(store: Store, place: Place) -> list[object]:
    row = store.run(place.run_id)
    [last] = store.journal(place.run_id, row.head - 1)
    record = decode_record(last.data)
    if not isinstance(record, Ended) or record.value is None:
        return [row.status, str(record)]
    _, blobs = place.opened(create=False)
    return [row.status, [one["value"] for one in Values(blobs).load(record.value)]]


def crowd(ground: Ground, rng: random.Random, folder: str) -> tuple[str, list[str]]:
    """Processes are killed at random, whoever of them is inside."""
    trial = Trial(place_in(folder, ground), rng, rng.choice((1, 2, 2)))
    names = [f"r{n}" for n in range(4)]
    for name in names:
        trial.add(name, times=3)
        trial.drive(name)
    for _ in range(rng.randint(2, 5)):
        time.sleep(rng.uniform(0.0, 0.15))
        name = rng.choice(names)
        trial.kill(name)
        if rng.random() < 0.5:
            time.sleep(rng.uniform(0.0, 0.1))
        trial.drive(name)
    trial.end()
    most = trial.check(kept=False)
    return f"{most} of {trial.limit} at once", trial.problems


def order(ground: Ground, rng: random.Random, folder: str) -> tuple[str, list[str]]:
    """Those who wait come in as they have asked, whoever is killed."""
    trial = Trial(place_in(folder, ground), rng, rng.choice((1, 2)))
    go = str(trial.place.effects.with_suffix(".go"))
    holders = [f"h{n}" for n in range(trial.limit)]
    for name in holders:
        trial.add(name, times=1, until=go)
        trial.drive(name)
        trial.until(f"{name} is not inside", partial(trial.is_inside, name))
    waiting = [f"w{n}" for n in range(4)]
    for name in waiting:
        trial.add(name, times=1)
        trial.drive(name)
        trial.until(f"{name} does not wait", partial(trial.waits, name))
    victim = rng.choice(waiting)
    if rng.random() < 0.5:
        trial.kill(victim)
    how = rng.choice(("killed", "let go"))
    for name in holders if how == "killed" else ():
        trial.kill(name)
    Path(go).touch()
    trial.end()
    came = [run.rpartition("-")[2] for run in inside(read_effects(trial.place.effects), kept=False).order]
    trial.problems += out_of_turn(
        [name for name in waiting if name in came], _behind(came, holders), trial.limit
    )
    for name in trial.runs:  # Those who were killed go on.
        trial.drive(name)
        trial.end()
    trial.check(kept=False)
    return f"the holders were {how}", trial.problems


def _behind(came: Sequence[str], holders: Sequence[str]) -> list[str]:
    return [name for name in came if name not in holders]


def stopped(ground: Ground, rng: random.Random, folder: str) -> tuple[str, list[str]]:
    """Who comes back with a lock that others have taken commits nothing."""
    trial = Trial(place_in(folder, ground), rng, 1)
    go = str(trial.place.effects.with_suffix(".go"))
    trial.add("first", times=1, until=go)
    trial.add("second", times=1)
    first = _stopped_inside(trial, rng)
    second = trial.drive("second", SHORT)
    if not second.over(PATIENCE_S):
        trial.problems.append("the second never got the lock")
    before = trial.do(lambda: epochs_of(trial.of("first")))
    Path(go).touch()
    time.sleep(rng.uniform(0.0, 0.2))
    first.kill(signal.SIGCONT)
    ending = first.end(PATIENCE_S)
    if ending.status != OWNED:
        trial.problems.append(f"who came back ended with {ending.status}: {ending.error[-1000:]}")
    if trial.do(lambda: epochs_of(trial.of("first"))) != before:
        trial.problems.append("who came back has written to its journal")
    del trial.lives["first"]
    trial.end()
    trial.drive("first")
    trial.end()
    trial.check(kept=False)
    return "refused", trial.problems


def _stopped_inside(trial: Trial, rng: random.Random) -> Life:
    """The first run, inside of the lock, in a process that is stopped, but not within a transaction."""
    count = rng.randint(3, 6)
    while True:
        life = trial.drive("first", SHORT, die_at=f"renew.begun:{count}:stop")
        trial.until("the first was not stopped", life.stopped)
        mark_killed(trial.place.effects, life.pid)
        if trial.is_inside("first"):
            return life
        trial.kill("first")
        count *= 2


def served(ground: Ground, rng: random.Random, folder: str) -> tuple[str, list[str]]:
    """Runs that are served keep their locks, whoever serves them."""
    trial = Trial(place_in(folder, ground), rng, rng.choice((1, 2, 2)))
    for n in range(6):
        trial.add(f"r{n}")
        place = trial.of(f"r{n}")
        trial.do(lambda place=place: looked(place, lambda store: store.serve(place.run_id, _now())))
    for name in ("a", "b"):
        _serve(trial, name)
    asleep: list[tuple[float, Life]] = []
    for _ in range(rng.randint(2, 4)):
        time.sleep(rng.uniform(0.05, 0.3))
        name, how = rng.choice(("a", "b")), rng.choice(("killed", "stopped"))
        if how == "killed":
            trial.kill(name)
        else:
            trial.stop(name)
            asleep.append((time.monotonic() + 0.4, trial.lives.pop(name)))
        _serve(trial, name)
    for wakes_at, life in asleep:
        time.sleep(max(0.0, wakes_at - time.monotonic()))
        life.kill(signal.SIGCONT)
        trial.lives[f"{life.pid}"] = life
    trial.end()
    most = trial.check(kept=True)
    return f"{most} of {trial.limit} at once", trial.problems


def _serve(trial: Trial, name: str) -> None:
    runs = [trial.of(run).run_id for run in trial.runs]

    def over(store: Store) -> bool:
        return all(store.run(run).status in ENDED for run in runs)

    trial.lives[name] = begin(lambda: serve_until(trial.place, over, pace=SHORT))


def _now() -> int:
    return time.time_ns() // 1000


TRIALS = {"crowd": crowd, "order": order, "stopped": stopped, "served": served}
_COMMON: list[tuple[Ground, int]] = []
"""What workers, which are forks, are given without being pickled."""


def _numbered(given: tuple[str, int]) -> tuple[int, str, list[str]]:
    what, number = given
    ground, seed = _COMMON[-1]
    with scratch("locks") as folder, ground.own() as own:
        return number, *TRIALS[what](own, random.Random(f"{seed}/{what}/{number}"), folder)


def campaign(ground: Ground, what: str, times: int, seed: int, jobs: int) -> int:
    """So many trials of a kind; how many failed."""
    began = time.monotonic()
    _COMMON.append((ground, seed))
    ends: Counter[str] = Counter()
    failed = 0
    with get_context("fork").Pool(jobs) as pool:
        for number, end, problems in pool.imap_unordered(_numbered, [(what, n) for n in range(times)]):
            ends[end] += 1
            failed += bool(problems)
            for problem in problems[:3]:
                print(f"FAILED {what} {number} ({end}): {problem}", flush=True)
    how = ", ".join(f"{count} times {end}" for end, count in sorted(ends.items()))
    took = time.monotonic() - began
    print(f"{ground.name}: {times} of kind {what} ({how}), {failed} violations, seed {seed}, {took:.0f} s")
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--only", choices=tuple(TRIALS))
    parser.add_argument("--store", choices=("sqlite", "postgres", "all"), default="sqlite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--jobs", type=int, default=2, help="how many trials run at a time")
    given = parser.parse_args()
    kinds = ["sqlite", "postgres"] if given.store == "all" else [given.store]
    warm()
    failed = 0
    with grounds(kinds) as all_grounds:
        for ground in all_grounds:
            for what in [given.only] if given.only else TRIALS:
                failed += campaign(ground, what, given.times, given.seed, given.jobs)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
