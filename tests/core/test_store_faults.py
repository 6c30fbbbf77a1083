"""A store that fails at any one call: the run goes on, gives the same, and runs nothing behind its record."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event

import pytest
from stories import HoldingExecutor, InlineExecutor, NotingStore, PatientClock, Story, program_of, story_of

from flowrt.encoding.pack import decode_record
from flowrt.errors import FlowrtError, StoreUnavailable
from flowrt.executor.port import Attempt
from flowrt.record import Succeeded
from flowrt.store.blobs import MemoryBlobs

CALLS = ("claim", "renew", "append", "journal", "run", "program", "events", "news")


@dataclass
class Faults:
    """Counts the calls of a store and its blobs, and lets the one of number `at` fail.

    With `late` the call does what it should, and its answer is lost.
    """

    at: int
    late: bool = False
    count: int = 0
    on: bool = False
    failed: list[str] = field(default_factory=list)

    def guard(self, name: str, call):
        def guarded(*args, **kwargs):
            if not self.on:
                return call(*args, **kwargs)
            self.count += 1
            if self.count != self.at:
                return call(*args, **kwargs)
            self.failed.append(name)
            if self.late:
                call(*args, **kwargs)
            raise StoreUnavailable(f"the store failed at call {self.at}, {name}")

        return guarded


class FaultyStore(NotingStore):
    def __init__(self, faults: Faults) -> None:
        super().__init__()
        for name in CALLS:
            setattr(self, name, faults.guard(name, getattr(self, name)))


class FaultyBlobs(MemoryBlobs):
    """Fails in the engine only: the worker's side has its own way of reporting that."""

    def __init__(self, faults: Faults, whole: MemoryBlobs) -> None:
        super().__init__()
        self.whole = whole
        self.put = faults.guard("put", whole.put)
        self.get = faults.guard("get", whole.get)
        self.renew = faults.guard("make young", whole.renew)


class CheckingExecutor(InlineExecutor):
    """Notes every attempt of a step whose result the store holds already."""

    def __init__(self, store: NotingStore, blobs: MemoryBlobs) -> None:
        super().__init__()
        self.store, self.whole = store, blobs
        self.behind: list[str] = []

    def submit(self, attempts: Sequence[Attempt]) -> None:
        self._blobs = self.whole
        rows = NotingStore.journal(self.store, attempts[0].key.run_id)
        recorded = {r.step for row in rows if isinstance(r := decode_record(row.data), Succeeded)}
        self.behind += [attempt.key.step for attempt in attempts if attempt.key.step in recorded]
        super().submit(attempts)


def faulty(program, faults: Faults) -> Story:
    store, whole = FaultyStore(faults), MemoryBlobs()
    executor = CheckingExecutor(store, whole)
    return Story(
        program, store=store, blobs=FaultyBlobs(faults, whole), executor=executor, clock=PatientClock()
    )


LARGE_POLICY = """
events: {ping: {type: any, key: str}}
flow: f
steps:
  - id: many
    call: s.numbers(20000)
  - id: same
    value: many + [1]
  - id: third
    call: s.works_on_attempt(3)
    retry: {max: "many[4]", delay: 1s, jitter: none}
    timeout: ${{ duration("1s") * many[9] }}
  - emit: ping
    key: "'k'"
    with: ${{ many[7] }}
  - emit: ping
    key: "'k'"
    with: ${{ many[8] }}
  - id: g
    graph:
      one: {wait: ping, key: "'k'", match: "event > many[2]", timeout: 1h}
      two: {wait: ping, key: "'k'", match: "event > many[2]", timeout: 1h}
  - id: parts
    for: chunk in many
    batch: 5000
    parallel: 2
    do: s.total(chunk)
  - return: "[third, sorted([g.one, g.two]), sum(parts)]"
"""


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowrt.engine.engine.STORE_PAUSE_S", 0.0)


NAMES = ("large_policy", "chain", "events", "fans", "flows", "pauses", "retries", "else_assigns")


@pytest.mark.parametrize("kind", ["not done", "answer lost", "nothing kept"])
@pytest.mark.parametrize("name", NAMES)
def test_any_call_of_the_store_may_fail_once(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    late = kind == "answer lost"
    if kind == "nothing kept":
        # Each reading of a large value goes to the blob store.
        monkeypatch.setattr("flowrt.encoding.values.Recent.get", lambda *_: None)
    program = story_of(LARGE_POLICY).program if name == "large_policy" else program_of(name)
    calm = faulty(program, counting := Faults(0))
    calm.start()
    counting.on = True
    expected = calm.value(calm.drive())
    for at in range(1, counting.count + 1):
        story = faulty(program, faults := Faults(at, late))
        story.start()
        faults.on = True
        try:
            result = story.drive()
        except FlowrtError:
            # Outside of the engine's loop nobody tries again: the next process does, once it may.
            story.clock.at += 3_600_000_000
            result = story.drive()
        faults.on = False
        assert result.status == "succeeded", f"call {at}, {faults.failed}: {result}"
        assert story.value(result) == expected, f"call {at}, {faults.failed}"
        assert story.executor.behind == [], f"call {at}, {faults.failed}"
        done = [r.step for r in story.records() if isinstance(r, Succeeded)]
        assert len(done) == len(set(done)), f"call {at}, {faults.failed}"


def test_the_calls_that_fail_are_of_every_kind() -> None:
    program = story_of(LARGE_POLICY).program
    seen: set[str] = set()
    at = 0
    while True:
        at += 1
        story = faulty(program, faults := Faults(at))
        story.start()
        faults.on = True
        with suppress(FlowrtError):
            story.drive()
        if not faults.failed:
            break
        seen.update(faults.failed)
    assert seen == {"get", "put", "make young", *CALLS}


def test_what_arrives_while_an_answer_is_lost_is_kept_when_the_run_is_suspended() -> None:
    """The append is sent again as it stood; what came in meanwhile follows it."""
    executor, interrupt = HoldingExecutor(), Event()

    class Losing(NotingStore):
        def append(self, batches):
            lost = super().append(batches)
            records = [decode_record(data) for batch in batches for data in batch.records]
            if executor.held and any(isinstance(record, Succeeded) for record in records):
                executor.let_go("g.b")
                interrupt.set()
                raise StoreUnavailable("the answer was lost")
            return lost

    text = "flow: f\nsteps:\n  - id: g\n    graph: {a: s.text('a'), b: s.text('b')}\n  - return: [g.a, g.b]\n"
    story = story_of(text, store=Losing(), executor=executor)

    class LettingGo(PatientClock):
        def timeout_s(self, until: int) -> float:
            if len(executor.held) == 2:
                executor.let_go("g.a")
            return super().timeout_s(until)

    story.start()
    story.clock = LettingGo()
    assert story.drive(interrupt=interrupt).status == "suspended"
    assert [r.step for r in story.records() if isinstance(r, Succeeded)] == ["g.a", "g.b"]
    assert story.value(story.drive()) == ["a", "b"]
