"""Kill the engine at random instants, resume, and check what the tasks themselves saw.

    python tests/crash/campaign.py                     50 trials on SQLite
    python tests/crash/campaign.py --times 1000        more
    python tests/crash/campaign.py --store all         on SQLite and on a PostgreSQL server of its own
    python tests/crash/campaign.py --executor ray      `flowc run` and `flowc resume` on one Ray cluster
    python tests/crash/campaign.py --seed 7            the same instants again (as far as a machine repeats)
    python tests/crash/campaign.py --jobs 3            three trials at a time

Each trial runs `mixed.flow.yaml`, some two hundred steps, in a process of its own, kills it with SIGKILL at
a random instant, then resumes it, each time with a chance of being killed again, until it ends; all the
while other processes send it the events that it waits for, early or late, some of them twice. Then the
journal is held against the effects file (`tests/support/effects.py`). What must hold: the same result as
an undisturbed run, and no violation of the checker's rules: no record lost or doubled, no recorded step
run again.

With the local executor the tasks die with the engine; with Ray they are told to stop by Ray, and the
engine is the `flowc` command itself.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from durable_runs import Place, begin_run, go_on, place_in, problems_of, program_of, warm
from effects import made
from grounds import Ground, grounds, scratch
from lives import DIED, Ending, Life, begin

from flowrt.encoding.values import Values
from flowrt.errors import StoreError, UnknownRun
from flowrt.store.rows import NewEvent

HERE = Path(__file__).resolve().parent
SUPPORT = HERE.parent / "support"
FLOW = HERE / "mixed.flow.yaml"
PROGRAM = program_of(FLOW)
EVENTS = 5
PATIENCE_S = 600.0
KILL_AGAIN = 0.4


@dataclass
class Command:
    """`flowc run` or `flowc resume` as a life: killed and waited for in the same way."""

    words: list[str]

    def __post_init__(self) -> None:
        self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.said = ("", "")

    def kill(self) -> None:
        self.process.kill()

    def over(self, within_s: float) -> bool:
        try:
            self.said = self.process.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end(self, patience_s: float) -> Ending:
        late = self.process.returncode is None and not self.over(patience_s)
        if late:
            self.kill()
            self.over(patience_s)
            return Ending(-1, None, f"it did not end within {patience_s:g} s")
        code = self.process.returncode
        if code < 0:
            return Ending(DIED)
        out, err = self.said
        if code:
            return Ending(code, None, f"{err.strip()[-2000:]} {out.strip()[-500:]}")
        told = json.loads(out)
        return Ending(0, {"status": told["status"], "value": told["result"]["value"]})


@dataclass(frozen=True)
class Kind:
    """What a campaign is held on; `address` is that of a Ray cluster, None for the local executor."""

    ground: Ground
    address: str | None

    def start(self, place: Place, *, created: bool) -> Life | Command:
        """Begin to run the run, or resume it."""
        if self.address is None:
            return begin(lambda: _local(place))
        verb = ["resume", place.run_id] if created else ["run", str(FLOW), "--id", place.run_id]
        given = [] if created else ["-i", f"effects={place.effects}"]
        blobs = ["--blobs", place.blobs] if place.blobs else []
        where = ["--store", place.store, *blobs, "--address", self.address]
        return Command([sys.executable, "-m", "flowc", *verb, *given, *where, "--quiet", "--json"])


def _local(place: Place) -> object:
    begin_run(place, PROGRAM)
    told = go_on(place)
    assert told["failure"] is None, told["failure"]
    return {"status": told["status"], "value": told["value"]}


@dataclass
class Trial:
    """One run that is killed again and again until it ends."""

    kind: Kind
    place: Place
    rng: random.Random
    length_s: float
    kills: int = 0
    first_kill_s: float = 0.0
    problems: list[str] = field(default_factory=list)
    unsent: list[int] = field(default_factory=list)

    def live(self, kill_after_s: float | None) -> Ending:
        """One life; events are sent while it lasts."""
        life = self.kind.start(self.place, created=self.created())
        ends_at = time.monotonic() + (PATIENCE_S if kill_after_s is None else kill_after_s)
        while self.unsent and not life.over(max(0.0, min(self.pause(), ends_at - time.monotonic()))):
            if time.monotonic() >= ends_at:
                break
            self.send()
        if not life.over(max(0.0, ends_at - time.monotonic())) and kill_after_s is not None:
            self.kills += 1
            life.kill()
        return life.end(PATIENCE_S)

    def pause(self) -> float:
        return self.rng.uniform(0.0, self.length_s / 8)

    def send(self) -> None:
        """Send one of the events that are left, and sometimes one of them again."""
        number = self.unsent.pop()
        if self.rng.random() < 0.3:
            self.unsent.insert(0, number)
        ending = begin(lambda: _send(self.place, number)).end()
        if ending.status:
            self.problems.append(f"event {number} was not accepted: {ending.error}")

    def created(self) -> bool:
        """Whether the run is in the store: a kill may have come before that."""
        return begin(lambda: _created(self.place)).end().value is True

    def until_end(self) -> Ending:
        """Kill once for certain, then again by chance, until it ends."""
        self.first_kill_s = self.rng.uniform(0.0, self.length_s)
        ending = self.live(self.first_kill_s)
        while ending.died and self.kills < 50:
            again = self.rng.random() < KILL_AGAIN
            ending = self.live(self.rng.uniform(0.0, self.length_s) if again else None)
        return ending


def _created(place: Place) -> bool:
    try:
        store, _ = place.opened(create=False)
        store.run(place.run_id)
    except (StoreError, UnknownRun):
        return False
    return True


def _send(place: Place, number: int) -> int:
    """Send an event to a run, which is made first if need be: it sees no event from before it was."""
    begin_run(place, PROGRAM)
    store, blobs = place.opened()
    payload = Values(blobs).encode(made(number, f"@{number}"))
    now = time.time_ns() // 1000
    return store.send(NewEvent("outside", place.run_id, payload, now, dedupe=f"{place.run_id}/{number}"))


def one_trial(kind: Kind, seed: str, length_s: float, expected: object) -> Trial:
    """A run that is killed at random instants of its life, and what is wrong with what it left."""
    with scratch("crash") as folder:
        place = place_in(folder, kind.ground)
        trial = Trial(kind, place, random.Random(seed), length_s)
        trial.unsent = trial.rng.sample(range(EVENTS), EVENTS)
        ending = trial.until_end()
        if ending.status:
            trial.problems.append(f"exit {ending.status}: {ending.error}")
        elif expected is not None and ending.value != expected:
            trial.problems.append(f"result {ending.value}")
        checked = begin(lambda: problems_of(place)).end()
        trial.problems += checked.value if checked.status == 0 else [checked.error]
        return trial


def undisturbed(kind: Kind) -> tuple[object, float]:
    """What a run gives that nobody kills, and how long it takes."""
    with scratch("crash") as folder:
        place = place_in(folder, kind.ground)
        for number in range(EVENTS):
            begin(lambda number=number: _send(place, number)).end()
        life = kind.start(place, created=False)
        began = time.monotonic()
        ending = life.end(PATIENCE_S)
        assert ending.status == 0, ending.error
        wrong = begin(lambda: problems_of(place)).end()
        assert not wrong.value, wrong
        return ending.value, time.monotonic() - began


@contextmanager
def cluster(wanted: bool) -> Iterator[str | None]:
    """The address of a Ray cluster of the campaign's own, held by a process of its own, or None."""
    if not wanted:
        yield None
        return
    paths = filter(None, [str(SUPPORT), os.environ.get("PYTHONPATH", "")])
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    with scratch("crash") as folder:
        known, stop = Path(folder) / "address", Path(folder) / "stop"
        life = begin(lambda: _hold_cluster(known, stop))
        while not known.exists():
            if life.over(0.1):
                raise RuntimeError(f"Ray did not start: {life.end().error}")
        try:
            told = json.loads(known.read_text())
            os.environ |= told["environment"]
            yield told["address"]
        finally:
            stop.touch()
            life.end()


