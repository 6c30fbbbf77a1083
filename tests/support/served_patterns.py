"""Flows of the patterns, served: files come in, what their runs have done and come to goes out.

One server moves on all runs of a test file. What a run does is in the file that `ACTS` names (`acts.py`
beside the flows), so a test sees the order of the effects themselves and not what a journal says of them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

from flowc.compile import compile_file
from flowrt.clock import WallClock
from flowrt.encoding.values import Values
from flowrt.engine.cancelling import cancel
from flowrt.engine.drive import recorded_result, start
from flowrt.engine.pace import Pace
from flowrt.engine.serve import serve
from flowrt.executor.local import LocalExecutor
from flowrt.store.blobs import MemoryBlobs
from flowrt.store.memory import MemoryStore
from flowrt.store.port import Blobs, Store
from flowrt.store.rows import NewEvent
from flowrt.store.status import ENDED

PATTERNS = Path(__file__).resolve().parent.parent.parent / "docs" / "patterns"
LONG_S = 30.0
"""No pattern takes that long, whatever else the machine does."""


@dataclass
class House:
    """A store that is served, and the file of what was done."""

    store: Store
    blobs: Blobs
    acts: Path
    _end: Callable[[], None] = lambda: None

    def open(self) -> None:
        """Let a server begin."""
        executor, interrupt = LocalExecutor(threads=4), Event()
        parts = (self.store, self.blobs, executor)
        how = {"interrupt": interrupt, "pace": Pace(news_us=10_000)}
        server = Thread(target=serve, args=parts, kwargs=how)
        server.start()

        def end() -> None:
            interrupt.set()
            server.join()
            executor.close()

        self._end = end

    def close(self) -> None:
        """End the server: what it has of runs is given up."""
        self._end()

    def begin(self, number: int, **inputs: object) -> "Played":
        """Begin a run of the flow of a pattern."""
        [path] = PATTERNS.glob(f"wcp{number:02}_*.flow.yaml")
        compiled = compile_file(path)
        name = start(
            self.store,
            self.blobs,
            compiled.program,
            inputs,
            run_id=None,
            labels={},
            python_path=[str(PATTERNS)],
            served=True,
        )
        return Played(self, name)

    def play(self, number: int, **inputs: object) -> "Played":
        """A run of the flow of a pattern that has succeeded."""
        return self.begin(number, **inputs).succeeded()


@dataclass
class Played:
    """A run of a pattern."""

    house: House
    name: str

    @property
    def log(self) -> list[str]:
        """What the run and those that it started have done."""
        lines = self.house.acts.read_text().splitlines() if self.house.acts.exists() else []
        words = (line.partition(" ") for line in lines)
        return [what for run, _, what in words if run == self.name]

    @property
    def status(self) -> str:
        return self.house.store.run(self.name).status

    @property
    def value(self) -> object:
        store, blobs = self.house.store, self.house.blobs
        handle = recorded_result(store, store.run(self.name)).value
        assert handle is not None
        return Values(blobs).load(handle)

    def send(self, event: str, payload: object = None, *, to: str = "") -> None:
        """Send an event to the run, or to the part of it that waits with a key of its own."""
        key = f"{self.name}/{to}" if to else self.name
        data = Values(self.house.blobs).encode(payload)
        self.house.store.send(NewEvent(name=event, key=key, payload=data, at=WallClock().now()))

    def has_done(self, *what: str) -> "Played":
        """Wait until all of this is done, in whatever order."""
        return self._until(lambda: set(self.log) == set(what), f"has done {what}")

    def succeeded(self) -> "Played":
        return self.ended("succeeded")

    def ended(self, status: str) -> "Played":
        """Wait until the run has ended so."""
        self._until(lambda: self.status in ENDED, "has ended")
        assert self.status == status, (self.status, self.log)
        return self

    def cancel(self) -> "Played":
        cancel(self.house.store, self.name, "")
        return self

    def _until(self, holds: Callable[[], bool], what: str) -> "Played":
        end = time.monotonic() + LONG_S
        while not holds():
            assert time.monotonic() < end, f"the run never {what}: it is {self.status}, and did {self.log}"
            time.sleep(0.005)
        return self


def served(folder: Path) -> House:
    """A house in a folder, with a server."""
    house = House(MemoryStore(), MemoryBlobs(), folder / "acts.log")
    house.open()
    return house
