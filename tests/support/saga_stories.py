"""Stories of sagas. In: the text of a flow whose tasks are `g.book` and others. Out: a story."""

from collections.abc import Sequence

import pytest
import saga_tasks
from stories import HOUR, InlineExecutor, Story, story_of

from flowrt.engine.drive import RunResult, drive
from flowrt.engine.pace import Pace
from flowrt.executor.port import Attempt, AttemptKey


def fresh_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all go well, and nothing have been done."""
    for name, fresh in (("LOG", []), ("KEYS", []), ("BROKEN", set()), ("FLAKY", {})):
        monkeypatch.setattr(saga_tasks, name, fresh)


def tale(text: str, **parts: object) -> Story:
    """A story whose tasks are those of sagas, under the alias `g`."""
    return story_of(text.replace("g.", "saga_tasks:"), **parts)


THREE = """
flow: f
steps:
  - id: trip
    saga:
      - id: a
        call: g.book("a")
        undo: g.cancel(a)
      - id: b
        call: g.book("b")
        undo: g.cancel(b)
      - id: c
        call: g.book("c")
        undo: g.cancel(c)
      - call: g.look("end")
"""


class Cancels(InlineExecutor):
    """Asks for the run to be cancelled when it is given a certain step; so often, the last time by force."""

    def __init__(self, at: str, times: int = 1) -> None:
        super().__init__()
        self.at, self.times = at, times
        self.story: Story
        self.stops: list[tuple[AttemptKey, bool]] = []

    def submit(self, attempts: Sequence[Attempt]) -> None:
        if self.times and any(attempt.key.step == self.at for attempt in attempts):
            self.times -= 1
            self.story.store.request_cancel("story", "enough", force=not self.times)
        super().submit(attempts)

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        self.stops.append((key, force))


def watched(story: Story) -> RunResult:
    """Drive a run with an engine that looks at once for what is asked of it."""
    pace = Pace(renew_us=HOUR, news_us=0)
    return drive(story.store, story.blobs, story.executor, ["story"], clock=story.clock, pace=pace)["story"]


def cancelled(text: str, at: str, times: int = 1) -> tuple[Story, RunResult]:
    executor = Cancels(at, times)
    story = executor.story = tale(text, executor=executor)
    story.start()
    return story, watched(story)


WAITS = THREE.replace('call: g.look("end")', "sleep: 30d").replace("steps:", "timeout: 1h\nsteps:")