def _hold_cluster(known: Path, stop: Path) -> None:
    from ray_cluster import ray_cluster  # noqa: PLC0415 - imports Ray

    with ray_cluster(num_cpus=4) as address:
        unfinished = known.with_suffix(".tmp")
        # A cluster lets in who has its token, which stands in the environment of who started it.
        environment = {name: text for name, text in os.environ.items() if name.startswith("RAY_")}
        unfinished.write_text(json.dumps({"address": address, "environment": environment}))
        unfinished.rename(known)
        while not stop.exists():
            time.sleep(0.1)


@dataclass(frozen=True)
class Plan:
    """What every trial of a campaign on one ground has in common."""

    kind: Kind
    seed: int
    length_s: float
    expected: object


_PLANS: list[Plan] = []
"""What workers, which are forks, are given without being pickled."""


def _numbered(number: int) -> tuple[int, float, list[str]]:
    plan = _PLANS[-1]
    trial = one_trial(plan.kind, f"{plan.seed}/{number}", plan.length_s, plan.expected)
    return trial.kills, trial.first_kill_s, trial.problems


def campaign(kind: Kind, times: int, seed: int, jobs: int) -> int:
    """Run the trials on one ground; how many failed."""
    began = time.monotonic()
    expected, length_s = undisturbed(kind)
    print(f"{kind.ground.name}: undisturbed {expected} in {length_s:.1f} s, seed {seed}", flush=True)
    _PLANS.append(Plan(kind, seed, length_s * jobs**0.5, expected))
    failed = kills = 0
    with get_context("fork").Pool(jobs) as pool:
        for number, done in enumerate(pool.imap(_numbered, range(1, times + 1)), 1):
            kills += done[0]
            failed += bool(done[2])
            if done[2] or number % 50 == 0:
                verdict = "FAILED " + "; ".join(done[2][:5]) if done[2] else "ok"
                print(f"{number}/{times} killed {done[0]}x, first at {done[1]:.2f} s: {verdict}", flush=True)
    took = time.monotonic() - began
    told = f"{times - failed} of {times} trials without a violation, {kills} kills, {took:.0f} s"
    print(f"{kind.ground.name}: {told}", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--store", choices=("sqlite", "postgres", "all"), default="sqlite")
    parser.add_argument("--executor", choices=("local", "ray"), default="local")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--jobs", type=int, default=2, help="how many trials run at a time")
    given = parser.parse_args()
    kinds = ["sqlite", "postgres"] if given.store == "all" else [given.store]
    warm()
    with grounds(kinds) as all_grounds, cluster(given.executor == "ray") as address:
        failed = [campaign(Kind(g, address), given.times, given.seed, given.jobs) for g in all_grounds]
    return 1 if any(failed) else 0


if __name__ == "__main__":
    sys.exit(main())
