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
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flowc.compile import compile_file
from flowrt.encoding.pack import decode_record
from flowrt.engine.drive import start
from flowrt.record import Fired, Sleeping, Waiting
from flowrt.store.open import open_store
from flowrt.store.port import Blobs, NewEvent, Store

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

MEMORY_MB = 300
RESTART_S = 10.0
LATE_S = 1.0
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


def create(store: Store, blobs: Blobs, runs: int, due: int) -> None:
    """Make the runs: the first `due` of them get their instant later, by an event with it."""
    program = compile_file(HERE / "waiting.flow.yaml").program
    for number in range(runs):
        start(
            store,
            blobs,
            program,
            {"name": f"n{number}", "until": FAR},
            run_id=f"wait-{number}",
            labels={},
            python_path=(),
            served=True,
        )


def create_due(store: Store, blobs: Blobs, first: datetime, rate: int, seconds: int) -> None:
    """Make the runs that become due, `rate` in each second from `first` on."""
    program = compile_file(HERE / "napping.flow.yaml").program
    for number in range(rate * seconds):
        at = first + timedelta(seconds=number / rate)
        start(
            store,
            blobs,
            program,
            {"until": at},
            run_id=f"nap-{number}",
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
    assert due_at is not None and fired_at is not None, f"the timer of {run_id} did not go off"
    return (fired_at - due_at) / 1_000_000


def waiting_count(store: Store) -> int:
    return len(store.runs(status=["waiting"]))


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


def measure(kind: str, runs: int, rate: int, seconds: int) -> list[str]:
    """Go through the whole of it; what did not hold."""
    problems: list[str] = []
    with place(kind) as (url, blobs_url):
        store, blobs = open_store(url, blobs_url)
        due = rate * seconds
        began = time.monotonic()
        create(store, blobs, runs - due, due)
        lead_s = 20 + due / 400 + runs / 500
        first = datetime.now(UTC) + timedelta(seconds=lead_s)
        create_due(store, blobs, first, rate, seconds)
        print(f"{runs} runs created in {time.monotonic() - began:.0f} s", flush=True)
        began = time.monotonic()
        server = Server(url, blobs_url)
        until("parking all runs", lambda: not store.runs(status=["pending", "running"], limit=1), lead_s)
        took = time.monotonic() - began
        print(f"all of them wait after {took:.0f} s: {runs / took:.0f} a second", flush=True)
        memory = server.memory_mb()
        server.kill()
        server = Server(url, blobs_url)
        fresh = server.memory_mb()
        print(f"memory {memory:.0f} MB, after a restart {fresh:.0f} MB; restart {server.start_s:.1f} s", flush=True)
        if max(memory, fresh) > MEMORY_MB:
            problems.append(f"{max(memory, fresh):.0f} MB of memory")
        if server.start_s > RESTART_S:
            problems.append(f"{server.start_s:.1f} s to restart")
        ahead = (first - datetime.now(UTC)).total_seconds()
        if ahead < 0:
            problems.append(f"the measurement is not one: it began {-ahead:.0f} s too late")
        time.sleep(max(0.0, ahead))
        told = [f"n{number}" for number in range(0, runs - due, 10)]
        for name in told:
            store.send(NewEvent("go", name, b"\x11\xc0", time.time_ns() // 1000, dedupe=name))
        until("the timers", lambda: not _open(store, "napping"), seconds + 60)
        until("the events", lambda: len(store.runs(status=["succeeded"], flow="waiting")) == len(told), 120)
        late = sorted(lateness_s(store, f"nap-{number}") for number in range(due))
        print(
            f"{due} timers at {rate} a second: median {late[len(late) // 2]:.3f} s late, "
            f"99 % within {late[int(len(late) * 0.99)]:.3f} s, the last {late[-1]:.3f} s; earliest {late[0]:.6f} s"
        )
        print(f"{len(told)} runs told by events; memory {server.memory_mb():.0f} MB", flush=True)
        if late[-1] >= LATE_S:
            problems.append(f"a timer was {late[-1]:.2f} s late")
        if late[0] < 0:
            problems.append(f"a timer was {-late[0]:.6f} s early")
        server.stop()
        store.close()
    return problems


def _open(store: Store, flow: str) -> bool:
    return bool(store.runs(status=["pending", "running", "waiting"], flow=flow, limit=1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--rate", type=int, default=1_000)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    given = parser.parse_args()
    problems = measure(given.store, given.runs, given.rate, given.seconds)
    print("; ".join(problems) or "all within the bars")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
