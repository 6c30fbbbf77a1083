"""Blocks with a bound in time, and blocks and flows that are made again as a whole."""

from threading import Event

import pytest
import try_tasks
from stories import HOUR, NOON, Story, copy_first
from try_stories import cut_everywhere, played, tale, told

from flowrt.plain.plain import run_plain
from flowrt.record import Entered, Reopened, Retrying
from flowrt.view import RunView, StepNotes, view
from flowrt.why.why import why_run, why_step


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, fresh in (("LOG", []), ("BROKEN", {})):
        monkeypatch.setattr(try_tasks, name, fresh)
    try_tasks.COUNTS.clear()
    monkeypatch.setattr("time.sleep", lambda _: None)


def begun(text: str):
    story = tale(text)
    story.start()
    return story


AGAIN = """
flow: f
steps:
  - id: n
    value: 7
  - id: got
    do:
      - id: a
        call: g.do("a", n)
      - sleep: 1h
      - id: b
        call: g.works_from(3)
    retry: {max: 2, delay: 10s, jitter: none}
    timeout: 3h
  - return: "[got, a, b]"
"""


def test_a_block_is_made_again_as_a_whole_until_it_ends_well() -> None:
    story = begun(AGAIN)
    assert told(story) == [3, "a", 3]
    assert try_tasks.LOG == ["a", "a", "a"]
    assert story.clock.now() == NOON + 3 * HOUR + 10_000_000 + 20_000_000
    steps = [key.step for key in story.executor.made]
    assert steps == ["got.a", "got.b", "got~r2.a", "got~r2.b", "got~r3.a", "got~r3.b"]


def test_it_means_the_same_in_a_plain_run() -> None:
    assert run_plain(tale(AGAIN).program, {}) == [3, "a", 3]


def test_a_block_that_is_killed_anywhere_goes_on_where_it_was() -> None:
    text = AGAIN.replace("g.works_from(3)", 'g.do("b")').replace("return:", "value:")
    try_tasks.BROKEN["b"] = OSError()
    story = begun(text)
    assert told(story) == ("failed", "OSError")
    assert try_tasks.LOG == ["a", "!b"] * 3
    cut_everywhere(story)


@pytest.mark.parametrize(
    ("policy", "count"),
    [
        ("catch: [try_tasks:Busy]", 3),
        ("catch: [OSError]", 1),
        ("unless: [try_tasks:Busy]", 1),
        ("within: 5s", 1),
        ("within: 15s", 2),
    ],
)
def test_the_policy_of_a_block_names_failures_inside_it(policy: str, count: int) -> None:
    try_tasks.BROKEN["b"] = try_tasks.VeryBusy()
    text = f"""
flow: f
steps:
  - do:
      - graph:
          x:
            do: [{{call: 'g.do("b")'}}]
    retry: {{max: 2, delay: 10s, jitter: none, {policy}}}
"""
    story = begun(text)
    assert told(story) == ("failed", "try_tasks.VeryBusy")
    assert ["!b"] * count == try_tasks.LOG
    cut_everywhere(story)


LATE = """
flow: f
steps:
  - id: got
    try:
      - do:
          - call: g.do("a")
          - graph:
              x: {sleep: 1d}
              y: {try: [{sleep: 2d}], finally: [{call: 'g.do("end")'}]}
          - call: g.do("not reached")
        timeout: 1m
    catch: {type: TimeoutError, as: e, do: [{value: e.type}]}
  - return: got
"""


def test_a_block_whose_time_is_up_is_stopped_and_fails() -> None:
    story = begun(LATE)
    assert told(story) == "flowrt.BlockTimedOut"
    assert try_tasks.LOG == ["a", "end"]
    assert story.clock.now() == NOON + 60_000_000
    cut_everywhere(story)


def test_each_attempt_has_its_own_time() -> None:
    text = """
flow: f
steps:
  - do: [{sleep: 1h}]
    timeout: 10m
    retry: {max: 2, delay: 1m, factor: 1, jitter: none}
"""
    story = begun(text)
    assert told(story) == ("failed", "flowrt.BlockTimedOut")
    assert [r.attempt for r in story.records() if isinstance(r, Entered)] == [1, 2, 3]
    assert story.clock.now() == NOON + 32 * 60_000_000
    cut_everywhere(story)


