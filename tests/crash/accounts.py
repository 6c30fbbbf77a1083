"""Engines are killed while runs call methods of the same actors: every deposit is there once.

    python tests/crash/accounts.py                     20 trials on SQLite
    python tests/crash/accounts.py --store postgres    on a PostgreSQL server of its own; `all`: on both
    python tests/crash/accounts.py --times 200 --seed 7

Runs that are served deposit into three accounts. Two servers share the store; one or the other is killed at
random instants and begun again, until all runs have ended. What must hold: each run succeeds; the states are
the sums of what the runs have recorded, though methods were called more often than that, by the effects
file; no turn is left; and the checker (`tests/support/effects.py`) has nothing to say.
"""

import argparse
import random
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from durable_runs import Place, begin_run, place_in, problems_of, program_of, serve_until, warm
from effects import read_effects
from grounds import Ground, grounds, scratch
from lives import Life, begin

from flowrt.store.port import Store
from flowrt.store.status import ENDED
from flowrt.upkeep.actors import actor_state, every_actor
from flowrt.upkeep.check import check_store

PROGRAM = program_of(Path(__file__).resolve().parent / "accounts.flow.yaml")
PATIENCE_S = 90.0


def trial(ground: Ground, rng: random.Random, run_count: int, kills_max: int) -> tuple[int, int, list[str]]:
    """Serve some runs with servers that are killed: how many kills, calls in vain, and what is wrong."""
    with scratch("accounts") as folder, ground.own() as own:
        place = place_in(folder, own)
        runs = [replace(place, run_id=f"{place.run_id}-{n}") for n in range(run_count)]
        for n, one in enumerate(runs):
            begin_run(one, PROGRAM, {"n": n + 1})
        store, _ = place.opened(create=False)
        for one in runs:
            store.serve(one.run_id, time.time_ns() // 1000)
        kills = _serve_and_kill(place, store, rng, kills_max)
        store.close()
        made, problems = _left(place, runs)
        return kills, made, problems


def _serve_and_kill(place: Place, store: Store, rng: random.Random, most: int) -> int:
    lives: list[Life] = [begin(partial(serve_until, place, _all_ended)) for _ in range(2)]
    kills, until = 0, time.monotonic() + PATIENCE_S
    while kills < most and not _all_ended(store):
        time.sleep(rng.uniform(0.05, 0.8))
        life = rng.choice(lives)
        life.kill()
        life.end()
        lives.remove(life)
        lives.append(begin(partial(serve_until, place, _all_ended)))
        kills += 1
    for life in lives:
        life.end(max(5.0, until - time.monotonic()))
    return kills


def _all_ended(store: Store) -> bool:
    return all(row.status in ENDED for row in store.runs())


def _left(place: Place, runs: list[Place]) -> tuple[int, list[str]]:
    """How many calls were made for nothing, and what is wrong with what is left."""
    store, blobs = place.opened(create=False)
    rows = store.runs()
    problems = [f"{row.run_id} is {row.status}: {row.problem}" for row in rows if row.status != "succeeded"]
    given = sum(range(1, len(runs) + 1))
    expected = {"0": 3 * given, "1": 2 * given, "last": len(runs) * sum(range(5))}
    for facts in every_actor(store):
        state = actor_state(store, blobs, facts.name)
        if state != {"amount": expected.pop(facts.key, None)}:
            problems.append(f"{facts.name} is {state}")
    problems += [f"nobody has {key}" for key in expected]
    problems += [f"a turn is left at {row.name}" for row in store.all_locks(0, 100)]
    problems += [finding.message for finding in check_store(store, blobs).findings]
    ends = sum(effect.phase == "end" for effect in read_effects(place.effects))
    store.close()
    for one in runs:
        problems += problems_of(one)
    return ends - len(runs) * 10, problems


def main() -> int:
    """The campaign."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", default="sqlite", choices=("sqlite", "postgres", "all"))
    given = parser.parse_args()
    warm()
    failed = 0
    with grounds(["sqlite", "postgres"] if given.store == "all" else [given.store]) as all_grounds:
        for ground in all_grounds:
            began, kills, vain, wrong = time.monotonic(), 0, 0, 0
            for number in range(given.times):
                rng = random.Random(f"{given.seed}/{number}")
                killed, made, problems = trial(ground, rng, given.runs, given.kills)
                kills, vain, wrong = kills + killed, vain + made, wrong + bool(problems)
                for problem in problems[:3]:
                    print(f"FAILED {ground.name} {number}: {problem}", flush=True)
            took = time.monotonic() - began
            told = f"{kills} servers killed, {vain} calls made for nothing, {wrong} violations, {took:.0f} s"
            print(f"{ground.name}: {given.times} trials, {told}")
            failed += wrong
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
