"""Stories: real flows on the real engine, with a clock that jumps and an executor that works at once.

Nothing of the engine, the core, the store or the worker's side is replaced; only time and threads are
taken out, so that a story is exact and quick.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from threading import Event

import pytest

from flowc.compile import check_source, compile_file
from flowc.lower.file import lower
from flowc.render.render import render_text
from flowc.span import Source
from flowrt.clock import Clock
from flowrt.encoding.pack import decode_record
from flowrt.encoding.values import Values
from flowrt.engine.drive import RunResult, drive, start
from flowrt.engine.engine import Pace
from flowrt.executor.attempt import make_attempt
from flowrt.executor.port import Attempt, AttemptKey, Halted, Report
from flowrt.observer import Observer
from flowrt.program import Program
from flowrt.record import Record, Succeeded
from flowrt.store.blobs import MemoryBlobs
from flowrt.store.memory import MemoryStore
from flowrt.store.owner import this_owner
from flowrt.store.port import Blobs, Store
from flowrt.store.rows import ActorChange, Batch, NewEvent, NewRun

FLOWS = Path(__file__).resolve().parent.parent / "core" / "flows"
HOUR = 3_600_000_000
NOON = 1_800_000_000_000_000


@dataclass
class JumpClock:
    """A clock that stands still, and jumps to the instant somebody waits for."""

    at: int = NOON

    def now(self) -> int:
        return self.at

    def timeout_s(self, until: int) -> float:
        self.at = max(self.at, until)
        return 0.0


@dataclass
class PatientClock(JumpClock):
    """Jumps for a year and no further: whoever waits longer waits for nothing."""

    def timeout_s(self, until: int) -> float:
        assert until < NOON + 365 * 24 * HOUR, "the run waits for what never comes"
        return super().timeout_s(until)


@dataclass
class InlineExecutor:
    """Makes each attempt in `submit`, in the calling thread, with the worker's own code."""

    made: list[AttemptKey] = field(default_factory=list)
    latest_first: bool = False
    _report: Report | None = None
    _blobs: Blobs | None = None

    def start(self, report: Report, blobs: Blobs) -> None:
        self._report, self._blobs = report, blobs

    def submit(self, attempts: Sequence[Attempt]) -> None:
        for attempt in reversed(attempts) if self.latest_first else attempts:
            self.made.append(attempt.key)
            self._report(attempt.key, make_attempt(attempt, self._blobs))

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        """Whatever is to be stopped has already reported."""

    def close(self) -> None:
        """Nothing was started."""


@dataclass
class HoldingExecutor(InlineExecutor):
    """Makes nothing: attempts are held until they are let go or stopped."""

    held: dict[AttemptKey, Attempt] = field(default_factory=dict)

    def submit(self, attempts: Sequence[Attempt]) -> None:
        self.held.update({attempt.key: attempt for attempt in attempts})

    def let_go(self, step: str) -> None:
        key = next(key for key in self.held if key.step == step)
        super().submit([self.held.pop(key)])

    def stop(self, key: AttemptKey, *, force: bool) -> None:  # noqa: ARG002
        if self.held.pop(key, None) is not None:
            self._report(key, Halted())


class NotingStore(MemoryStore):
    """Notes the events that runs send, the runs that they start, and what they make of actors.

    A change of an actor is noted with the number of the record that it came with.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[NewEvent] = []
        self.started: list[NewRun] = []
        self.changed: list[tuple[str, int, ActorChange]] = []

    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        lost = super().append(batches)
        kept = [batch for batch in batches if batch.run_id not in lost]
        self.sent += [event for batch in kept for event in batch.events]
        self.started += [run for batch in kept for run in batch.creates]
        for batch in (one for one in kept if one.actors):
            steps = {getattr(decode_record(data), "step", ""): n for n, data in enumerate(batch.records)}
            self.changed += [(batch.run_id, batch.first_seq + steps[one.step], one) for one in batch.actors]
        return lost


@dataclass
class Story:
    """A program on a store of its own."""

    program: Program
    store: Store = field(default_factory=NotingStore)
    blobs: Blobs = field(default_factory=MemoryBlobs)
    clock: Clock = field(default_factory=PatientClock)
    executor: InlineExecutor = field(default_factory=InlineExecutor)
    run_id: str = "story"

    def start(self, inputs: Mapping[str, object] | None = None) -> None:
        start(
            self.store,
            self.blobs,
            self.program,
            inputs or {},
            run_id=self.run_id,
            labels={},
            python_path=(),
            clock=self.clock,
        )

    def drive(
        self, *, interrupt: Event | None = None, reopen: bool = False, observer: Observer | None = None
    ) -> RunResult:
        return drive(
            self.store,
            self.blobs,
            self.executor,
            [self.run_id],
            clock=self.clock,
            interrupt=interrupt,
            reopen=reopen,
            pace=Pace(renew_us=HOUR, news_us=HOUR),
            observer=(lambda _: observer) if observer else None,
        )[self.run_id]

    def play(self, inputs: Mapping[str, object] | None = None) -> RunResult:
        self.start(inputs)
        return self.drive()

    def value(self, result: RunResult) -> object:
        assert result.status == "succeeded", result
        return Values(self.blobs).load(result.value)

    def records(self) -> list[Record]:
        return [decode_record(row.data) for row in self.store.journal(self.run_id)]


def program_of(name: str) -> Program:
    """The program of one of the stories' flows."""
    return compile_file(FLOWS / f"{name}.flow.yaml").program


def story_of(text: str, use: str = "s: story_tasks", **parts: object) -> Story:
    """A story of a flow that is given as text; `s` is the stories' module of tasks."""
    source = Source("story.flow.yaml", f"flowc: 1\nuse: {{{use}}}\n{dedent(text)}")
    file, found = check_source(source)
    assert file is not None, found
    assert not [f for f in found if f.severity == "error"], render_text(found, color=False)
    return Story(lower(file, file.flows[0].name.text), **parts)


def killed_after(story: Story, count: int) -> None:
    """Drive a run until so many steps have ended, and leave it as a process does that is killed then."""
    append = story.store.append

    def die(batches: Sequence[Batch]) -> frozenset[str]:
        lost = append(batches)
        if sum(isinstance(one, Succeeded) for one in story.records()) >= count:
            raise KeyboardInterrupt
        return lost

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(story.store, "append", die)
        patch.setattr(story.store, "release", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            story.drive()


def copy_first(
    story: Story, count: int, events: Sequence[object] = (), started: Sequence[NewRun] = ()
) -> Story:
    """A store as it would be had the machine died right after record number `count - 1` was durable."""
    rows = list(story.store.journal(story.run_id))
    other = Story(story.program, blobs=story.blobs, run_id=story.run_id)
    other.clock.at = NOON
    other.start(dict(Values(story.blobs).load_env(dict(story.records()[0].inputs))))
    owner = story.store.run(story.run_id).owner
    epoch = other.store.claim(story.run_id, owner or this_owner(), NOON, NOON + 1)
    data = [row.data for row in rows[1:count]]
    changes = getattr(story.store, "changed", ())
    actors = tuple(one for run_id, seq, one in changes if run_id == story.run_id and seq < count)
    batch = Batch(story.run_id, epoch, 1, data, tuple(events), tuple(started), actors=actors)
    assert not other.store.append([batch])
    other.clock.at = story.clock.now()
    other.store.release(story.run_id, epoch)
    return other
