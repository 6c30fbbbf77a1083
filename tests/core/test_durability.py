"""G1: nobody sees a result before its record is durable."""

import time
from collections.abc import Sequence

import pytest
from stories import (
    HoldingExecutor,
    InlineExecutor,
    JumpClock,
    NotingStore,
    PatientClock,
    Story,
    program_of,
    story_of,
)

from flowrt.core.state import State
from flowrt.encoding.pack import decode_record
from flowrt.errors import StoreUnavailable
from flowrt.record import Succeeded
from flowrt.store.blobs import MemoryBlobs
from flowrt.store.memory import MemoryStore
from flowrt.store.rows import Batch


class LookingExecutor(InlineExecutor):
    """Notes, at each attempt, which results the store holds already."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self.store = store
        self.durable_before: dict[str, set[str]] = {}

    def submit(self, attempts) -> None:
        rows = list(self.store.journal("story"))
        durable = {r.step for row in rows if isinstance(r := decode_record(row.data), Succeeded)}
        for attempt in attempts:
            self.durable_before[attempt.key.step] = durable
        super().submit(attempts)


def test_nothing_is_visible_before_it_is_durable() -> None:
    store = MemoryStore()
    executor = LookingExecutor(store)
    story = Story(program_of("chain"), store=store, executor=executor)
    story.play()
    assert executor.durable_before["a"] == set()
    assert "a" in executor.durable_before["b/args.0"]
    assert {"a", "b/args.0"} <= executor.durable_before["b"]


class LosingStore(MemoryStore):
    """Loses power at a given append: it raises, and nothing of that append is kept."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def append(self, batches):
        if any(batch.records for batch in batches):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return super().append(batches)


def test_a_result_whose_append_was_lost_is_not_there() -> None:
    for at in range(1, 8):
        store = LosingStore(at)
        story = Story(program_of("chain"), store=store, executor=InlineExecutor())
        story.start()
        try:
            story.drive()
        except KeyboardInterrupt:
            made = {key.step for key in story.executor.made}
            recorded = {r.step for r in story.records() if isinstance(r, Succeeded)}
            assert len(made - recorded) <= 1
        assert story.value(story.drive()) == [2, 50]


def test_holding_executor_holds() -> None:
    executor = HoldingExecutor()
    story = Story(program_of("chain"), executor=executor)
    story.start()
    assert not executor.held


MIXED = """
flow: f
steps:
  - id: g
    graph:
      a: {value: "random() > 2"}
      b: {value: "1 + 1"}
      c: {do: [{sleep: 1s}, {value: "b + 1"}]}
      d: {value: "b + 2"}
      e: s.add(d, 1)
  - return: "[a, b, c, d, e]"
"""


def test_records_are_applied_in_the_order_of_the_journal() -> None:
    """What the engine computed itself waits behind a sample that is not durable yet."""
    applied: list[int] = []

    class Noting(State):
        def apply(self, record, seq: int) -> None:
            applied.append(seq)
            super().apply(record, seq)

    story = story_of(MIXED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flowrt.engine.fold.State", Noting)
        assert story.value(story.play()) == [False, 2, 3, 4, 5]
    assert applied == list(range(len(story.records())))


class BlobsWithAges(MemoryBlobs):
    """Notes what is put or made young, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.puts: list[str] = []

    def put(self, parts: Sequence[bytes | memoryview]) -> tuple[str, int]:
        digest, size = super().put(parts)
        self.puts.append(digest)
        return digest, size

    def renew(self, digest: str) -> None:
        super().renew(digest)
        self.puts.append(digest)


class OutForAnHour(NotingStore):
    """Cannot be written for an hour when a large result is to be recorded."""

    clock: JumpClock
    until: int | None = None

    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        if self.until is None and any(batch.blobs for batch in batches):
            self.until = self.clock.at + 3_600_000_000
        if self.until is not None and self.clock.at < self.until:
            self.clock.at += 300_000_000
            raise StoreUnavailable("it is out")
        return super().append(batches)


def test_a_blob_that_waited_an_hour_for_its_record_is_made_young(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("flowrt.engine.engine.STORE_PAUSE_S", 0.0)
    store, blobs = OutForAnHour(), BlobsWithAges()
    story = story_of(
        "flow: f\nsteps:\n  - id: many\n    call: s.numbers(30000)\n  - return: len(many)\n",
        store=store,
        blobs=blobs,
        clock=PatientClock(time.time_ns() // 1000),
    )
    store.clock = story.clock
    assert story.value(story.play()) == 30000
    [digest] = set(blobs.puts)
    assert blobs.puts.count(digest) > 1