def test_a_timeout_that_is_no_length_of_time_fails_the_block() -> None:
    text = """
flow: f
inputs: {n: {type: any, default: 3}}
steps:
  - do: [{sleep: 1h}, {call: 'g.do("a")'}]
    timeout: ${{ n }}
    retry: 3
"""
    story = begun(text)
    assert told(story)[0] == "failed"
    assert not [r for r in story.records() if isinstance(r, Retrying)]
    assert try_tasks.LOG == []


def test_break_and_return_leave_a_bounded_block() -> None:
    text = """
flow: f
steps:
  - id: n
    value: 0
  - while: true
    do:
      - do:
          - id: n
            value: n + 1
          - if: n == 3
            then: [break]
        timeout: 1h
  - do: [{return: n}]
    retry: 2
"""
    story = begun(text)
    assert told(story) == 3
    cut_everywhere(story)


def test_a_flow_that_is_called_is_bounded_and_made_again() -> None:
    text = """
flow: f
steps:
  - id: got
    call: other(2, name="n")
    retry: {max: 3, delay: 1s, jitter: none, catch: [ConnectionError]}
    timeout: 1h
  - return: got
---
flow: other
inputs: {times: int, name: str}
steps:
  - id: x
    call: g.works_from(times, name)
  - return: x + 10
"""
    story = begun(text)
    assert told(story) == 12
    assert [key.step for key in story.executor.made] == ["got.flow.x", "got~r2.flow.x"]
    try_tasks.COUNTS.clear()
    assert run_plain(story.program, {}) == 12
    cut_everywhere(story)


# Going on behind a failure


def reopened(text: str, **broken: object) -> tuple[list[str], list[str]]:
    story = begun(text)
    try_tasks.BROKEN.update(broken)
    assert story.drive().status == "failed"
    before, try_tasks.LOG = try_tasks.LOG, []
    try_tasks.BROKEN.clear()
    result = story.drive(reopen=True)
    assert result.status == "succeeded", result
    after, records = list(try_tasks.LOG), story.records()
    last = max(i for i, r in enumerate(records) if isinstance(r, Reopened))
    for count in range(last + 1, len(records)):
        assert copy_first(story, count).drive().status == "succeeded", f"after {count}"
    return before, after


def test_a_failure_reopens_inside_the_last_attempt() -> None:
    text = """
flow: f
steps:
  - do: [{call: 'g.do("a")'}, {call: 'g.do("b")'}, {call: 'g.do("c")'}]
    retry: {max: 1, delay: 1s}
    timeout: 1h
"""
    before, after = reopened(text, b=OSError())
    assert before == ["a", "!b", "a", "!b"]
    assert after == ["b", "c"]


def test_a_block_whose_time_was_up_gets_a_new_one_and_goes_on() -> None:
    text = """
events: {go: {external: true}}
flow: f
steps:
  - do: [{call: 'g.do("a")'}, {sleep: 40m}, {sleep: 40m}, {call: 'g.do("c")'}]
    timeout: 1h
"""
    before, after = reopened(text)
    assert (before, after) == (["a"], ["c"])


BEHIND = """
flow: f
steps:
  - graph:
      x:
        do: [{sleep: 30m}, {call: 'g.do("x")'}, {sleep: 20m}]
        timeout: 1h
      y:
        do: [{call: 'g.do("y")'}, {sleep: 40m}, {sleep: 10m}]
        timeout: 1h
"""


@pytest.mark.parametrize("broken", ["x", "y"])
def test_a_block_that_failed_or_was_stopped_has_all_its_time_when_the_run_goes_on(broken: str) -> None:
    story = begun(BEHIND)
    try_tasks.BROKEN[broken] = OSError()
    assert story.drive().status == "failed"
    story.clock.at += 10 * HOUR
    try_tasks.BROKEN.clear()
    result = story.drive(reopen=True)
    assert result.status == "succeeded", result
    assert sorted(try_tasks.LOG) == sorted([f"!{broken}", "x", "y"])


def test_each_attempt_of_a_block_that_is_gone_on_with_has_all_its_time() -> None:
    text = """
flow: f
steps:
  - do: [{call: 'g.do("a")'}, {sleep: 40m}]
    retry: {max: 1, delay: 1s}
    timeout: 1h
"""
    story = begun(text)
    try_tasks.BROKEN["a"] = OSError()
    assert story.drive().status == "failed"
    story.clock.at += 10 * HOUR
    try_tasks.BROKEN.clear()
    assert story.drive(reopen=True).status == "succeeded"


