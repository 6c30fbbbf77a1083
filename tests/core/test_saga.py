"""Sagas: what was completed is undone, in reverse order, durably, and nothing of it is hidden."""

import pytest
import saga_tasks
from stories import HOUR, NOON, HoldingExecutor, InlineExecutor, Story, copy_first, story_of

from flowrt.plain.plain import run_plain
from flowrt.record import Failed, Reopened, Succeeded


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, fresh in (("LOG", []), ("KEYS", []), ("BROKEN", set()), ("FLAKY", {})):
        monkeypatch.setattr(saga_tasks, name, fresh)


def tale(text: str, **parts: object) -> Story:
    """A story whose tasks are those of sagas, under the alias `g`."""
    return story_of(text.replace("g.", "saga_tasks:"), **parts)


LIST = """
flow: f
steps:
  - saga:
      - id: a
        call: g.book("a")
        undo: g.cancel(a)
      - id: b
        call: g.book("b", a)
        undo: g.cancel(b, a)
      - call: g.look(b)
      - id: c
        call: g.book("c")
        undo: g.cancel(c)
  - return: "[a, b, c]"
"""


def test_a_saga_that_ends_well_undoes_nothing_and_gives_its_names() -> None:
    story = tale(LIST)
    assert story.value(story.play()) == ["<a>", "<b>", "<c>"]
    assert saga_tasks.LOG == ["+a", "+b", "?<b>", "+c"]


def test_a_failure_undoes_what_is_completed_the_newest_first() -> None:
    saga_tasks.BROKEN.add("c")
    story = tale(LIST)
    result = story.play()
    assert (result.status, result.failure.message) == ("failed", "no c left")
    assert saga_tasks.LOG == ["+a", "+b", "?<b>", "-b <a>", "-a"]
    undone = [r.step for r in story.records() if isinstance(r, Succeeded) and r.step.endswith("undo")]
    assert undone == ["step#1.b.undo", "step#1.a.undo"]
