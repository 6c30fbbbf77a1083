"""What a step that was told to stop leaves behind: its event for others, and no attempt not begun before."""

import pytest
import story_tasks
from stories import HOUR, InlineExecutor, story_of

from flowrt.encoding.values import Values
from flowrt.executor.port import Attempt, AttemptKey, Halted
from flowrt.record import Received
from flowrt.store.rows import NewEvent

TWO_ROUNDS = """
events: {ping: {type: any}}
flow: f
steps:
  - id: rounds
    for: n in [0, 1]
    errors: collect
    do:
      - graph:
          one: s.text("one")
          two: s.text(one)
          bad: {call: "s.fail_if(n, 0)", after: [two]}
          got: {wait: ping, timeout: 1d}
      - value: got
  - return: "[rounds.values, len(rounds.errors)]"
"""


class SendsAt(InlineExecutor):
    """Has an event arrive, and be looked for, when a given step begins."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self.step = step

    def submit(self, attempts) -> None:
        if any(attempt.key.step == self.step for attempt in attempts):
            payload = Values(self.story.blobs).encode("hello")
            self.story.store.send(NewEvent("ping", None, payload, self.story.clock.now()))
            self.story.clock.at += HOUR
        super().submit(attempts)


@pytest.mark.parametrize("step", ["rounds[1].step#1.one", "rounds[0].step#1.bad"])
def test_a_wait_that_was_stopped_leaves_its_event_to_the_next(step: str) -> None:
    """The event comes after the stop, or is taken in the turn in which the step beside the wait fails."""
    executor = SendsAt(step)
    story = executor.story = story_of(TWO_ROUNDS, executor=executor)
    assert story.value(story.play()) == [["hello"], 1]
    took = [r.step for r in story.records() if isinstance(r, Received)]
    assert took[-1] == "rounds[1].step#1.got"


class Noting(InlineExecutor):
    """Makes the attempts of `bad`, holds others, and notes what came after a stop."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.begun: list[str] = []

    def submit(self, attempts: list[Attempt]) -> None:
        self.begun += [attempt.key.step for attempt in attempts]

    def stop(self, key: AttemptKey, *, force: bool) -> None:  # noqa: ARG002
        self.asked.append(key.step)
        if key.step in self.begun:
            self._report(key, Halted())


def test_an_attempt_that_is_stopped_before_it_was_handed_over_is_not_made() -> None:
    executor = Noting()
    story = story_of(
        """
        flow: f
        inputs: {zero: {type: int, default: 0}}
        steps:
          - graph:
              slow: s.text("slow")
              bad: 1 // zero
        """,
        executor=executor,
    )
    result = story.play()
    assert (result.status, result.failure.type) == ("failed", "ZeroDivisionError")
    assert (executor.begun, executor.asked) == ([], [])


def test_a_wait_takes_what_was_accepted_before_its_time_was_over() -> None:
    story = story_of(
        """
        events: {ping: {type: any}}
        flow: f
        steps:
          - id: got
            wait: ping
            timeout: 10m
            else: [return: "'late'"]
          - return: got
        """
    )

    class SendsInTime(type(story.clock)):
        def timeout_s(self, until: int) -> float:
            if not story.store.sent_in_time:
                story.store.sent_in_time = True
                payload = Values(story.blobs).encode("in time")
                story.store.send(NewEvent("ping", None, payload, self.at + 1))
            return super().timeout_s(until)

    story.store.sent_in_time = False
    story.clock = SendsInTime()
    assert story.value(story.play()) == "in time"


BESIDE = """
events: {ping: {type: any}}
flow: f
steps:
  - graph:
      first:
        graph:
          one: s.text("one")
          two: s.text(one)
          bad: {call: "s.needs_world(7)", after: [two]}
          got: {wait: ping}
      second:
        do:
          - sleep: 30m
          - {wait: ping}
    failure: finish
  - return: "[first.got, second]"
"""


def test_an_event_that_was_given_back_counts_once_when_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The wait that was stopped has a record of an event that another wait took."""
    monkeypatch.setattr(story_tasks, "BROKEN", {7})
    executor = SendsAt("step#1.first.bad")
    story = executor.story = story_of(BESIDE, executor=executor)
    assert story.play().status == "failed"
    assert [r.event_id for r in story.records() if isinstance(r, Received)] == [1, 1]
    monkeypatch.setattr(story_tasks, "BROKEN", set())
    executor.step = ""
    payload = Values(story.blobs).encode("another")
    story.store.send(NewEvent("ping", None, payload, story.clock.now()))
    assert story.value(story.drive(reopen=True)) == ["another", "hello"]


def test_an_event_that_was_given_back_goes_to_a_wait_that_has_looked_already(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(story_tasks, "BROKEN", {7})
    executor = SendsAt("step#1.first.bad")
    text = BESIDE.replace("          - sleep: 30m\n", "")
    story = executor.story = story_of(text, executor=executor)
    assert story.play().status == "failed"
    took = [(r.step, r.event_id) for r in story.records() if isinstance(r, Received)]
    assert took == [("step#1.first.got", 1), ("step#1.second.step#1", 1)]
