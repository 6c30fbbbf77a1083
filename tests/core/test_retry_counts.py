"""How often a step is tried: as often as its policy says, and three times more for workers that are lost."""

from dataclasses import dataclass, field

import pytest
import try_tasks
from stories import HOUR, InlineExecutor, copy_first, story_of

from flowrt.executor.port import Attempt, Lost
from flowrt.record import Failed, Reopened, Retrying

ALWAYS_FAILS = """
flow: f
steps:
  - id: a
    call: s.fails('no')
    retry: {max: MAX, delay: 1s}
"""

ONE = """
flow: f
steps:
  - id: a
    call: s.add(1, 2)
  - return: a
"""


@dataclass
class Losing(InlineExecutor):
    """Loses the first attempts."""

    times: int = 0
    lost: list[Attempt] = field(default_factory=list)

    def submit(self, attempts) -> None:
        for attempt in attempts:
            if len(self.lost) < self.times:
                self.lost.append(attempt)
                self._report(attempt.key, Lost("the worker died"))
            else:
                super().submit([attempt])


@pytest.mark.parametrize("most", [0, 1, 3])
def test_max_is_the_number_of_retries(most: int) -> None:
    story = story_of(ALWAYS_FAILS.replace("MAX", str(most)))
    assert story.play().status == "failed"
    assert [key.attempt for key in story.executor.made] == list(range(1, most + 2))


AGAIN = """
flow: f
steps:
  - call: g.do("a")
    retry: {max: 2, delay: 1s, jitter: none, within: 1h}
"""


def test_a_step_that_is_gone_on_with_has_all_of_its_retries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(try_tasks, "LOG", [])
    monkeypatch.setattr(try_tasks, "BROKEN", {"a": OSError()})
    story = story_of(AGAIN, use="g: try_tasks")
    assert story.play().status == "failed"
    story.clock.at += 10 * HOUR
    assert story.drive(reopen=True).status == "failed"
    assert len(try_tasks.LOG) == 6
    records = story.records()
    first = next(n for n, record in enumerate(records, 1) if isinstance(record, Reopened))
    for count in range(first, len(records)):
        try_tasks.LOG.clear()
        assert copy_first(story, count).drive().status == "failed"
        assert len(try_tasks.LOG) == 3 - sum(isinstance(r, Retrying | Failed) for r in records[first:count])


def test_a_step_that_loses_three_workers_goes_on() -> None:
    story = story_of(ONE, executor=Losing(times=3))
    assert story.value(story.play()) == 3
    assert [r.lost for r in story.records() if isinstance(r, Retrying)] == [True] * 3


def test_a_step_that_loses_a_fourth_worker_fails_and_says_so() -> None:
    story = story_of(ONE, executor=Losing(times=50))
    result = story.play()
    assert (result.status, result.failure.type) == ("failed", "flowrt.WorkerLost")
    assert "4 times" in result.failure.message
    assert len(story.executor.lost) == 4
