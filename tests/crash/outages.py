"""Take the store away from an engine, again and again, and give it back: nothing is lost.

    python tests/crash/outages.py                       PostgreSQL: 1,000 runs, 2,000 events; then a full disk
    python tests/crash/outages.py --runs 50             fewer
    python tests/crash/outages.py --only disk           one of: postgres, s3, disk, io

postgres: a server is killed (all its connections break, nothing is written that was not) and started again
every few seconds, while one engine serves the store, one process makes runs, and others send each run the
two events that it waits for. Whoever is not told that something is durable does it again.

s3: values go to a bucket behind a proxy that resets connections, delays, answers 503, 429 and 409, cuts
answers short, and does what it was asked to and then says nothing; a tenth as many runs.

disk: the store lies in a file system of some megabytes, which is filled to the last block in the middle of
a run. The run waits, the process lives and says so, and once there is space again it comes to its end.

io: the same where every write to the journal fails with an error for a while, by a limit that is set from
outside on the process while it runs.

What must hold in all of them: each run has its right result, has taken exactly its events, each once, and
the store is sound. To fill a disk takes the right to mount one; where it is missing, that is said.
"""

import argparse
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from durable_runs import Place, begin_run, go_on, problems_of, program_of, serve_until, warm
from effects import read_effects
from grounds import scratch
from lives import Life, begin, live

from flowrt.encoding.pack import decode_record
from flowrt.encoding.values import Values
from flowrt.engine.drive import start
from flowrt.engine.pace import Pace
from flowrt.errors import StoreUnavailable, UnknownRun
from flowrt.program import Program
from flowrt.record import Received
from flowrt.store.port import Store
from flowrt.store.rows import NewEvent
from flowrt.upkeep.check import check_store

HERE = Path(__file__).resolve().parent
SENDERS = 4
EVENTS_A_RUN = 2
SIZE = 8 * 1024 * 1024

T = TypeVar("T")


def _persistently(work: Callable[[], T]) -> T:
    """Do it until the store takes it."""
    while True:
        try:
            return work()
        except StoreUnavailable:
            time.sleep(0.1)


def _make_runs(place: Place, count: int) -> int:
    program = program_of(HERE / "listen.flow.yaml")
    store, blobs = _persistently(place.opened)
    for number in range(count):
        name = f"run-{number}"
        inputs = {"key": name, "count": EVENTS_A_RUN}
        _persistently(
            lambda name=name, inputs=inputs: start(
                store, blobs, program, inputs, run_id=name, labels={}, python_path=(), served=True
            )
        )
        _persistently(lambda name=name: store.run(name))
    return count


