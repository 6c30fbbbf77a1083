"""Serving: runs that only wait are parked and come back when they are due; one that breaks breaks alone."""

import time
from collections.abc import Mapping, Sequence

import pytest
from served_stories import NAP, PACE, SECOND, begin, go_on, served, status
from stories import HOUR, NOON, HoldingExecutor, InlineExecutor, JumpClock, NotingStore, Story

from flowrt.encoding.values import Values
from flowrt.engine.cancelling import cancel
from flowrt.errors import ExecutorUnavailable, StoreCorrupt, StoreUnavailable
from flowrt.executor.port import Attempt, AttemptKey
from flowrt.record import Fired, Sleeping
from flowrt.store.owner import this_owner
from flowrt.store.rows import Batch, JournalRow, NewEvent


def test_a_run_that_sleeps_is_parked_and_comes_back():
    story = served(NAP)
    parked: list[int | None] = []

    def look(_: int) -> None:
        row = story.store.run("story")
        if row.status == "waiting" and row.owner is None:
            parked.append(row.wake_at)

    go_on(story, look=look)
    [sleeping] = [record for record in story.records() if isinstance(record, Sleeping)]
    [fired] = [record for record in story.records() if isinstance(record, Fired)]
    assert set(parked) == {sleeping.due_at}
    assert sleeping.due_at <= fired.at < sleeping.due_at + 2 * SECOND
    assert status(story) == "succeeded"
    assert story.store.run("story").owner is None
    assert [key.step for key in story.executor.made] == ["a"]


def test_a_short_sleep_is_not_parked():
    story = served(NAP.replace("3h", "2s"))
    go_on(story)
    assert status(story) == "succeeded"
    assert story.store.run("story").epoch == 1


WAITING = """
events: {go: {type: any, key: str}}
flow: f
inputs: {k: str}
steps:
  - id: told
    wait: go
    key: k
    match: event > 2
  - return: told
"""


def event(story: Story, key: str, value: object) -> NewEvent:
    return NewEvent("go", key, Values(story.blobs).encode(value), NOON)


def test_an_event_brings_back_the_run_that_waits_for_it_and_no_other():
    story = served(WAITING, {"k": "a"})
    begin(story, "other", {"k": "b"})
    go_on(
        story, done=lambda: all(row.owner is None and row.status == "waiting" for row in story.store.runs())
    )
    story.store.send(event(story, "a", 7))
    go_on(story, done=lambda: status(story) == "succeeded")
    assert status(story, "other") == "waiting"
    assert story.store.run("other").epoch == 1
    assert story.store.run("story").epoch == 2


def test_an_event_that_match_refuses_parks_the_run_again():
    story = served(WAITING, {"k": "a"})
    parked = lambda: story.store.run("story").owner is None and status(story) == "waiting"  # noqa: E731
    go_on(story, done=parked)
    story.store.send(event(story, "a", 1))
    go_on(story, done=lambda: parked() and story.store.run("story").epoch == 2)
    story.store.send(event(story, "a", 3))
    go_on(story)
    assert status(story) == "succeeded"


class SendsBeforePark(NotingStore):
    """An event is accepted after the engine has looked for it and before the run is parked."""

    to_send: NewEvent | None = None

    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        if any(batch.park is not None for batch in batches) and self.to_send is not None:
            self.send(self.to_send)
            self.to_send = None
        return super().append(batches)


def test_an_event_between_the_look_and_the_parking_is_not_missed():
    store = SendsBeforePark()
    story = served(WAITING, {"k": "a"}, store=store)
    store.to_send = event(story, "a", 9)
    go_on(story)
    assert store.to_send is None
    assert status(story) == "succeeded"


class LosesAnswers(NotingStore):
    """The answer to each append that lets a run go is lost once."""

    lost: set[tuple[str, int]]

    def __init__(self) -> None:
        super().__init__()
        self.lost = set()

    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        superseded = super().append(batches)
        keys = {(batch.run_id, batch.first_seq) for batch in batches if batch.park is not None}
        if keys - self.lost:
            self.lost |= keys
            raise StoreUnavailable("the answer was lost")
        return superseded


def test_a_parking_whose_answer_was_lost_is_sent_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("flowrt.engine.engine.STORE_PAUSE_S", 0.0)
    story = served(NAP, store=LosesAnswers())
    go_on(story)
    assert status(story) == "succeeded"
    assert [key.step for key in story.executor.made] == ["a"]


