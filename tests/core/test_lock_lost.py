"""Locks that a run has lost to others and waits for again: what goes on meanwhile, and what it leaves."""

import time

import pytest
import story_tasks
from served_stories import go_on, served, status
from stories import (
    HOUR,
    NOON,
    HoldingExecutor,
    InlineExecutor,
    JumpClock,
    Story,
    killed_after,
    story_of,
)

from flowrt.record import Fired, Retrying, Succeeded
from flowrt.store.owner import this_owner
from flowrt.store.rows import Batch, LockRequest

SECOND = 1_000_000


class Until:
    """An interruption when something is so, or after so many looks; the clock goes on with each."""

    def __init__(self, story, done=lambda: False, looks: int = 60) -> None:
        self.story, self.done, self.looks = story, done, looks

    def is_set(self) -> bool:
        self.looks -= 1
        self.story.clock.at += SECOND
        return self.looks < 0 or self.done()

    def wait(self, _: float | None = None) -> bool:
        return self.is_set()


def hold(story: Story, *names: str) -> int:
    """Another run has these locks, and is owned for long."""
    other = Story(story.program, story.store, story.blobs, story.clock, run_id="other")
    other.start()
    epoch = story.store.claim("other", this_owner(), NOON, NOON + 1000 * HOUR)
    asked = [LockRequest(f"held {name}", name, 1) for name in names]
    assert not story.store.append([Batch("other", epoch, 1, [], locks=asked, status="running")])
    return epoch


def killed_inside(text: str, count: int) -> Story:
    """A run of the foreground that was killed when so many steps had ended, and whose lease is over."""
    story = story_of(text)
    story.start()

    killed_after(story, count)
    story.clock.at += 24 * HOUR
    return story


BESIDE = """
flow: f
steps:
  - graph:
      a: {lock: left, do: [{call: "s.add(1, 0)"}, {sleep: 90d}]}
      b: {lock: right, do: [{call: "s.add(2, 0)"}, {sleep: 90d}]}
"""


def test_who_is_cancelled_while_it_waits_for_what_it_lost_leaves_no_place_behind():
    story = killed_inside(BESIDE, 2)
    assert {row.name for row in story.store.all_locks(0, 9) if row.granted} == {"left", "right"}
    hold(story, "left", "right")
    story.store.free_locks(story.clock.at)
    assert {row.run_id for row in story.store.all_locks(0, 9)} == {"other"}

    class Cancelling(Until):
        """Asks for the cancel as soon as the run stands in a queue again."""

        def is_set(self) -> bool:
            if story.store.locks_of(["story"]):
                story.store.request_cancel("story", "enough")
            return super().is_set()

    assert story.drive(interrupt=Cancelling(story)).status == "cancelled"
    assert [row.run_id for row in story.store.all_locks(0, 9)] == ["other", "other"]


BOUNDED = {
    "the flow": "flow: f\ntimeout: 2d\nsteps:\n  - {lock: gpu, do: [{call: 's.add(1, 0)'}, {sleep: 1d}]}\n",
    "a block around it": (
        "flow: f\nsteps:\n  - timeout: 2d\n    do: [{lock: gpu, do: [{call: 's.add(1, 0)'}, {sleep: 1d}]}]\n"
    ),
}


@pytest.mark.parametrize("bound", BOUNDED)
def test_what_bounds_a_lock_in_time_does_so_while_a_lost_one_is_waited_for(bound: str):
    story = killed_inside(BOUNDED[bound], 1)
    epoch = hold(story, "gpu")
    story.store.free_locks(story.clock.at)
    story.clock.at += 48 * HOUR
    result = story.drive(interrupt=Until(story))
    assert result.status == "failed"
    assert "TimedOut" in result.failure.type
    assert [row.run_id for row in story.store.all_locks(0, 9)] == ["other"]
    story.store.release("other", epoch, "suspended")


def test_what_follows_a_block_whose_time_is_up_waits_for_the_lost_lock_around_it():
    """That the time of a block is up stops what is inside of it, and lets nothing begin."""
    story = killed_inside(
        "flow: f\nsteps:\n  - lock: gpu\n    graph:\n"
        "      a:\n        try: [{timeout: 2d, do: [{call: 's.add(1, 0)'}, {sleep: 90d}]}]\n"
        "        catch: {do: [{call: 's.add(9, 0)'}]}\n"
        "      b: {do: [{call: 's.add(2, 0)'}, {sleep: 1h}, {call: 's.add(3, 0)'}]}\n",
        2,
    )
    epoch = hold(story, "gpu")
    story.store.free_locks(story.clock.at)
    story.clock.at += 48 * HOUR
    made = len(story.executor.made)
    assert story.drive(interrupt=Until(story)).status == "suspended"
    assert any(isinstance(one, Fired) for one in story.records())
    assert len(story.executor.made) == made
    story.store.release("other", epoch, "suspended")
    assert story.drive(interrupt=Until(story)).status == "succeeded"
    assert len(story.executor.made) == made + 2


