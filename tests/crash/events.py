"""Send events early, late, doubled and all at once to runs whose engine is killed again and again.

    python tests/crash/events.py                      10,000 events on SQLite
    python tests/crash/events.py --store postgres
    python tests/crash/events.py --events 500 --kills 5

Events have keys, a hundred to a key; for each key two runs wait, one event after another, so each event is
to be seen by two runs. Fifty processes send them, some events several times under the same dedupe id, some
before any engine has begun, the last ones when the runs have waited for a while. One engine has all the
runs; it is killed by SIGKILL at random instants and another one goes on.

What must hold: every run has taken exactly the events of its key, each once; the events of the store are
exactly the distinct ones; a number that a sender was given is the number of its event, for ever.
"""

import argparse
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from durable_runs import QUICK, Place, place_in, program_of, warm
from grounds import Ground, grounds, scratch
from lives import Life, begin, live

from flowrt.encoding.pack import decode_record
from flowrt.encoding.values import Values
from flowrt.engine.drive import drive, start
from flowrt.errors import StoreUnavailable
from flowrt.executor.local import LocalExecutor
from flowrt.record import Received
from flowrt.store.port import Blobs, Store
from flowrt.store.rows import NewEvent
from flowrt.upkeep.check import check_store

PROGRAM = program_of(Path(__file__).resolve().parent / "listen.flow.yaml")
A_KEY = 100
"""How many events have one key."""
RUNS_A_KEY = 2
SENDERS = 50
EARLY, LATE = 0.3, 0.1
"""Which parts of the events are sent before an engine begins, and after the others were taken."""


def _names(place: Place, keys: int) -> dict[str, int]:
    """The runs, each with its key."""
    return {f"{place.run_id}-{key}-{n}": key for key in range(keys) for n in range(RUNS_A_KEY)}


def _make_runs(place: Place, keys: int, count: int) -> None:
    store, blobs = place.opened()
    for name, key in _names(place, keys).items():
        inputs = {"key": f"{place.run_id}-{key}", "count": count}
        start(store, blobs, PROGRAM, inputs, run_id=name, labels={}, python_path=())


def _opened(place: Place) -> tuple[Store, Blobs]:
    """The store, as soon as it can be opened: fifty processes and an engine that dies want it at once."""
    while True:
        try:
            return place.opened()
        except StoreUnavailable:
            time.sleep(0.2)


def _send(place: Place, numbers: list[int], seed: str) -> list[tuple[int, int]]:
    """Send events, some of them again; the numbers that the store gave."""
    rng = random.Random(seed)
    store, blobs = _opened(place)
    given = []
    for number in sorted(numbers * 2 if rng.random() < 0.3 else numbers, key=lambda _: rng.random()):
        event = NewEvent(
            "tick",
            f"{place.run_id}-{number // A_KEY}",
            Values(blobs).encode(number),
            time.time_ns() // 1000,
            dedupe=f"{place.run_id}/{number}",
        )
        while True:  # A sender that was not told that its event is durable sends it again.
            try:
                given.append((number, store.send(event)))
                break
            except StoreUnavailable:
                time.sleep(0.05)
    return given


def _senders(place: Place, numbers: list[int], seed: str) -> list[Life]:
    parts = [numbers[n::SENDERS] for n in range(SENDERS)]
    return [begin(lambda p=p, n=n: _send(place, p, f"{seed}/{n}")) for n, p in enumerate(parts) if p]


def _drive(place: Place, keys: int) -> dict[str, str]:
    store, blobs = place.opened()
    results = drive(store, blobs, LocalExecutor(2), list(_names(place, keys)), pace=QUICK)
    return {run_id: result.status for run_id, result in results.items()}


def _check(place: Place, keys: int, count: int) -> list[str]:
    """What is wrong with what the runs have taken and the store has kept."""
    store, blobs = place.opened()
    problems = [finding.message for finding in check_store(store, blobs).findings]
    values = Values(blobs)
    for run_id, key in _names(place, keys).items():
        records = [decode_record(row.data) for row in store.journal(run_id)]
        taken = [values.load(r.payload) for r in records if isinstance(r, Received)]
        wanted = list(range(key * A_KEY, key * A_KEY + count))
        if sorted(taken) != wanted:
            problems.append(f"{run_id} took {len(taken)} events, {len(set(taken))} of them distinct")
        if store.run(run_id).status != "succeeded":
            problems.append(f"{run_id} is {store.run(run_id).status}")
    return problems


def campaign(ground: Ground, event_count: int, kills: int, seed: int) -> int:
    """Send so many events, kill the engine so often; how much is wrong."""
    began, rng = time.monotonic(), random.Random(seed)
    count = min(A_KEY, event_count)
    keys = event_count // count
    numbers = [key * A_KEY + n for key in range(keys) for n in range(count)]
    rng.shuffle(numbers)
    early, late = int(EARLY * len(numbers)), int((1 - LATE) * len(numbers))
    problems: list[str] = []
    given: dict[int, set[int]] = {}
    with scratch("events") as folder:
        place = place_in(folder, ground)
        made = live(lambda: _make_runs(place, keys, count), patience_s=600)
        assert made.status == 0, made.error
        problems += _sent(_senders(place, numbers[:early], f"{seed}/early"), given)
        senders = _senders(place, numbers[early:late], f"{seed}/main")
        killed = 0
        while True:
            engine = begin(lambda: _drive(place, keys))
            if killed == kills // 2:
                problems += _sent(senders, given)
                senders = _senders(place, numbers[late:], f"{seed}/late")
            if killed >= kills:
                break
            if engine.over(rng.uniform(0.1, 2.0)):
                break
            engine.kill()
            engine.end()
            killed += 1
        if killed < kills // 2:
            problems.append("the engine was at its end before its time")
        problems += _sent(senders, given)
        ending = engine.end(600)
        if ending.status:
            problems.append(f"the engine ended with {ending.status}: {ending.error[-1500:]}")
        checked = live(lambda: _check(place, keys, count), patience_s=600)
        problems += checked.value if checked.status == 0 else [checked.error]
    problems += [f"event {n} has the numbers {sorted(ids)}" for n, ids in given.items() if len(ids) > 1]
    if len(set().union(*given.values())) != len(numbers):
        problems.append(f"{len(numbers)} events have {len(set().union(*given.values()))} numbers")
    for problem in problems[:20]:
        print(f"FAILED {problem}")
    took = time.monotonic() - began
    print(
        f"{ground.name}: {len(numbers)} events, {RUNS_A_KEY * len(numbers)} to be seen, engine killed "
        f"{killed} times, {len(problems)} violations, seed {seed}, {took:.0f} s"
    )
    return len(problems)


def _sent(senders: list[Life], given: dict[int, set[int]]) -> list[str]:
    """Wait for senders; note the numbers that they were given."""
    problems = []
    for sender in senders:
        ending = sender.end(600)
        if ending.status:
            problems.append(f"a sender ended with {ending.status}: {ending.error[-1000:]}")
            continue
        for number, event_id in ending.value:
            given.setdefault(number, set()).add(event_id)
    return problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--store", choices=("sqlite", "postgres", "all"), default="sqlite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    given = parser.parse_args()
    kinds = ["sqlite", "postgres"] if given.store == "all" else [given.store]
    warm()
    with grounds(kinds) as all_grounds:
        failed = [campaign(ground, given.events, given.kills, given.seed) for ground in all_grounds]
    return 1 if any(failed) else 0


if __name__ == "__main__":
    sys.exit(main())
