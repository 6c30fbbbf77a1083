"""A service goes on beside whatever breaks: a hook, a check, a journal, an executor that is away."""

from collections.abc import Collection, Sequence
from itertools import pairwise
from threading import Event

import pytest
from served_stories import NAP, PACE, SECOND, all_ended, begin, go_on, served, status
from stories import NOON, HoldingExecutor, InlineExecutor, JumpClock, NotingStore, Story

from flowrt.engine import serve as serving
from flowrt.engine.load import Loader
from flowrt.engine.serve import Claims
from flowrt.errors import ExecutorUnavailable, StoreCorrupt, StoreUnavailable
from flowrt.executor.port import AttemptKey
from flowrt.store.rows import Batch


def is_over(story: Story) -> bool:
    return all_ended(story) or status(story) == "suspended"


class Broken:
    ticks = 0

    def tick(self, _: int) -> int:
        self.ticks += 1
        raise StoreCorrupt("A row of the deployments is damaged.")


def test_a_hook_that_fails_does_not_end_the_service(caplog: pytest.LogCaptureFixture):
    story, hook = served(NAP), Broken()
    go_on(story, {"hooks": [hook]}, done=lambda: is_over(story))
    assert status(story) == "succeeded"
    assert hook.ticks == 3 * 60 + 1
    assert "Broken has failed, and is called again in a minute" in caplog.text


def test_a_check_that_fails_lays_the_run_aside():
    story = served(NAP)

    def broken(_: object) -> list[str]:
        raise TypeError("no version")

    go_on(story, {"mismatches": broken}, done=lambda: is_over(story))
    assert status(story) == "suspended"
    assert story.store.run("story").problem == "flowc failed: TypeError: no version"


def test_a_run_that_cannot_go_on_here_is_left_to_other_servers_and_looked_at_again():
    story = served(NAP)
    tried: list[int] = []

    def not_at_first(_: object) -> list[str]:
        tried.append(story.clock.now())
        return ["it needs Python 3.12"] if len(tried) < 3 else []

    problems: set[str | None] = set()

    def look(_: int) -> None:
        problems.add(story.store.run("story").problem)

    go_on(story, {"mismatches": not_at_first}, look=look, done=lambda: is_over(story))
    assert status(story) == "succeeded"
    assert problems == {None, "it needs Python 3.12"}
    assert tried[1] - tried[0] >= 60 * SECOND - PACE.ahead_us


def test_who_drives_a_served_run_and_is_interrupted_leaves_it_to_those_who_serve():
    story = served(NAP, executor=HoldingExecutor())
    interrupt = Event()
    interrupt.set()
    assert story.drive(interrupt=interrupt).status == "suspended"
    row = story.store.run("story")
    assert (row.owner, row.wake_at) == (None, 0)


class APageIsDamaged(NotingStore):
    def journals(self, _: Collection[str]):
        raise StoreCorrupt("The database disk image is malformed.")


def test_journals_that_cannot_be_read_together_are_read_alone():
    story = served(NAP, store=APageIsDamaged())
    begin(story, "other")
    go_on(story)
    assert {status(story), status(story, "other")} == {"succeeded"}


class SlowStore(NotingStore):
    """A store in which each journal takes a second to read."""

    def __init__(self, clock: JumpClock) -> None:
        super().__init__()
        self.clock = clock

    def journals(self, _: Collection[str]):
        return {}

    def journal(self, run_id: str, first_seq: int = 0):
        self.clock.at += SECOND // 2  # It is read twice.
        return super().journal(run_id, first_seq)


def test_long_journals_are_loaded_a_few_at_a_time_and_the_others_given_back(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serving, "CLAIM_MAX", 40)
    clock = JumpClock()
    story = served(NAP, store=SlowStore(clock), clock=clock)
    for number in range(39):
        begin(story, f"r{number}")
    claims = Claims(story.store, Loader(story.store, clock), clock, PACE, (), lambda _: ())
    loaded: list[str] = []
    while len(loaded) < 40:
        before = clock.at
        some = claims.fetch(clock.at, 100, dict)
        assert 0 < len(some) <= 2
        assert clock.at - before <= 2 * SECOND
        loaded += [run.run_id for run in some]
        held = [row.run_id for row in story.store.runs() if row.owner is not None]
        assert len(held) == 40 or len(held) <= len(loaded) + 2
    assert len(set(loaded)) == 40


def test_what_could_not_be_loaded_before_its_lease_ended_is_not_taken_for_ours(
    monkeypatch: pytest.MonkeyPatch,
):
    story = served(NAP)

    def gone(*_: object) -> None:
        raise StoreUnavailable("The server cannot be reached.")

    claims = Claims(story.store, Loader(story.store, story.clock), story.clock, PACE, (), lambda _: ())
    with monkeypatch.context() as patch:
        patch.setattr(type(story.store), "journals", gone)
        with pytest.raises(StoreUnavailable):
            claims.fetch(NOON, 10, dict)
    later = NOON + PACE.lease_us
    [other] = story.store.claim_due(serving.this_owner(), later, later + PACE.lease_us, 10)
    assert claims.fetch(later, 10, dict) == []
    assert story.store.run("story").epoch == other.epoch