def test_what_is_beside_a_lost_lock_goes_on():
    story = killed_inside(
        "flow: f\nsteps:\n  - graph:\n"
        "      a: {do: [{call: 's.add(1, 0)'}, {sleep: 1h}, {call: 's.add(3, 0)'}]}\n"
        "      b: {lock: left, do: [{lock: right, do: [{call: 's.add(2, 0)'}, {call: 's.add(4, 0)'}]}]}\n",
        2,
    )
    epoch = hold(story, "left")
    story.store.free_locks(story.clock.at)
    assert story.drive(interrupt=Until(story)).status == "suspended"
    assert [key.step for key in story.executor.made][2:] == ["step#1.a.step#3"]
    story.store.release("other", epoch, "suspended")
    assert story.drive(interrupt=Until(story)).status == "succeeded"
    assert story.store.all_locks(0, 9) == []


def test_bodies_that_failed_in_the_same_lock_go_on_one_after_another():
    """Behind their failures all of them are inside of a lock that allows one."""
    story_tasks.BROKEN.update(range(4))
    story = story_of(
        "flow: f\nsteps:\n  - for: i in range(5)\n    parallel: 5\n    errors: collect\n    need: 5\n"
        "    do:\n      - lock: gpu\n        do:\n"
        "          - {lock: cpu, do: [{id: x, call: s.needs_world(i)}]}\n          - call: s.add(i, 0)\n"
        "  - return: 1\n"
    )
    assert story.play().status == "failed"
    story_tasks.BROKEN.clear()
    made = len(story.executor.made)
    assert story.value(story.drive(reopen=True)) == 1
    again = [key.step.partition("]")[0][-1] for key in story.executor.made[made:]]
    assert sorted(again) == sorted("00112233")
    assert again[::2] == again[1::2], "one body after another"
    assert story.store.all_locks(0, 9) == []


CALL = """
actors: {account: "story_actors:Account"}
flow: f
timeout: 9d
steps:
  - call: account('ann').deposit(5)
"""
ANN = "story_actors:Account(ann)"


def test_a_call_that_lost_its_turn_lets_its_run_be_parked_until_it_comes():
    story = served(CALL, executor=HoldingExecutor())
    go_on(story, done=lambda: bool(story.executor.held))
    story.store.release("story", story.store.claim("story", this_owner(), 0, 1), "suspended")
    epoch = hold(story, ANN)
    story.store.serve("story", story.clock.now())
    story.executor = InlineExecutor()

    def parked() -> bool:
        row = story.store.run("story")
        return row.owner is None and row.status == "waiting"

    go_on(story, done=parked)
    assert story.store.run("story").wake_at > NOON + 200 * HOUR  # The time-out of the flow.
    story.store.release("other", epoch, "suspended")
    go_on(story, done=lambda: status(story) == "succeeded")
    assert len(story.executor.made) == 1


class Counting(HoldingExecutor):
    """Holds attempts, and counts how often it was given one."""

    submitted: int = 0

    def submit(self, attempts):
        self.submitted += len(attempts)
        super().submit(attempts)


@pytest.mark.parametrize("when", [1, 2, 3])
def test_a_lock_that_comes_back_as_its_run_is_about_to_be_let_go_keeps_it(when: int, monkeypatch):
    """What was kept back is not carried out by an engine that has just given the run up."""
    story = served(BOUNDED["the flow"], executor=HoldingExecutor())
    go_on(story, done=lambda: bool(story.executor.held))
    story.store.release("story", story.store.claim("story", this_owner(), 0, 1), "suspended")
    epoch = hold(story, "gpu")
    story.store.serve("story", story.clock.now())
    real_news, real_append = story.store.news, story.store.append
    looks: list[bool] = []

    def news(*args):
        if any(not row.granted for row in story.store.locks_of(["story"])):
            looks.append(True)
            if len(looks) == when:
                story.store.release("other", epoch, "suspended")
        return real_news(*args)

    def append(batches):
        unowned = [one.run_id for one in batches if story.store.run(one.run_id).owner is None]
        assert not unowned, "written by who has given it up"
        return real_append(batches)

    def look(_: int) -> None:
        story.clock.at += 11 * SECOND
        if story.executor.held:
            story.executor.let_go(next(iter(story.executor.held)).step)

    story.executor = Counting()
    monkeypatch.setattr(story.store, "news", news)
    monkeypatch.setattr(story.store, "append", append)
    go_on(story, look=look, done=lambda: any(isinstance(one, Succeeded) for one in story.records()))
    assert len(looks) >= when
    assert story.executor.submitted == 1


def test_a_call_that_waits_for_its_next_attempt_has_no_turn_to_get_back():
    """Who takes its run up in the meantime takes no turn for it either: others might wait for months."""
    text = CALL.replace(
        "deposit(5)", "deposit_on(2, 5)\n    retry: {max: 1, delay: 90d, cap: 90d, jitter: none}"
    )
    story = story_of(text, clock=JumpClock(time.time_ns() // 1000))
    story.start()
    places: list[int] = []

    class Looking(Until):
        def is_set(self) -> bool:
            if any(isinstance(one, Retrying) for one in story.records()):
                places.append(len(story.store.all_locks(0, 9)))
            return super().is_set()

    for _ in range(2):
        assert story.drive(interrupt=Looking(story)).status == "suspended"
    assert len(places) > 60
    assert set(places) == {0}
