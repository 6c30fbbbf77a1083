"""A failed run that goes on behind its failure: what counts no more, and that nothing else runs again."""

from pathlib import Path

import pytest
import story_tasks
from stories import HoldingExecutor, InlineExecutor, Story, story_of

from flowrt.record import Reopened, Succeeded
from flowrt.store.open import open_store


def reopened(story: Story, monkeypatch: pytest.MonkeyPatch) -> tuple[object, list[str]]:
    """Break the world, play, mend it, go on: the result, and the steps that ran again although recorded."""
    monkeypatch.setattr(story_tasks, "BROKEN", {7})
    assert story.play().status == "failed"
    monkeypatch.setattr(story_tasks, "BROKEN", set())
    recorded = {r.step for r in story.records() if isinstance(r, Succeeded)}
    made = len(story.executor.made)
    value = story.value(story.drive(reopen=True))
    assert story.value(story.drive()) == value
    return value, sorted({key.step for key in story.executor.made[made:]} & recorded)


GRAPH_IN_LOOP = """
flow: f
steps:
  - id: rounds
    for: n in range(4)
    errors: collect
    do:
      - graph:
          one: s.even_only(n)
          two: s.fail_if(n, 1)
          three: s.text("three")
        failure: finish
      - call: s.add(n, 100)
  - id: last
    call: s.needs_world(7)
  - return: "[rounds.values, len(rounds.errors), last]"
"""


def test_failures_that_the_flow_dealt_with_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both steps of a graph fail, one of the failures is collected; neither is touched again."""
    value, again = reopened(story_of(GRAPH_IN_LOOP), monkeypatch)
    assert value == [[100, 102], 2, 7]
    assert again == []


NEED = """
flow: f
steps:
  - id: two
    for: n in range(6)
    parallel: 6
    need: 2
    do: s.text("body")
  - id: after
    call: s.text("after")
  - id: last
    call: s.needs_world(7)
  - return: "[two, after, last]"
"""


class FirstTwo(HoldingExecutor):
    """Makes the first two bodies and what is no body; the others are held until they are stopped."""

    def submit(self, attempts) -> None:
        super().submit(attempts)
        for key in [key for key in self.held if key.step[:5] in {"two[0", "two[1"} or "[" not in key.step]:
            self.let_go(key.step)


def test_bodies_that_were_stopped_by_need_stay_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    story = story_of(NEED.replace('text("body")', "add(n, 10)"), executor=FirstTwo())
    value, again = reopened(story, monkeypatch)
    assert value == [[10, 11], "after", 7]
    assert again == []


BESIDE = """
flow: f
steps:
  - graph:
      bad: {call: "s.needs_world(7)"}
      other:
        do:
          - id: two
            for: n in range(6)
            parallel: 6
            need: 2
            do: s.add(n, 10)
          - call: s.text("behind the loop")
    failure: finish
  - return: "[two, bad]"
"""


class BadFirst(FirstTwo):
    def submit(self, attempts) -> None:
        super().submit(attempts)
        for key in [key for key in self.held if key.step.endswith(".bad")]:
            self.let_go(key.step)
        for key in [
            key for key in self.held if "[0]" in key.step or "[1]" in key.step or "other.step" in key.step
        ]:
            self.let_go(key.step)


def test_a_failure_beside_a_loop_that_stopped_its_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stops come after the failure in the journal and have nothing to do with it."""
    story = story_of(BESIDE.replace("[two, bad]", "bad"), executor=BadFirst())
    value, again = reopened(story, monkeypatch)
    assert value == 7
    assert again == []


NESTED = """
flow: f
steps:
  - id: x
    for: n in range(3)
    parallel: 3
    do:
      - id: y
        call: inner(n)
      - value: y * 10
  - return: x
---
flow: inner
inputs: {n: int}
steps:
  - id: i
    value: 0
  - while: i < 3
    do:
      - graph:
          a: s.add(n, i)
          b: s.needs_world(n + i + 4)
      - id: i
        value: i + 1
  - return: i + n
"""


@pytest.mark.parametrize("latest_first", [False, True])
def test_a_failure_deep_within_stops_much_and_all_of_it_goes_on(
    latest_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = story_of(NESTED, executor=InlineExecutor(latest_first=latest_first))
    value, again = reopened(story, monkeypatch)
    assert value == [30, 40, 50]
    assert again == []
    assert len([r for r in story.records() if isinstance(r, Reopened)]) == 1


def test_only_a_failed_run_is_reopened() -> None:
    story = story_of("flow: f\nsteps: [return: 1]\n")
    assert story.value(story.play()) == 1
    assert story.value(story.drive(reopen=True)) == 1
    assert not [r for r in story.records() if isinstance(r, Reopened)]


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_a_cancel_that_came_too_late_does_not_end_the_run_when_it_goes_on(
    store: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(story_tasks, "BROKEN", {1})
    story = story_of("flow: f\nsteps:\n  - id: x\n    call: s.needs_world(1)\n  - return: x\n")
    if store == "sqlite":
        story.store, story.blobs = open_store(str(tmp_path / "store"))

    class CancelsWhileItFails(InlineExecutor):
        def submit(self, attempts) -> None:
            super().submit(attempts)
            story.store.request_cancel("story", "too late")

    story.executor = CancelsWhileItFails()
    assert story.play().status == "failed"
    monkeypatch.setattr(story_tasks, "BROKEN", set())
    story.executor = InlineExecutor()
    assert story.value(story.drive(reopen=True)) == 1
    story.store.close()