TWO_AT_ONCE = """
flow: f
steps:
  - graph:
      a: s.add(1, 2)
      b: s.add(3, 4)
"""


class Deaf(HoldingExecutor):
    """Its attempts end by force alone, and now and then it cannot be reached."""

    stops = 0

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        self.stops += 1
        if self.stops in (1, 4):
            raise ExecutorUnavailable("Ray could not be reached.")
        if force:
            super().stop(key, force=force)


def test_stops_that_the_executor_did_not_hear_are_told_again(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("flowrt.engine.engine.STORE_PAUSE_S", 0.0)
    story = served(TWO_AT_ONCE, executor=Deaf())
    turns = iter(range(10**6))

    def look(_: int) -> None:
        if next(turns) == 10:
            story.store.request_cancel("story", "enough")

    go_on(story, look=look)
    assert status(story) == "cancelled"


def test_leases_are_renewed_while_there_is_much_to_do():
    clock = JumpClock()
    story = served(NAP, clock=clock)
    for number in range(20):
        begin(story, f"r{number}")
    renewed: list[int] = []
    renew = story.store.renew

    def noted(held: dict[str, int], lease_until: int) -> frozenset[str]:
        renewed.append(clock.at)
        return renew(held, lease_until)

    story.store.renew = noted  # type: ignore[method-assign]

    class Busy(InlineExecutor):
        def submit(self, attempts: object) -> None:
            clock.at += 3 * SECOND
            super().submit(attempts)  # type: ignore[arg-type]

    story.executor = Busy()
    go_on(story, done=lambda: len(story.executor.made) == 21)
    gaps = [after - before for before, after in pairwise(renewed)]
    assert max(gaps) < PACE.lease_us // 2


class SlowToAppend(NotingStore):
    """Takes so long for each append that leases have to be renewed after it."""

    clock: JumpClock

    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        lost = super().append(batches)
        self.clock.at += PACE.renew_us
        return lost


def test_a_run_that_was_just_let_go_is_not_taken_for_one_that_was_lost(caplog):
    store = SlowToAppend()
    story = served(NAP, store=store)
    store.clock = story.clock
    go_on(story)
    assert status(story) == "succeeded"
    assert "taken over" not in caplog.text


class LosesTheAnswer(NotingStore):
    """Claims runs, and does not say which: for so many times."""

    lost = 3

    def claim_due(self, *given: object):
        found = super().claim_due(*given)
        if found and self.lost:
            self.lost -= 1
            raise StoreUnavailable("The answer was lost.")
        return found


def test_what_a_lost_answer_has_claimed_is_due_again_at_once(monkeypatch: pytest.MonkeyPatch, caplog):
    monkeypatch.setattr("flowrt.engine.engine.STORE_PAUSE_S", 0.0)
    caplog.set_level("INFO", "flowrt.serve")
    story = served(NAP.replace("3h", "2s"), store=LosesTheAnswer())
    begin(story, "other")
    go_on(story)
    assert {status(story), status(story, "other")} == {"succeeded"}
    assert story.clock.at - NOON < PACE.lease_us, "they waited for the end of their leases"
    assert "2 runs whose claim was not confirmed are due again" in caplog.text


def test_a_lost_answer_does_not_free_what_the_engine_has():
    store = LosesTheAnswer()
    store.lost = 0
    story = served(NAP.replace("3h", "39s"), store=store)

    def look(_: int) -> None:
        if status(story) == "waiting" and len(story.store.runs()) == 1:
            begin(story, "other")
            store.lost = 1

    go_on(story, look=look)
    assert (store.lost, story.store.run("story").epoch, story.store.run("other").epoch) == (0, 1, 2)


def test_a_service_that_ends_after_a_lost_answer_leaves_nothing_behind():
    store = LosesTheAnswer()
    story = served(NAP, store=store)
    go_on(story, done=lambda: store.lost < 3)
    row = store.run("story")
    assert (row.owner, row.wake_at) == (None, 0)


class RowIsDamaged(NotingStore):
    def append(self, batches: Sequence[Batch]) -> frozenset[str]:
        if any(batch.run_id == "story" for batch in batches):
            raise StoreCorrupt("The row of run story is damaged: its checksum is wrong.")
        return super().append(batches)


def test_a_run_whose_row_is_damaged_when_it_is_written_stops_no_other():
    story = served(NAP, store=RowIsDamaged())
    begin(story, "other")
    go_on(story, done=lambda: status(story, "other") == "succeeded" and status(story) == "suspended")
    assert "checksum is wrong" in (story.store.run("story").problem or "")
