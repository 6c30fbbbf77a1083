"""G9: when a cancel returns, its run knows of it; tasks get five seconds to end, or none."""

from collections.abc import Sequence

import pytest
from stories import HOUR, NOON, HoldingExecutor, JumpClock, Story, story_of

from flowrt.encoding.pack import encode_record
from flowrt.engine.cancelling import cancel
from flowrt.engine.drive import drive
from flowrt.engine.pace import Pace
from flowrt.executor.port import Attempt, AttemptKey
from flowrt.record import CancelRequested
from flowrt.store.owner import this_owner
from flowrt.store.rows import Batch

SECOND = 1_000_000
TASKS = """
flow: f
steps:
  - id: a
    call: s.text("a")
  - id: b
    call: s.text(a)
"""


class ShortClock(JumpClock):
    """Jumps for a minute and no further: a task that is never stopped fails the test and does not hang it."""

    def timeout_s(self, until: int) -> float:
        assert self.at < NOON + 60 * SECOND, "nobody has stopped the task"
        return super().timeout_s(until)


class Stubborn(HoldingExecutor):
    """Holds what it is given until it is stopped by force, and notes who asked for what, and when."""

    def __init__(self, *, force: bool, again: bool = False) -> None:
        super().__init__()
        self.force, self.again = force, again
        self.story: Story
        self.stops: list[tuple[int, bool]] = []

    def submit(self, attempts: Sequence[Attempt]) -> None:
        super().submit(attempts)
        self.story.store.request_cancel("story", "enough", force=self.force)

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        self.stops.append((self.story.clock.now(), force))
        if force:
            super().stop(key, force=force)
        elif self.again:
            self.story.store.request_cancel("story", "now", force=True)


def cancelled(executor: Stubborn) -> list[tuple[int, bool]]:
    """A run that is cancelled while its first task runs: what the executor was told, at seconds from then."""
    story = story_of(TASKS, executor=executor, clock=ShortClock())
    executor.story = story
    story.start()
    pace = Pace(renew_us=HOUR, news_us=SECOND)
    result = drive(story.store, story.blobs, executor, ["story"], clock=story.clock, pace=pace)["story"]
    assert result.status == "cancelled"
    first = executor.stops[0][0]
    return [((at - first) // SECOND, force) for at, force in executor.stops]


def test_a_task_has_five_seconds_to_end_and_is_then_stopped_by_force() -> None:
    assert cancelled(Stubborn(force=False)) == [(0, False), (5, True)]


def test_a_task_is_stopped_by_force_at_once_when_that_is_asked_for() -> None:
    assert cancelled(Stubborn(force=True)) == [(0, True)]


def test_force_may_be_asked_for_later() -> None:
    [asked, (late, force), *_] = cancelled(Stubborn(force=False, again=True))
    assert asked == (0, False)
    assert (late < 5, force) == (True, True)


@pytest.mark.parametrize("looks", [1, 4])
def test_a_cancel_returns_when_the_owner_of_the_run_has_recorded_it_and_not_before(looks: int) -> None:
    story = story_of(TASKS)
    story.start()
    epoch = story.store.claim("story", this_owner(), NOON, NOON + HOUR)
    looked: list[float] = []

    def pause(length: float) -> None:
        looked.append(length)
        assert len(looked) <= looks, "it was recorded"
        if len(looked) == looks:
            heard = CancelRequested(NOON, "enough", force=False)
            assert not story.store.append([Batch("story", epoch, 1, [encode_record(heard)])])

    assert cancel(story.store, "story", "enough", clock=story.clock, pause=pause) is True
    assert len(looked) == looks
