"""Take everything from a run but its store, and let another cluster finish it.

    python tests/anywhere/campaign.py                    50 trials on SQLite
    python tests/anywhere/campaign.py --times 200        more
    python tests/anywhere/campaign.py --store postgres   journal in PostgreSQL, values and code in S3
    python tests/anywhere/campaign.py --seed 7           the same instants again (as far as a machine repeats)

A trial writes a project into a folder, starts `flowc run` in it on one Ray cluster, and at a random instant
kills `flowc` and every process of the cluster with SIGKILL. The project's folder and the cache of that
cluster are deleted. Then `flowc resume RUN` is called in another folder on a cluster that was started
later, with an empty cache and without the project. It must end with the result of an undisturbed run, and
the journal must agree with what the tasks noted (`tests/support/effects.py`).
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

HERE = Path(__file__).resolve().parent
SUPPORT = HERE.parent / "support"
sys.path.insert(0, str(SUPPORT))

from effects import journal_of, read_effects, violations  # noqa: E402

from flowrt.store.opened import opened  # noqa: E402

RESULT = 7 * sum(range(8)) + 7 * sum(range(6))
PATIENCE_S = 120.0
MARK = "FLOWC_TEST_CLUSTER"
CLUSTER = """
import ray, sys
context = ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False,
                   logging_level="ERROR", _temp_dir=sys.argv[1])
print(context.address_info["address"], flush=True)
sys.stdin.read()
"""


@dataclass
class Cluster:
    """A Ray cluster of its own processes, with a cache of its own."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="fa", dir="/tmp")))
    mark: str = field(default_factory=lambda: uuid4().hex)
    address: str = ""

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def environment(self) -> dict[str, str]:
        ours = {
            MARK: self.mark,
            "FLOWC_CACHE": str(self.cache),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": self.mark,  # Of this cluster alone, so that nobody ends up on the other one.
        }
        return {**os.environ, **ours}

    def start(self) -> "Cluster":
        """Start it; it is there when `wait` returns."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLUSTER, str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=self.folder,
            env=self.environment(),
        )
        return self

    def wait(self) -> str:
        """Its address."""
        self.address = self.address or self._process.stdout.readline().strip()
        assert self.address, "Ray did not start"
        return self.address

    def kill(self) -> None:
        """SIGKILL for each of its processes, and for the commands that were started for it."""
        while marked := _marked(self.mark):
            for pid in marked:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.05)
        self._process.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)


def _marked(mark: str) -> list[int]:
    """The processes that live and have inherited a mark."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                    found.append(int(folder.name))
    return found


@dataclass
class Trial:
    """One run: begun on one cluster, and ended on the next."""

    folder: Path
    name: str
    store: list[str]
    rng: random.Random

    @property
    def effects(self) -> Path:
        return self.folder / "effects.jsonl"

    @property
    def moved(self) -> bool:
        """Whether tasks have run on both clusters."""
        return len({effect.epoch for effect in read_effects(self.effects)}) > 1

    def command(self, cluster: Cluster, *words: str) -> list[str]:
        flowc = [sys.executable, "-m", "flowc", *words, *self.store]
        return [*flowc, "--address", cluster.wait(), "--json"]

    def project(self) -> Path:
        root = self.folder / "project"
        steps = root / "steps"
        steps.mkdir(parents=True)
        shutil.copy(HERE / "anywhere.flow.yaml", root)
        shutil.copy(SUPPORT / "effects.py", root)
        shutil.copy(HERE / "tasks.py", steps)
        (steps / "__init__.py").touch()
        (steps / "rates.py").write_text("def scale(base, n):\n    return base * n\n")
        (steps / "rates.json").write_text(json.dumps({"base": 7}))
        return root

    def begin(self, cluster: Cluster) -> str:
        """Run, and kill at a random instant; what is wrong already."""
        root = self.project()
        words = ("run", "anywhere.flow.yaml", "--id", self.name, "-i", f"effects={self.effects}")
        process = subprocess.Popen(
            self.command(cluster, *words),
            cwd=root,
            env=cluster.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until = time.monotonic() + PATIENCE_S
        while not self.effects.exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(self.rng.uniform(0.0, 1.0))
        early = process.poll() is not None
        process.kill()
        out, err = process.communicate()
        cluster.kill()
        shutil.rmtree(root)
        return f"it ended before it was killed: {out}{err}" if early and '"succeeded"' not in out else ""

    def end(self, cluster: Cluster) -> list[str]:
        """Resume on another cluster; what is wrong in the end."""
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        done = subprocess.run(
            self.command(cluster, "resume", self.name),
            cwd=elsewhere,
            env=cluster.environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        if done.returncode:
            return [f"resume ended with {done.returncode}: {done.stdout}{done.stderr}"]
        result = json.loads(done.stdout)["result"]["value"]
        wrong = [] if result == RESULT else [f"the result is {result}"]
        sys.path.insert(0, str(next((cluster.cache / "code").glob("*/0"), "")))
        blobs = self.store[3] if len(self.store) > 2 else None
        store, values = opened(self.store[1], blobs, create=False)
        try:
            journal = journal_of(store, values, self.name)
            return wrong + list(violations(read_effects(self.effects), journal))
        finally:
            store.close()
            sys.path.pop(0)


def campaign(times: int, seed: int, place: "Place") -> Iterator[tuple[list[str], bool]]:
    """What is wrong with each trial, and whether both clusters had work.

    The cluster that ends one run begins the next.
    """
    rng = random.Random(seed)
    cluster = Cluster().start()
    later = cluster
    try:
        for number in range(times):
            cluster.wait()
            later = Cluster().start()
            folder = Path(tempfile.mkdtemp(prefix="anywhere-"))
            trial = Trial(folder, f"t{number}", place.words(folder), rng)
            early = trial.begin(cluster)
            yield [early] if early else trial.end(later), trial.moved
            cluster = later
            shutil.rmtree(folder)
    finally:
        later.kill()


@dataclass
class Place:
    """Where the stores of a campaign are."""

    url: str | None = None
    blobs: str | None = None

    def words(self, folder: Path) -> list[str]:
        if self.url is None:
            return ["--store", str(folder / "store")]
        return ["--store", self.url, "--blobs", str(self.blobs)]


@contextlib.contextmanager
def place_of(kind: str) -> Iterator[Place]:
    """SQLite in a folder, or PostgreSQL with values in S3."""
    if kind == "sqlite":
        yield Place()
        return
    from postgres import postgres_server  # noqa: PLC0415 - only if it is asked for
    from s3_server import make_bucket, s3_environment, s3_server  # noqa: PLC0415

    with postgres_server() as url, s3_server() as endpoint:
        make_bucket(endpoint, "values")
        os.environ |= s3_environment(endpoint)
        yield Place(url, "s3://values/flows")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    bad = moved = 0
    began = time.monotonic()
    with place_of(args.store) as place:
        for number, (wrong, both) in enumerate(campaign(args.times, args.seed, place)):
            bad += bool(wrong)
            moved += both
            for line in wrong:
                print(f"trial {number}: {line}", flush=True)
    took = time.monotonic() - began
    print(f"{args.times} trials, {bad} with violations, {moved} with tasks on both clusters, {took:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
