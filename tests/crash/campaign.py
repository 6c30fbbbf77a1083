"""Kill the engine at random instants, resume, and check what the tasks themselves saw.

    python tests/crash/campaign.py                 50 trials on real Ray
    python tests/crash/campaign.py --times 500     more
    python tests/crash/campaign.py --seed 7        the same instants again (as far as a machine repeats)
    python tests/crash/campaign.py --jobs 3        three trials at a time

One Ray cluster is started. Each trial runs `mixed.flow.yaml` in a process of its own on that cluster,
kills it with SIGKILL at a random instant, then resumes it, each time with a chance of being killed
again, until it ends. Then the journal is held against the effects file, which the tasks wrote themselves
(append and fsync). What must hold:

    same result          as an undisturbed run
    one record a step    no step has two recorded results
    no run behind one    no attempt of a step began after the recorded attempt had ended
    no phantom           every recorded step has a start in the effects file under its attempt and epoch
    epochs never go back in the journal
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flowrt.encoding.pack import decode_record
from flowrt.errors import StoreError
from flowrt.record import Reopened, Succeeded
from flowrt.store.open import open_store

HERE = Path(__file__).resolve().parent
FLOW = HERE / "mixed.flow.yaml"
PATIENCE_S = 120
KILL_AGAIN = 0.3
FLOWC = ("-m", "flowc")


@dataclass
class Trial:
    """One run that is killed again and again until it ends."""

    directory: Path
    address: str
    rng: random.Random
    kills: int = 0
    first_kill_s: float = 0.0
    problems: list[str] = field(default_factory=list)

    @property
    def store(self) -> Path:
        return self.directory / "store"

    @property
    def effects(self) -> Path:
        return self.directory / "effects.jsonl"

    def command(self, *words: str) -> list[str]:
        flowc = [sys.executable, *FLOWC, *words, "--store", str(self.store)]
        return [*flowc, "--address", self.address, "--quiet", "--json"]

    def go(self, kill_after_s: float | None) -> str | None:
        """Run or resume; the output, or None when it was killed."""
        words = ("resume", "crash") if self.created() else self.first_words()
        process = subprocess.Popen(
            self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            out, err = process.communicate(timeout=PATIENCE_S if kill_after_s is None else kill_after_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            if kill_after_s is None:
                self.problems.append(f"did not end within {PATIENCE_S} s")
            self.kills += 1
            return None
        if process.returncode != 0:
            self.problems.append(f"exit {process.returncode}: {err.strip()[-2000:]} {out.strip()[-500:]}")
        return out

    def first_words(self) -> tuple[str, ...]:
        return ("run", str(FLOW), "--id", "crash", "-i", f"effects={self.effects}")

    def created(self) -> bool:
        """Whether the run is in the store: a kill may have come before that."""
        try:
            store, _ = open_store(str(self.store), create=False)
        except StoreError:
            return False
        try:
            return any(row.run_id == "crash" for row in store.runs())
        finally:
            store.close()

    def until_end(self, kill_first_s: float) -> object:
        """Kill once for certain, then again by chance, and give the result of the last go."""
        out = self.go(kill_first_s)
        while out is None and not self.problems:
            out = self.go(self.rng.uniform(0.3, 4.0) if self.rng.random() < KILL_AGAIN else None)
        if out is None:
            return None
        return json.loads(out).get("result") if out.strip() else None


def check(trial: Trial) -> list[str]:
    """Hold the journal against the effects file."""
    effects = [json.loads(line) for line in trial.effects.read_text().splitlines()]
    store, _ = open_store(str(trial.store), create=False)
    try:
        rows = [(row.epoch, decode_record(row.data)) for row in store.journal("crash")]
    finally:
        store.close()
    return list(_violations(effects, rows))


def _violations(effects: list[dict], rows: list[tuple[int, object]]) -> Iterator[str]:
    epochs = [epoch for epoch, _ in rows]
    if epochs != sorted(epochs):
        yield "epochs go back in the journal"
    if any(isinstance(record, Reopened) for _, record in rows):
        yield "the run was reopened, which nobody asked for"
    recorded = {r.step: (epoch, r) for epoch, r in rows if isinstance(r, Succeeded)}
    counts = Counter(r.step for _, r in rows if isinstance(r, Succeeded))
    yield from (f"{step} has {count} results" for step, count in counts.items() if count > 1)
    started = {(e["step"], e["attempt"], e["epoch"]) for e in effects}
    for step, (_, record) in recorded.items():
        if not any(s == step and attempt == record.attempt for s, attempt, _ in started):
            yield f"{step} is recorded and never started"
    for effect in effects:
        found = recorded.get(effect["step"])
        if found and effect["at"] > found[1].ended_at:
            yield f"{effect['step']} began again after its recorded attempt had ended: {effect}"


@contextmanager
def cluster() -> Iterator[str]:
    """A Ray cluster of its own for the campaign."""
    import ray  # noqa: PLC0415 - the checks above need no Ray

    context = ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        yield context.address_info["address"]
    finally:
        ray.shutdown()


def one_trial(base: Path, address: str, seed: str, length_s: float, expected: object) -> Trial:
    """A run that is killed at a random instant of its life, and what is wrong with what it left."""
    trial = Trial(base, address, random.Random(seed))
    trial.directory.mkdir()
    trial.first_kill_s = trial.rng.uniform(0.2, length_s)
    result = trial.until_end(trial.first_kill_s)
    trial.problems = trial.problems or check(trial)
    if not trial.problems and result != expected:
        trial.problems = [f"result {result}"]
    return trial


def campaign(times: int, seed: int, jobs: int) -> int:
    """Run the trials; how many failed."""
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH", "")]))
    failed = kills = 0
    with tempfile.TemporaryDirectory(prefix="flowc-crash-") as base, cluster() as address:
        began = time.monotonic()
        calm = Trial(Path(base) / "calm", address, random.Random(seed))
        calm.directory.mkdir()
        expected = json.loads(calm.go(None) or "{}").get("result")
        length_s = (time.monotonic() - began) * jobs**0.5
        if calm.problems or expected is None:
            print(f"the undisturbed run failed: {calm.problems}")
            return times
        print(f"undisturbed: {expected} in {length_s:.1f} s", flush=True)
        with ThreadPoolExecutor(jobs) as pool:
            trials = [
                pool.submit(one_trial, Path(base) / f"{n}", address, f"{seed}/{n}", length_s, expected)
                for n in range(1, times + 1)
            ]
            for number, done in enumerate(trials, 1):
                trial = done.result()
                kills += trial.kills
                failed += bool(trial.problems)
                verdict = "ok" if not trial.problems else "FAILED " + "; ".join(trial.problems[:5])
                first = f"first at {trial.first_kill_s:.2f} s"
                print(f"{number}/{times} killed {trial.kills}x, {first}: {verdict}", flush=True)
    print(f"{times - failed} of {times} trials without a violation, {kills} kills, seed {seed}")
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--jobs", type=int, default=1, help="how many trials run at a time")
    given = parser.parse_args()
    return 1 if campaign(given.times, given.seed, given.jobs) else 0


if __name__ == "__main__":
    sys.exit(main())
