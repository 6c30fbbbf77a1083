"""A service goes on beside whatever breaks: a hook, a check, a journal, an executor that is away."""

from collections.abc import Collection
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
        some = claims.fetch(clock.at, 100)
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
            claims.fetch(NOON, 10)
    later = NOON + PACE.lease_us
    [other] = story.store.claim_due(serving.this_owner(), later, later + PACE.lease_us, 10)
    assert claims.fetch(later, 10) == []
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
