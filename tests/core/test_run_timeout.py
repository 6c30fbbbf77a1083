"""`timeout` of a flow bounds the whole run, over restarts and tail calls."""

import pytest
import try_tasks
from stories import NOON, HoldingExecutor, copy_first, story_of

from flowrt.core.path import LIMIT
from flowrt.record import Fired, Sleeping, Stopped, Succeeded
from flowrt.view import view

HOUR = 3_600_000_000

SLOW = """
flow: f
timeout: 1h
steps:
  - id: a
    call: s.text("a")
  - sleep: {pause}
  - return: a
"""


def test_a_run_that_takes_too_long_fails_and_says_so() -> None:
    story = story_of(SLOW.format(pause="2h"))
    result = story.play()
    assert (result.status, result.failure.type) == ("failed", "flowrt.RunTimedOut")
    assert story.clock.now() == NOON + HOUR


def test_a_run_that_ends_in_time_does_not() -> None:
    story = story_of(SLOW.format(pause="59m"))
    assert story.value(story.play()) == "a"
    assert not [r for r in story.records() if isinstance(r, Fired) and r.step == LIMIT]


def test_tasks_in_flight_are_stopped() -> None:
    executor = HoldingExecutor()
    story = story_of("flow: f\ntimeout: 1h\nsteps:\n  - call: s.text('a')\n", executor=executor)
    assert story.play().failure.type == "flowrt.RunTimedOut"
    assert [r.step for r in story.records() if isinstance(r, Stopped)] == ["step#1"]
    assert not executor.held


def test_the_bound_counts_from_the_start_of_the_run() -> None:
    whole = story_of(SLOW.format(pause="2h"))
    whole.play()
    kinds = [(type(r), getattr(r, "step", None)) for r in whole.records()]
    cut = copy_first(whole, kinds.index((Sleeping, "step#2")) + 1)
    cut.clock.at = NOON + HOUR // 2
    assert cut.drive().failure.type == "flowrt.RunTimedOut"
    assert cut.clock.now() == NOON + HOUR


def test_the_bound_may_be_an_input_and_holds_over_tail_calls() -> None:
    story = story_of(
        """
        flow: f
        inputs: {patience: {type: duration, default: 45m}}
        timeout: ${{ patience }}
        steps:
          - sleep: 10m
          - return: f(patience)
        """
    )
    assert story.play().failure.type == "flowrt.RunTimedOut"
    assert story.clock.now() == NOON + HOUR * 3 // 4


def test_a_bound_that_is_no_duration_fails_the_run() -> None:
    story = story_of(
        """
        flow: f
        inputs: {patience: any}
        timeout: ${{ patience }}
        steps:
          - sleep: 10m
        """
    )
    result = story.play({"patience": 3})
    assert result.status == "failed"
    assert "is a duration such as 30s" in result.failure.message


def test_a_run_that_is_reopened_gets_a_new_bound() -> None:
    story = story_of(SLOW.format(pause="90m"))
    assert story.play().status == "failed"
    story.clock.at = NOON + 10 * HOUR
    assert story.value(story.drive(reopen=True)) == "a"
    assert [r.step for r in story.records() if isinstance(r, Succeeded)] == ["a"]


def test_a_run_that_failed_in_time_has_all_its_time_when_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
flow: f
timeout: 1h
steps:
  - sleep: 10m
  - call: g.do("x")
  - sleep: 10m
"""
    monkeypatch.setattr(try_tasks, "BROKEN", {"x": OSError()})
    story = story_of(text, use="g: try_tasks")
    assert story.play().failure.type == "OSError"
    story.clock.at += 10 * HOUR
    try_tasks.BROKEN.clear()
    result = story.drive(reopen=True)
    assert result.status == "succeeded", result


def test_what_a_run_waits_for_does_not_name_its_bound() -> None:
    whole = story_of(SLOW.format(pause="50m"))
    whole.play()
    cut = copy_first(whole, 4)
    assert [waiting.step for waiting in view(cut.store, "story").waiting] == ["step#2"]
