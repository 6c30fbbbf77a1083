"""How bodies stop: failures in graphs and loops, `need`, cancelling; what is recorded of it."""

from threading import Event

import pytest
import story_tasks
from stories import HoldingExecutor, Story, story_of

from flowrt.engine.cancelling import cancel
from flowrt.errors import FlowrtError
from flowrt.record import Ended, Failed, Stopped, Succeeded


def steps(story: Story, kind: type) -> list[str]:
    return [record.step for record in story.records() if isinstance(record, kind)]


GRAPH = """
flow: f
steps:
  - id: g
    graph:
      bad: s.fails("no")
      slow: s.text("slow")
      after_bad: s.text(bad)
    failure: {policy}
  - return: g.slow
"""


class BadFirst(HoldingExecutor):
    """Lets `bad` go as soon as it comes, and holds the others until they are stopped."""

    def submit(self, attempts) -> None:
        super().submit(attempts)
        for key in [key for key in self.held if key.step.endswith("bad")]:
            self.let_go(key.step)


def test_a_failure_stops_the_rest_of_a_graph() -> None:
    story = story_of(GRAPH.format(policy="cancel"), executor=BadFirst())
    result = story.play()
    assert result.status == "failed"
    assert result.failure.step == "g.bad"
    assert steps(story, Stopped) == ["g.slow"]
    assert steps(story, Succeeded) == []


def test_with_finish_the_rest_of_a_graph_ends_by_itself() -> None:
    story = story_of(GRAPH.format(policy="finish"))
    result = story.play()
    assert (result.status, result.failure.step) == ("failed", "g.bad")
    assert steps(story, Succeeded) == ["g.slow"]


def test_a_step_that_was_faster_than_its_stop_is_recorded() -> None:
    class TooLate(BadFirst):
        def stop(self, key, *, force: bool) -> None:  # noqa: ARG002
            self.let_go(key.step)

    story = story_of(GRAPH.format(policy="cancel"), executor=TooLate())
    assert story.play().status == "failed"
    assert steps(story, Succeeded) == ["g.slow"]


def test_need_stops_the_bodies_that_are_left() -> None:
    class OnlyFirstTwo(HoldingExecutor):
        def submit(self, attempts) -> None:
            super().submit(attempts)
            for key in [key for key in self.held if key.step[:4] in {"x[0]", "x[1]"}]:
                self.let_go(key.step)

    story = story_of(
        """
        flow: f
        steps:
          - id: x
            for: n in range(5)
            parallel: 4
            need: 2
            do: s.add(n, 10)
          - return: x
        """,
        executor=OnlyFirstTwo(),
    )
    assert story.value(story.play()) == [10, 11]
    assert {step[:4] for step in steps(story, Stopped)} == {"x[2]", "x[3]", "x[4]"}


def test_need_that_cannot_be_met_fails() -> None:
    story = story_of(
        """
        flow: f
        steps:
          - id: x
            for: n in range(4)
            errors: drop
            need: 3
            do: s.even_only(n)
        """
    )
    result = story.play()
    assert result.failure.type == "flowrt.NeedNotMet"
    assert "3 bodies had to succeed and 2 of 4 did" in result.failure.message


def test_the_first_failure_of_a_parallel_for_stops_the_others() -> None:
    class OddFirst(HoldingExecutor):
        def submit(self, attempts) -> None:
            super().submit(attempts)
            for key in [key for key in self.held if "[1]" in key.step]:
                self.let_go(key.step)

    story = story_of(
        """
        flow: f
        steps:
          - for: n in range(50)
            parallel: 3
            do: s.even_only(n)
        """,
        executor=OddFirst(),
    )
    result = story.play()
    assert result.failure.type == "ValueError"
    assert len(steps(story, Stopped)) == 2


PAUSED = """
flow: f
steps:
  - id: a
    call: s.text("a")
  - sleep: 2h
  - call: s.text("never")
"""


def suspended(text: str) -> Story:
    """A story that stands at its pause, its process gone."""
    story = story_of(text)
    story.start()
    interrupt = Event()

    class StopAtPause:
        def __getattr__(self, _name: str):
            return lambda *_: interrupt.set() if _name == "waiting" else None

    assert story.drive(interrupt=interrupt, observer=StopAtPause()).status == "suspended"
    return story


def test_a_suspended_run_is_cancelled_by_whoever_drives_it_next() -> None:
    story = suspended(PAUSED)
    assert cancel(story.store, "story", "no longer wanted") is False
    assert story.drive().status == "cancelled"
    assert story.store.run("story").status == "cancelled"
    assert steps(story, Succeeded) == ["a"]


def test_a_pending_run_is_cancelled_before_it_does_anything() -> None:
    story = story_of(PAUSED)
    story.start()
    cancel(story.store, "story", "")
    assert story.drive().status == "cancelled"
    assert story.executor.made == []


def test_a_running_run_is_cancelled_and_its_tasks_stopped() -> None:
    executor = HoldingExecutor()
    story = story_of(GRAPH.format(policy="cancel"), executor=executor)
    story.start()
    cancel(story.store, "story", "")
    assert story.drive().status == "cancelled"
    assert not executor.held


def test_a_run_that_has_ended_cannot_be_cancelled() -> None:
    story = story_of(PAUSED)
    story.play()
    with pytest.raises(FlowrtError, match="has ended already"):
        cancel(story.store, "story", "")


FLAKY_WORLD = """
flow: f
steps:
  - id: a
    call: s.text("a")
  - id: x
    for: n in range(4)
    parallel: 4
    do: s.needs_world(n)
  - return: x
"""


def test_a_failed_run_goes_on_behind_its_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story_tasks, "BROKEN", {2})
    story = story_of(FLAKY_WORLD)
    assert story.play().status == "failed"
    before = set(steps(story, Succeeded))
    assert "a" in before
    assert story.drive().status == "failed", "without reopening, the recorded failure stands"

    monkeypatch.setattr(story_tasks, "BROKEN", set())
    made = len(story.executor.made)
    assert story.value(story.drive(reopen=True)) == [0, 1, 2, 3]
    again = {key.step for key in story.executor.made[made:]}
    assert not again & before
    assert story.value(story.drive()) == [0, 1, 2, 3]
    assert len([r for r in story.records() if isinstance(r, Ended)]) == 2


def test_a_run_that_fails_again_can_be_reopened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story_tasks, "BROKEN", {1, 2})
    story = story_of(FLAKY_WORLD)
    story.play()
    assert story.drive(reopen=True).status == "failed"
    monkeypatch.setattr(story_tasks, "BROKEN", set())
    assert story.value(story.drive(reopen=True)) == [0, 1, 2, 3]


def test_a_failure_that_was_collected_stays_collected_when_the_run_is_reopened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(story_tasks, "BROKEN", {7})
    story = story_of(
        """
        flow: f
        steps:
          - id: x
            for: n in range(4)
            errors: collect
            do: s.even_only(n)
          - id: y
            call: s.needs_world(7)
          - return: "[len(x.errors), y]"
        """
    )
    assert story.play().failure.step == "y"
    monkeypatch.setattr(story_tasks, "BROKEN", set())
    made = len(story.executor.made)
    assert story.value(story.drive(reopen=True)) == [2, 7]
    assert [key.step for key in story.executor.made[made:]] == ["y"]
    assert len(steps(story, Failed)) == 3
