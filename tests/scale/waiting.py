"""Waiting at scale: what a hundred thousand waiting runs cost, and how late timers are.

python tests/scale/waiting.py --runs 100000 --rate 1000 --seconds 30 [--store postgres]

One process serves a store. `--runs` runs are created and wait, for an event or until an instant; of these,
`--rate` become due in each of `--seconds` seconds. What must hold:

    memory     the serving process has at most 300 MB while all of them wait
    restart    a process that is started anew on the store serves within 10 s
    lateness   no timer is 1 s late or more, by the instant that its journal has; none is early
    events     a tenth of the runs are told by events while the timers go off; each ends, each once
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flowc.compile import compile_file
from flowrt.encoding.pack import decode_record
from flowrt.engine.drive import start
from flowrt.record import Fired, Sleeping, Waiting
from flowrt.store.open import open_store
from flowrt.store.port import Blobs, Store
from flowrt.store.rows import NewEvent

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

MEMORY_MB = 300
RESTART_S = 10.0
LATE_S = 1.0
EVENTS_AT_ONCE = 50
FAR = datetime(2100, 1, 1, tzinfo=UTC)


class Server:
    """A process that serves the store."""

    def __init__(self, store: str, blobs: str) -> None:
        began = time.monotonic()
        command = [sys.executable, str(HERE / "serving.py"), store, blobs]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line == "serving\n", f"the serving process said {line!r}"
        self.start_s = time.monotonic() - began

    def memory_mb(self) -> float:
        """What the process has in memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(60) == 0


def until(what: str, done, patience_s: float) -> None:
    """Wait for something. Raises TimeoutError."""
    ends = time.monotonic() + patience_s
    while not done():
        if time.monotonic() > ends:
            raise TimeoutError(f"{what} took more than {patience_s:.0f} s")
        time.sleep(0.25)


def create(store: Store, blobs: Blobs, flow: str, inputs: Iterable[dict[str, object]]) -> None:
    """Make runs `FLOW-0`, `FLOW-1`, … with these inputs."""
    program = compile_file(HERE / f"{flow}.flow.yaml").program
    for number, given in enumerate(inputs):
        start(
            store,
            blobs,
            program,
            given,
            run_id=f"{flow}-{number}",
            labels={},
            python_path=(),
            served=True,
        )


def lateness_s(store: Store, run_id: str) -> float:
    """How late the timer of a run went off."""
    due_at = fired_at = None
    for row in store.journal(run_id):
        match decode_record(row.data):
            case Sleeping(_, at) | Waiting(due_at=at):
                due_at = at
            case Fired(_, at):
                fired_at = at
    assert due_at is not None, f"{run_id} has no timer"
    assert fired_at is not None, f"the timer of {run_id} did not go off"
    return (fired_at - due_at) / 1_000_000


@contextmanager
def place(kind: str) -> Iterator[tuple[str, str]]:
    """A store and its blobs."""
    with tempfile.TemporaryDirectory(prefix="flowc-scale-") as folder:
        if kind == "sqlite":
            yield f"{folder}/store", f"{folder}/blobs"
            return
        from postgres import postgres_server  # noqa: PLC0415 - only when it is asked for

        with postgres_server() as url:
            yield url, f"{folder}/blobs"


@dataclass
class Measure:
    """One go through all of it; `problems` are what did not hold."""

    url: str
    blobs_url: str
    runs: int
    rate: int
    seconds: int
    lead_s: float
    problems: list[str] = field(default_factory=list)

    def go(self) -> None:
        self.store, blobs = open_store(self.url, self.blobs_url)
        due = self.rate * self.seconds
        began = time.monotonic()
        create(
            self.store, blobs, "waiting", ({"name": f"n{n}", "until": FAR} for n in range(self.runs - due))
        )
        first = datetime.now(UTC) + timedelta(seconds=self.lead_s)
        instants = (first + timedelta(seconds=n / self.rate) for n in range(due))
        create(self.store, blobs, "napping", ({"until": at} for at in instants))
        print(f"{self.runs} runs created in {time.monotonic() - began:.0f} s", flush=True)
        server = self.parked(self.lead_s)
        ahead_s = (first - datetime.now(UTC)).total_seconds()
        if ahead_s < 0:
            self.problems.append(f"the measurement is not one: it began {-ahead_s:.0f} s too late")
        time.sleep(max(0.0, ahead_s))
        told = self.tell(self.runs - due)
        until("the timers", lambda: not self.is_open("napping"), self.seconds + 60)
        until("the events", lambda: self.ended("waiting") == told, 120)
        self.lateness(due)
        print(f"{told} runs told by events; memory {server.memory_mb():.0f} MB", flush=True)
        server.stop()
        self.store.close()

    def parked(self, patience_s: float) -> Server:
        """Serve until all runs wait, then start anew."""
        began = time.monotonic()
        server = Server(self.url, self.blobs_url)
        until(
            "parking all runs",
            lambda: not self.store.runs(status=["pending", "running"], limit=1),
            patience_s,
        )
        took = time.monotonic() - began
        print(f"all of them wait after {took:.0f} s: {self.runs / took:.0f} a second", flush=True)
        memory = server.memory_mb()
        server.kill()
        server = Server(self.url, self.blobs_url)
        fresh = server.memory_mb()
        print(f"memory {memory:.0f} MB, after a restart {fresh:.0f} MB; restart {server.start_s:.1f} s")
        if max(memory, fresh) > MEMORY_MB:
            self.problems.append(f"{max(memory, fresh):.0f} MB of memory")
        if server.start_s > RESTART_S:
            self.problems.append(f"{server.start_s:.1f} s to restart")
        return server

    def tell(self, waiting: int) -> int:
        """Send events for every tenth run that waits for one, spread over the time; how many."""
        names = [f"n{number}" for number in range(0, waiting, 10)]
        pause_s = 0.8 * self.seconds / max(1, len(names) / EVENTS_AT_ONCE)
        for first in range(0, len(names), EVENTS_AT_ONCE):
            some = names[first : first + EVENTS_AT_ONCE]
            now = time.time_ns() // 1000
            self.store.send_all([NewEvent("go", name, b"\x11\xc0", now, dedupe=name) for name in some])
            time.sleep(pause_s)
        return len(names)

    def is_open(self, flow: str) -> bool:
        return bool(self.store.runs(status=["pending", "running", "waiting"], flow=flow, limit=1))

    def ended(self, flow: str) -> int:
        return len(self.store.runs(status=["succeeded"], flow=flow))

    def lateness(self, due: int) -> None:
        late = sorted(lateness_s(self.store, f"napping-{number}") for number in range(due))
        nearly_all = late[int(len(late) * 0.99)]
        print(
            f"{due} timers at {self.rate} a second: median {late[len(late) // 2]:.3f} s late, 99 % within "
            f"{nearly_all:.3f} s, the last {late[-1]:.3f} s; earliest {late[0]:.6f} s"
        )
        if late[-1] >= LATE_S:
            self.problems.append(f"a timer was {late[-1]:.2f} s late")
        if late[0] < 0:
            self.problems.append(f"a timer was {-late[0]:.6f} s early")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--lead", type=float, help="seconds to create and park the runs in")
    given = parser.parse_args()
    lead_s = given.lead or 20 + given.rate * given.seconds / 400 + given.runs / 500
    with place(given.store) as (url, blobs_url):
        measure = Measure(url, blobs_url, given.runs, given.rate, given.seconds, lead_s)
        measure.go()
    print("; ".join(measure.problems) or "all within the bars")
    return 1 if measure.problems else 0


if __name__ == "__main__":
    sys.exit(main())
