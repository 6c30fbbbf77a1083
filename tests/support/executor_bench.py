"""A bench for executors on a real Ray: attempts are made of the tests' tasks, outcomes are gathered."""

import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from flowrt.encoding.values import Values
from flowrt.executor.port import Attempt, AttemptKey, Outcome, Returned, RunFacts
from flowrt.executor.ray import RayExecutor
from flowrt.expr.tree import Const, Name
from flowrt.program import Callee, Imported, Retry, Task
from flowrt.store.blobs import LocalBlobs
from flowrt.value import Handle

HERE = str(Path(__file__).parent.parent)
"""Where the tasks of the tests are."""


class Bench:
    """A Ray of its own with two CPUs, or a cluster, and what was reported."""

    def __init__(self, root: Path, address: str | None = None) -> None:
        self.root = root
        self.blobs = LocalBlobs(root)
        self.values = Values(self.blobs)
        self.outcomes: dict[AttemptKey, Outcome] = {}
        self.twice: list[AttemptKey] = []
        self.changed = threading.Condition()
        self.numbers = count()
        self.executor = RayExecutor(address=address, num_cpus=2 if address is None else None)
        self.executor.start(self.report, self.blobs)

    def report(self, key: AttemptKey, outcome: Outcome) -> None:
        with self.changed:
            if key in self.outcomes:
                self.twice.append(key)
            self.outcomes[key] = outcome
            self.changed.notify_all()

    def attempt(  # noqa: PLR0913 - what a test says of one
        self,
        callee: str | Callee,
        *args: object,
        env: Mapping[str, Handle] | None = None,
        options: Mapping[str, object] | None = None,
        timeout_s: float | None = None,
        place: str = HERE,
        code: bytes | None = None,
        heartbeat_s: float | None = None,
        retry: Retry | None = None,
    ) -> Attempt:
        written = tuple(arg if isinstance(arg, Name) else Const(arg) for arg in args)
        if isinstance(callee, str):
            callee = Imported(callee if ":" in callee else f"executor_tasks:{callee}")
        key = AttemptKey("run-1", f"step[{next(self.numbers)}]", 1)
        run = RunFacts("run-1", "etl", 0, {}, 7, [place])
        task = Task(callee, written, retry=retry)
        return Attempt(key, task, env or {}, run, options or {}, timeout_s, code, heartbeat_s)

    def wait(self, *attempts: Attempt, within: float = 40.0) -> list[Outcome]:
        with self.changed:
            done = self.changed.wait_for(lambda: all(a.key in self.outcomes for a in attempts), within)
            assert done, [a for a in attempts if a.key not in self.outcomes][:3]
            return [self.outcomes[a.key] for a in attempts]

    def make(self, *attempts: Attempt, within: float = 40.0) -> list[Outcome]:
        self.executor.submit(attempts)
        return self.wait(*attempts, within=within)

    def load(self, outcome: Outcome) -> object:
        assert isinstance(outcome, Returned), outcome
        return self.values.load(outcome.value)

    def grow(self, name: str, *args: object) -> None:
        """Make a lane of quick steps large enough that the next ones share batches."""
        self.make(*(self.attempt(name, *args) for _ in range(300)))


def await_lines(path: Path, number: int = 1, within: float = 30.0) -> list[str]:
    end = time.monotonic() + within
    while time.monotonic() < end:
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= number:
            return lines
        time.sleep(0.01)
    raise AssertionError(f"{path} did not get {number} lines")


def run_script(text: str, tmp_path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own, which may have a Ray of its own."""
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(text))
    command = [sys.executable, str(script), *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
