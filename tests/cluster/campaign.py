"""Kill workers and remove nodes of a real Ray cluster under runs, and check what the tasks themselves saw.

    python tests/cluster/campaign.py                              20 workers killed, 5 nodes removed
    python tests/cluster/campaign.py --workers 200 --nodes 50     more
    python tests/cluster/campaign.py --seed 7                     the same chances again

A head and two nodes, all on this machine. The engine runs in this process and makes run after run of
`fire.flow.yaml`, while a worker is killed with SIGKILL or a node is removed without grace (and another one
added) every now and then, until all faults have been made. Then each run's journal is held against its
effects file (`tests/support/effects.py`): the same result as without faults, no record lost or doubled, no
recorded step run again, every consumer given its producer's recorded bytes, and no attempt begun more
often than faults could make it.

A step that lost its worker four times has failed, as promised: then the run goes on as by `flowc resume
--failed`, which is counted and told.
"""

import argparse
import logging
import os
import random
import signal
import sys
import tempfile
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

import ray
from effects import journal_of, plain, read_effects, violations
from ray.cluster_utils import Cluster

from flowc.compile import compile_file
from flowrt.encoding.values import Values
from flowrt.engine.drive import drive, start
from flowrt.executor.port import Report
from flowrt.executor.ray import RayExecutor
from flowrt.program import Program
from flowrt.store.open import open_store
from flowrt.store.port import Blobs

HERE = Path(__file__).resolve().parent
REOPENED_MAX = 50
"""How often a run is gone on with: on a busy machine workers are killed faster than Ray makes new ones."""
SUPPORT = HERE.parent / "support"
NODE = {"num_cpus": 2, "object_store_memory": 100 << 20}
# Ray believes in a node for half a minute unless it is told otherwise.
IMPATIENT = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 300,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}


@dataclass
class Faults:
    """Makes faults until those that are left have been made; Ray adds nodes in the main thread only."""

    cluster: Cluster
    rng: random.Random
    workers: int
    nodes: int
    others: list[object]
    title: bytes = b""
    made: list[tuple[float, str]] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def left(self) -> int:
        return self.workers + self.nodes

    def run(self) -> None:
        while self.left and not self.stopped.wait(self.rng.uniform(0.05, 0.6)):
            if self.rng.randrange(self.left) < self.nodes:
                self._remove_node()
            else:
                self._kill_worker()

    def _kill_worker(self) -> None:
        busy = [int(place.name) for place in Path("/proc").glob("[0-9]*") if self._works(place)]
        if busy:
            pid = self.rng.choice(busy)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return
            self.made.append((time.time(), f"worker {pid}"))
            self.workers -= 1

    def _works(self, process: Path) -> bool:
        """Whether a process is a worker that is at work for this campaign: by its title."""
        try:
            return bool(self.title) and (process / "cmdline").read_bytes().startswith(self.title)
        except OSError:
            return False

    def _remove_node(self) -> None:
        node = self.others.pop(self.rng.randrange(len(self.others)))
        self.made.append((time.time(), "node"))
        self.cluster.remove_node(node, allow_graceful=False)
        self.nodes -= 1
        while len(self.others) < 2:
            with suppress(Exception):  # On a busy machine a node does not always start in time.
                self.others.append(self.cluster.add_node(**NODE))


@dataclass
class Tally:
    """What a campaign has seen."""

    runs: int = 0
    steps: int = 0
    reopened: int = 0
    problems: list[str] = field(default_factory=list)


class TitledExecutor(RayExecutor):
    """An executor whose workers can be told from those of others on this machine."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(prints=False)
        self._faults = faults

    def start(self, report: Report, blobs: Blobs) -> None:
        super().start(report, blobs)
        self._faults.title = f"ray::flowrt {self._dispatch._name}-".encode()


def one_run(folder: Path, number: int, program: Program, tally: Tally, faults: Faults) -> object:
    """Make a run to its end and check it; its result."""
    run_id, effects, before = f"fire-{number}", folder / f"effects-{number}", len(faults.made)
    store, blobs = open_store(str(folder / "store"), create=True)
    try:
        given = {"effects": str(effects)}
        start(store, blobs, program, given, run_id=run_id, labels={}, python_path=(str(SUPPORT),))
        for again in range(REOPENED_MAX):
            with closing(TitledExecutor(faults)) as executor:
                result = drive(store, blobs, executor, [run_id], reopen=again > 0)[run_id]
            if result.failure is None or result.failure.type != "flowrt.WorkerLost":
                break
            tally.reopened += 1
        tally.runs += 1
        journal = journal_of(store, blobs, run_id)
        tally.steps += sum(type(line.record).__name__ == "Succeeded" for line in journal)
        found = violations(read_effects(effects), journal, remade=len(faults.made) - before)
        tally.problems += [f"{run_id}: {said}" for said in found]
        if result.value is None:
            tally.problems.append(f"{run_id} {result.status}: {result.failure}")
            return None
        return plain(Values(blobs).load(result.value))
    finally:
        store.close()


def campaign(workers: int, nodes: int, seed: int) -> int:
    """Make the faults; how many violations were found."""
    logging.getLogger("flowrt").setLevel(logging.ERROR)  # What is lost, and made again, is the point here.
    tally, began = Tally(), time.monotonic()
    program = compile_file(HERE / "fire.flow.yaml").program
    assert program is not None, "the flow has no errors"
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "_system_config": IMPATIENT})
    others = [cluster.add_node(**NODE) for _ in range(2)]
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    faults = Faults(cluster, random.Random(seed), workers, nodes, others)
    try:
        with tempfile.TemporaryDirectory(prefix="flowc-cluster-") as base:
            expected = one_run(Path(base), 0, program, tally, faults)
            print(f"undisturbed: {expected} in {time.monotonic() - began:.1f} s", flush=True)

            def make_runs() -> None:
                try:
                    while not tally.problems and faults.left:
                        result = one_run(Path(base), tally.runs, program, tally, faults)
                        if result != expected and not tally.problems:
                            tally.problems.append(f"run {tally.runs - 1} gave {result}")
                        print(f"run {tally.runs - 1}: {len(faults.made)} faults so far", flush=True)
                except BaseException as error:
                    tally.problems.append(f"run {tally.runs} ended in {type(error).__name__}: {error}")
                    raise
                finally:
                    faults.stopped.set()

            thread = threading.Thread(target=make_runs)
            thread.start()
            faults.run()
            thread.join()
    finally:
        ray.shutdown()
        cluster.shutdown()
    for problem in tally.problems[:20]:
        print(f"VIOLATION {problem}")
    print(
        f"{workers - faults.workers} workers killed, {nodes - faults.nodes} nodes removed in"
        f" {time.monotonic() - began:.0f} s under {tally.runs - 1} runs of {tally.steps // tally.runs} tasks;"
        f" {tally.reopened} times a step had lost four workers; {len(tally.problems)} violations, seed {seed}"
    )
    return len(tally.problems)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--workers", type=int, default=20, help="how many workers are killed")
    parser.add_argument("--nodes", type=int, default=5, help="how many nodes are removed")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    given = parser.parse_args()
    return 1 if campaign(given.workers, given.nodes, given.seed) else 0


if __name__ == "__main__":
    sys.exit(main())
