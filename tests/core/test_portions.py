"""What many runs append: in bounded transactions, the damaged ones laid aside, every run with its turn."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from served_stories import NAP, PACE, SECOND, all_ended, begin, go_on, served, status
from stories import JumpClock, NotingStore, Story

from flowrt.encoding.values import Values
from flowrt.engine import engine as engines
from flowrt.engine import portions
from flowrt.errors import StoreCorrupt
from flowrt.store.rows import Batch, NewEvent, RunStatus


class Counting(NotingStore):
    """Notes how much each transaction appends; one that holds a batch of `damaged` fails."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, int]] = []
        self.damaged: set[str] = set()
        self.order: list[str] = []

    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        hurt = self.damaged.intersection(batch.run_id for batch in batches)
        if hurt:
            raise StoreCorrupt(f"The journal of run {min(hurt)} is damaged.")
        records = [record for batch in batches for record in batch.records]
        self.sizes.append((len(records), sum(map(len, records))))
        self.order += [batch.run_id for batch in batches if len(batch.records) > 2]
        return super().append(batches)


def many(text: str, count: int, store: Counting) -> Story:
    story = served(text, store=store)
    for number in range(1, count):
        begin(story, f"r{number}")
    return story


PURE = """
flow: f
steps:
  - {id: n, value: 0 + 0}
  - while: n < 40
    max: 100
    do:
      - {id: n, value: n + 1}
  - return: n
"""


def test_a_flush_of_much_is_several_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portions, "RECORDS_MAX", 300)
    monkeypatch.setattr(portions, "BYTES_MAX", 9_000)
    story = many(PURE, 20, store := Counting())
    go_on(story)
    assert {row.status for row in story.store.runs()} == {"succeeded"}
    alone = max(records for records, _ in store.sizes)
    assert 80 < alone <= 300
    assert max(size for _, size in store.sizes) <= 9_000
    assert len(store.sizes) == 1 + 7


def test_a_turn_has_an_end_and_who_had_none_comes_first_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "PURE_MAX", 10)
    monkeypatch.setattr(engines, "TURN_MAX", 40)
    story = many(PURE, 12, store := Counting())
    go_on(story)
    assert {row.status for row in story.store.runs()} == {"succeeded"}
    rounds = [set(store.order[start : start + 12]) for start in range(0, 48, 12)]
    assert all(len(each) == 12 for each in rounds), store.order


@pytest.mark.parametrize("count", [1, 2, 7])
def test_runs_that_are_damaged_are_laid_aside_and_the_others_end(count: int) -> None:
    story = many(NAP, 20, store := Counting())
    store.damaged = {f"r{3 * number + 1}" for number in range(count - 1)} | {"story"}
    go_on(story, done=lambda: all(row.status in ("succeeded", "suspended") for row in story.store.runs()))
    rows = {row.run_id: row for row in story.store.runs()}
    assert {run_id for run_id, row in rows.items() if row.status == "suspended"} == store.damaged
    for run_id in store.damaged:
        assert f"The journal of run {run_id} is damaged." == rows[run_id].problem
        assert rows[run_id].owner is None


def test_a_run_that_is_driven_and_damaged_ends_with_what_is_wrong() -> None:
    story = served(NAP, store=Counting())
    story.store.damaged = {"story"}
    with pytest.raises(StoreCorrupt, match="run story is damaged"):
        story.drive()
    assert story.store.run("story").problem == "The journal of run story is damaged."


class CannotBeReleased(Counting):
    """Nothing at all can be written of the damaged run."""

    def release(self, run_id: str, epoch: int, status: RunStatus | None = None, **more: object) -> None:
        if run_id in self.damaged:
            raise StoreCorrupt("A page is damaged.")
        super().release(run_id, epoch, status, **more)


def test_a_run_that_cannot_even_be_laid_aside_keeps_no_other_from_its_end(caplog) -> None:
    story = many(NAP, 5, store := CannotBeReleased())
    store.damaged = {"r2"}
    go_on(story, done=lambda: sum(row.status == "succeeded" for row in story.store.runs()) == 4)
    assert "run r2 is laid aside: The journal of run r2 is damaged. That cannot be written" in caplog.text


WAITS = """
events: {go: {type: any}}
flow: f
steps:
  - id: told
    wait: go
    timeout: 1h
  - return: told
"""


class SlowToLook(Counting):
    """Takes a second for each look for events; notes when leases were renewed."""

    clock: JumpClock
    on = False

    def __init__(self) -> None:
        super().__init__()
        self.renewed: list[int] = []

    def events(self, *given: object):
        if self.on:
            self.clock.at += SECOND
        return super().events(*given)

    def renew(self, held, lease_until: int):
        self.renewed.append(self.clock.at)
        return super().renew(held, lease_until)


def test_an_event_that_all_runs_wait_for_keeps_no_lease_from_being_renewed() -> None:
    story = served(WAITS.replace("1h", "35s"), store=(store := SlowToLook()))
    store.clock = story.clock
    for number in range(1, 60):
        begin(story, f"r{number}")

    def look(_: int) -> None:
        rows = story.store.runs()
        if not store.on and all(row.status == "waiting" for row in rows):
            assert all(row.owner is not None for row in rows), "they are to be held, not parked"
            store.send(NewEvent("go", None, Values(story.blobs).encode(1), story.clock.at))
            store.on = True
            store.renewed.clear()

    go_on(story, look=look, done=lambda: all_ended(story))
    assert {row.status for row in story.store.runs()} == {"succeeded"}
    assert max(after - before for before, after in pairwise(store.renewed)) < PACE.lease_us // 2
    assert {row.epoch for row in story.store.runs()} == {1}
    assert status(story) == "succeeded"