def _send(place: Place, part: int, count: int) -> int:
    store, blobs = _persistently(place.opened)
    for number in range(part, count, SENDERS):
        while not _exists(store, f"run-{number}"):
            time.sleep(0.05)
        for n in range(EVENTS_A_RUN):
            payload = Values(blobs).encode(n)
            event = NewEvent("tick", f"run-{number}", payload, time.time_ns() // 1000, dedupe=f"{number}/{n}")
            _persistently(lambda event=event: store.send(event))
    return count


def _exists(store: Store, run_id: str) -> bool:
    try:
        _persistently(lambda: store.run(run_id))
    except UnknownRun:
        return False
    return True


def _serve(place: Place, count: int) -> None:
    pace = Pace(news_us=50_000, ahead_us=50_000, park_us=100_000)
    looked = [0.0, 0.0]

    def over(store: Store) -> bool:
        if time.monotonic() - looked[0] > 0.5:
            looked[0] = time.monotonic()
            try:
                looked[1] = len(store.runs(["succeeded", "failed"]))
            except StoreUnavailable:
                return False
        return looked[1] >= count

    serve_until(place, over, pace=pace)


def _check(place: Place, count: int) -> list[str]:
    store, blobs = place.opened()
    problems = [finding.message for finding in check_store(store, blobs).findings]
    values = Values(blobs)
    for number in range(count):
        row = store.run(f"run-{number}")
        records = [decode_record(line.data) for line in store.journal(row.run_id)]
        taken = sorted(values.load(r.payload) for r in records if isinstance(r, Received))
        if row.status != "succeeded" or taken != list(range(EVENTS_A_RUN)):
            problems.append(f"{row.run_id} is {row.status} and took {taken}")
    return problems


def postgres(runs: int, rng: random.Random) -> list[str]:
    """A server that is killed every few seconds."""
    from postgres import Server  # noqa: PLC0415 - only where there is one

    with Server() as server, scratch("outage") as folder:
        place = Place(server.database(), Path(folder) / "effects", "run", f"{folder}/blobs")
        place.opened()[0].close()
        said = Path(folder) / "said"
        engine = begin(lambda: _serve(place, runs), said=said)
        others = [begin(lambda: _make_runs(place, runs))]
        others += [begin(lambda part=part: _send(place, part, runs)) for part in range(SENDERS)]
        restarts, until = 0, time.monotonic() + 1800
        while not engine.over(rng.uniform(0.5, 4.0)) and time.monotonic() < until:
            server.restart()
            restarts += 1
        problems = [f"{e.status}: {e.error[-1500:]}" for e in (o.end(60) for o in others) if e.status]
        ending = engine.end(60)
        if ending.status:
            problems.append(f"the engine ended with {ending.status}: {ending.error[-2000:]}")
        checked = live(lambda: _check(place, runs), patience_s=300)
        problems += checked.value if checked.status == 0 else [checked.error]
        print(f"postgres: {runs} runs, {runs * EVENTS_A_RUN} events, {restarts} restarts")
    return problems


def s3(runs: int, rng: random.Random) -> list[str]:
    """A bucket behind a bad line."""
    program = program_of(HERE.parent / "failpoints" / "shapes" / "graph.flow.yaml")
    problems: list[str] = []
    count = max(1, runs // 10)
    with scratch("outage") as name:
        folder = Path(name)
        known, stop = folder / "endpoint", folder / "stop"
        line = begin(lambda: _bad_line(known, stop, rng.randrange(1_000_000)))
        while not known.exists():
            if line.over(0.1):
                return [f"there is no S3: {line.end().error}"]
        endpoint = known.read_text()
        places = [
            Place(f"{folder}/store", folder / "effects", f"run-{n}", "s3://values/x") for n in range(count)
        ]
        endings = {place: live(lambda place=place: _on_s3(place, program, endpoint)) for place in places}
        for place, ending in endings.items():
            wanted = {"status": "succeeded", "value": 18, "failure": None}
            if ending.status or ending.value["told"] != wanted or ending.value["problems"]:
                problems.append(f"{place.run_id} ended with {ending}")
        stop.touch()
        print(f"s3: {count} runs, requests by what became of them: {line.end().value}")
    return problems


def _on_s3(place: Place, program: Program, endpoint: str) -> object:
    from s3_server import s3_environment  # noqa: PLC0415 - with what it imports

    os.environ |= s3_environment(endpoint)
    _persistently(lambda: begin_run(place, program))
    told = go_on(place)
    return {"told": told, "problems": _persistently(lambda: problems_of(place))}


def _bad_line(known: Path, stop: Path, seed: int) -> dict[str, int]:
    from s3_server import Faults, faulty_proxy, make_bucket, s3_server  # noqa: PLC0415

    with s3_server() as backend:
        make_bucket(backend, "values")
        with faulty_proxy(backend, Faults(seed=seed)) as proxy:
            known.with_suffix(".tmp").write_text(proxy.endpoint)
            known.with_suffix(".tmp").rename(known)
            while not stop.exists():
                time.sleep(0.1)
            return dict(proxy.faults.seen)


class NotAllowed(Exception):
    """This process may not mount."""


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """A small file system of its own."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "flowc-test", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise NotAllowed("there is no `mount`") from error
    if done.returncode:
        raise NotAllowed(done.stderr.strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _without_store(
    folder: Path, store: Path, take: Callable[[Life], None], give: Callable[[Life], None]
) -> list[str]:
    """A run whose store cannot be written for a while in the middle of it."""
    program = program_of(HERE / "race.flow.yaml")
    calm = Place(f"{folder}/calm", folder / "calm effects", "run")
    place = Place(str(store), folder / "effects", "run")
    for one in (calm, place):
        made = live(lambda one=one: begin_run(one, program))
        assert made.status == 0, made.error
    expected = live(lambda: go_on(calm)).value
    said = folder / "said"
    engine = begin(lambda: go_on(place), said=said)
    while len(read_effects(place.effects)) < 6 and not engine.over(0.005):
        pass
    take(engine)
    if engine.over(3.0):
        return [f"the process did not wait: {engine.end()}"]
    give(engine)
    ending = engine.end(60)
    problems = []
    if ending.status or ending.value != expected:
        problems.append(f"it ended with {ending} instead of {expected}")
    if "store" not in said.read_text():
        problems.append("nothing was said of the store")
    checked = live(lambda: problems_of(place))
    return problems + (checked.value if checked.status == 0 else [checked.error])


def disk(_runs: int, _rng: random.Random) -> list[str]:
    """A disk that is full for a while."""
    with scratch("outage") as folder, mounted(Path(folder) / "small") as small:
        filler = small / "filler"

        def fill(_: Life) -> None:
            with filler.open("wb", buffering=0) as file, suppress(OSError):
                while True:
                    file.write(bytes(4096))

        return _without_store(Path(folder), small / "store", fill, lambda _: filler.unlink())


def io(_runs: int, _rng: random.Random) -> list[str]:
    """Writes that fail for a while."""

    def limit(life: Life, size: int) -> None:
        resource.prlimit(life.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    with scratch("outage") as folder:
        return _without_store(
            Path(folder),
            Path(folder) / "store",
            lambda life: limit(life, 8192),
            lambda life: limit(life, resource.RLIM_INFINITY),
        )


OUTAGES = {"postgres": postgres, "s3": s3, "disk": disk, "io": io}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--only", choices=OUTAGES)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    given = parser.parse_args()
    warm()
    failed = 0
    for name in [given.only] if given.only else list(OUTAGES):
        began = time.monotonic()
        try:
            problems = OUTAGES[name](given.runs, random.Random(given.seed))
        except NotAllowed as error:
            print(f"{name}: left out, since nothing can be mounted here: {error}")
            continue
        for problem in problems[:20]:
            print(f"FAILED {name}: {problem}")
        failed += len(problems)
        took = time.monotonic() - began
        print(f"{name}: {len(problems)} violations, seed {given.seed}, {took:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