def test_a_retry_in_an_hour_is_parked():
    text = """
flow: f
steps:
  - call: s.works_on_attempt(2)
    retry: {max: 3, delay: 1h, cap: 2h, jitter: none}
"""
    story = served(text, clock=JumpClock(time.time_ns() // 1000))
    go_on(story)
    assert status(story) == "succeeded"
    assert story.store.run("story").epoch == 2


def test_a_parked_run_is_cancelled():
    story = served(NAP)
    go_on(story, done=lambda: status(story) == "waiting" and story.store.run("story").owner is None)
    story.store.request_cancel("story", "no longer wanted")
    go_on(story)
    assert status(story) == "cancelled"


def test_cancel_leaves_a_served_run_to_those_who_serve_and_drives_it_when_nobody_does():
    story = served(NAP)
    go_on(story, done=lambda: status(story) == "waiting" and story.store.run("story").owner is None)

    def pause(_: float) -> None:
        story.clock.at += SECOND

    assert cancel(story.store, "story", "", clock=story.clock, pause=pause) is False

    def pause_while_served(_: float) -> None:
        go_on(story)

    assert cancel(story.store, "story", "", clock=story.clock, pause=pause_while_served) is True
    assert status(story) == "cancelled"


def test_what_a_dead_engine_held_is_due_when_its_lease_ends():
    story = served(NAP)
    owner = this_owner()
    other = type(owner)("another-host", owner.boot, owner.pid, owner.started, "token")
    [row] = story.store.claim_due(other, NOON, NOON + HOUR, 10)
    assert row.epoch == 1
    taken_at: list[int] = []

    def look(now: int) -> None:
        if story.store.run("story").epoch == 2:
            taken_at.append(now)

    go_on(story, look=look)
    assert status(story) == "succeeded"
    assert taken_at[0] >= NOON + HOUR


class OneIsDamaged(NotingStore):
    def journals(self, run_ids: Sequence[str]) -> dict[str, list[JournalRow]]:
        return {k: v for k, v in super().journals(run_ids).items() if k != "story"}

    def journal(self, run_id: str, first_seq: int = 0):
        if run_id == "story":
            raise StoreCorrupt("Record 0 of run story is damaged.")
        return super().journal(run_id, first_seq)


def test_a_damaged_run_is_laid_aside_and_the_others_end():
    story = served(NAP, store=OneIsDamaged())
    begin(story, "other")
    go_on(story, done=lambda: status(story, "other") == "succeeded" and status(story) == "suspended")
    assert "Record 0 of run story is damaged." in (story.store.run("story").problem or "")


class NoRayAtFirst(InlineExecutor):
    tries = 0

    def submit(self, attempts: Sequence[Attempt]) -> None:
        self.tries += 1
        if self.tries < 3:
            raise ExecutorUnavailable("Ray could not be reached.")
        super().submit(attempts)


def test_an_executor_that_is_not_there_is_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("flowrt.engine.engine.STORE_PAUSE_S", 0.0)
    story = served(NAP, executor=NoRayAtFirst())
    go_on(story)
    assert status(story) == "succeeded"
    assert [key.step for key in story.executor.made] == ["a"]


def test_a_service_that_is_told_to_stop_leaves_its_runs_due():
    story = served(NAP.replace("3h", "3s"))
    go_on(story, done=lambda: story.store.run("story").owner is not None)
    row = story.store.run("story")
    assert (row.owner, row.wake_at) == (None, 0)
    go_on(story)
    assert status(story) == "succeeded"


def test_a_clock_that_is_put_back_holds_nothing_up():
    story = served(WAITING, {"k": "a"})
    go_on(story, done=lambda: status(story) == "waiting" and story.store.run("story").owner is None)
    asked: list[int] = []

    class PutBack(JumpClock):
        """Is put back by ten years in the third turn, and then goes on as it should."""

        turns = 0

        def timeout_s(self, until: int) -> float:
            self.turns += 1
            if self.turns == 3:
                self.at -= 10 * 365 * 24 * HOUR
                story.store.send(event(story, "a", 5))
                return 0.0
            assert until - self.at < 24 * HOUR, "the engine waits for years"
            asked.append(self.at)
            return super().timeout_s(until)

    story.clock = PutBack()
    go_on(story)
    assert status(story) == "succeeded"


class SlowToRenew(NotingStore):
    """Renews leases after so long that they have run out by then."""

    clock: JumpClock
    slow = True

    def renew(self, held: Mapping[str, int], lease_until: int) -> frozenset[str]:
        if held and self.slow:
            self.slow = False
            self.clock.at += 2 * PACE.lease_us
        return super().renew(held, lease_until)


def test_an_engine_that_takes_its_own_run_again_stops_what_it_did_before():
    stopped: list[tuple[str, int]] = []

    class Holds(HoldingExecutor):
        def stop(self, key: AttemptKey, *, force: bool) -> None:
            stopped.append((key.step, key.epoch))
            super().stop(key, force=force)

    store, executor = SlowToRenew(), Holds()
    story = served(NAP, store=store, executor=executor)
    store.clock = story.clock

    def look(_: int) -> None:
        if store.run("story").epoch == 2 and any(key.epoch == 2 for key in executor.held):
            executor.let_go("a")

    go_on(story, look=look)
    assert status(story) == "succeeded"
    assert stopped == [("a", 1)]
    assert [key.epoch for key in executor.made] == [2]