def test_a_block_that_pauses_when_another_step_fails_goes_on_with_its_pause() -> None:
    text = """
flow: f
steps:
  - graph:
      x:
        do: [{call: 'g.do("b")'}]
        retry: {max: 3, delay: 1h, cap: 2h, jitter: none}
      y:
        do: [{sleep: 10m}, {call: 'g.do("y")'}]
"""
    before, after = reopened(text, b=OSError(), y=OSError())
    assert (before, after) == (["!b", "!y"], ["y", "b"])


def test_a_saga_undoes_what_every_attempt_has_done() -> None:
    text = """
flow: f
steps:
  - saga:
      - do:
          - {id: a, call: 'g.do("a")', undo: 'g.do("undo", a)'}
          - {call: 'g.do("b")'}
        retry: {max: 1, delay: 1s}
"""
    try_tasks.BROKEN["b"] = OSError()
    assert played(text) == ("failed", "OSError")
    assert try_tasks.LOG == ["a", "!b", "a", "!b", "undo", "undo"]


# What is told of it


TOLD = """
flow: f
timeout: 2d
steps:
  - id: b
    do:
      - call: g.do("a")
      - sleep: 3h
      - try: [{call: 'g.do("b")'}]
        catch: {type: KeyError, do: []}
        finally: [{call: 'g.do("end")'}]
    timeout: 9h
    retry: {max: 2, delay: 5h, cap: 5h, jitter: none}
"""


class StopsAt(StepNotes):
    """Interrupts a run when it waits, or has failed in an attempt."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self.at, self.interrupt = at, Event()

    def waiting(self, step: str, event: str, key: str | None, due_at: int) -> None:
        super().waiting(step, event, key, due_at)
        if step == self.at:
            self.interrupt.set()

    def attempted(self, step: str, attempt: int, error: str, started_at: int, ended_at: int) -> None:
        super().attempted(step, attempt, error, started_at, ended_at)
        if step == self.at:
            self.interrupt.set()


def suspended(at: str) -> tuple[Story, RunView, str, str]:
    """A run that stands at a step, as `show` and `why` tell of it."""
    try_tasks.BROKEN["b"] = OSError()
    story, watch = begun(TOLD), StopsAt(at)
    assert story.drive(interrupt=watch.interrupt, observer=watch).status == "suspended"
    now = story.clock.now()
    run, step = (why_run(story.store, "story", now), why_step(story.store, "story", "b", now))
    return story, view(story.store, "story"), "\n".join(run), "\n".join(step)


def test_what_is_told_of_a_bound() -> None:
    _, seen, run, step = suspended("b.step#2")
    assert [(one.step, one.kind, one.until) for one in seen.waiting] == [
        ("b.step#2", "sleep", NOON + 3 * HOUR)
    ]
    assert {(one.step, one.until) for one in seen.bounds} == {("", NOON + 48 * HOUR), ("b", NOON + 9 * HOUR)}
    assert "step `b`: the block may take until 2027-01-15 17:00:00 UTC" in run
    assert "\nthe run may take until 2027-01-17 08:00:00 UTC" in run
    assert "step `b.step#2`: it sleeps until 2027-01-15 11:00:00 UTC" in run
    assert "attempt 1 of the block began at 2027-01-15 08:00:00 UTC; its time is up at" in step
    assert step.endswith("the block may take until 2027-01-15 17:00:00 UTC")


def test_what_is_told_of_a_pause() -> None:
    story, seen, run, step = suspended("b")
    assert [(one.step, one.kind, one.until) for one in seen.waiting] == [("b", "pause", NOON + 8 * HOUR)]
    assert [one.step for one in seen.bounds] == [""]
    again = "its last attempt failed; the block is made again at 2027-01-15 16:00:00 UTC"
    assert f"step `b`: {again}" in run
    assert "attempt 1 began at 2027-01-15 08:00:00 UTC and failed: OSError; the next from" in step
    assert step.endswith(again)
    end = why_step(story.store, "story", "b~r2.step#3.finally.step#1", story.clock.now())
    assert "nothing has started it yet" in " ".join(end)
