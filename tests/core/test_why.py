"""Explanations of runs and steps, as `flowc why` gives them."""

from threading import Event

import pytest
from stories import NOON, HoldingExecutor, JumpClock, NotingStore, Story, story_of

from flowrt.encoding.values import Values
from flowrt.store.rows import NewEvent
from flowrt.why.why import NoSuchStep, why_run, why_step

BRANCHES = """
flow: f
inputs: {n: int}
steps:
  - id: x
    call: s.add(n, 0)
  - id: b
    if: x > 2
    then:
      - id: high
        call: s.add(1, 0)
    else:
      - id: low
        call: s.add(0, 0)
  - id: xs
    for: i in range(x)
    do:
      - id: y
        call: s.add(i, 0)
  - id: after
    value: x + 1
"""


def why(story: Story, step: str | None = None) -> str:
    now = story.clock.now()
    if step is None:
        return "\n".join(why_run(story.store, "story", now))
    return "\n".join(why_step(story.store, "story", step, now))


def test_a_step_that_ran_tells_its_attempts():
    story = story_of(BRANCHES)
    story.play({"n": 3})
    told = why(story, "x")
    assert told.startswith("step `x` succeeded")
    assert "attempt 1 began" in told
    assert "[epoch 1]" in told


def test_the_arm_that_was_not_taken_names_the_condition():
    story = story_of(BRANCHES)
    story.play({"n": 3})
    assert "the condition of `b` was True, so its other arm was taken" in why(story, "b.else.low")


def test_a_body_behind_the_last_item_says_how_many_there_are():
    story = story_of(BRANCHES)
    story.play({"n": 3})
    assert "`xs` has 3 items, so there is no body 7" in why(story, "xs[7].y")


def test_a_step_that_does_not_exist_is_named_with_the_nearest():
    story = story_of(BRANCHES)
    story.play({"n": 3})
    with pytest.raises(NoSuchStep, match="Did you mean `after`"):
        why(story, "aftre")


@pytest.mark.parametrize(("said", "meant"), [("y", r"xs\[0\]\.y"), ("xs[1]", r"xs\[1\]\.y")])
def test_the_id_of_a_step_inside_or_the_path_of_a_body_leads_to_a_path(said, meant):
    story = story_of(BRANCHES)
    story.play({"n": 3})
    with pytest.raises(NoSuchStep, match=f"Did you mean `{meant}`"):
        why(story, said)


FAILING = """
flow: f
steps:
  - id: bad
    call: s.fails("no such table")
  - id: next
    call: s.add(1, 0)
  - id: last
    call: s.add(2, 0)
"""


def test_a_failed_run_names_the_step_the_error_and_the_way_on():
    story = story_of(FAILING)
    story.play()
    told = why(story)
    assert "failed at" in told
    assert "step `bad` failed: RuntimeError: no such table" in told
    assert "flowc resume story --failed" in told


def test_a_step_behind_a_failure_is_followed_to_it():
    story = story_of(FAILING)
    story.play()
    told = why(story, "last").splitlines()
    assert told[0] == "step `last` was not started"
    assert told[1] == "`last` comes after `next`, which was not started either"
    assert told[2].startswith("`next` comes after `bad`, which failed: RuntimeError: no such table")


WAITING = """
events: {go: {type: any, key: str}}
flow: f
steps:
  - id: told
    wait: go
    key: "'k'"
    match: event > 5
    timeout: 2h
"""


def suspended(text: str, **parts: object) -> Story:
    """A story that was suspended where it waits."""
    interrupt = Event()

    class OneLook(JumpClock):
        def timeout_s(self, until: int) -> float:  # noqa: ARG002
            interrupt.set()
            return 0.0

    story = story_of(text, clock=OneLook(), **parts)
    story.start()
    assert story.drive(interrupt=interrupt).status == "suspended"
    return story


def test_a_wait_says_for_what_and_what_it_passed_over():
    story = suspended(WAITING)
    assert "suspended" in why(story)
    assert "waits for an event `go` with key 'k', until " in why(story)
    assert "no other event `go` with key 'k' has been accepted" in why(story, "told")
    story.store.send(NewEvent("go", "k", Values(story.blobs).encode(3), NOON))
    assert "1 such events have come (numbers 1), and its `match` accepted none of them" in why(story, "told")


def test_a_task_of_a_run_that_nobody_has_is_to_be_made():
    store = NotingStore()
    story = suspended(
        "flow: f\nsteps:\n  - id: t\n    call: s.add(1, 0)\n", store=store, executor=HoldingExecutor()
    )
    assert "attempt 1 is to be made; no process has the run at the moment" in why(story, "t")
