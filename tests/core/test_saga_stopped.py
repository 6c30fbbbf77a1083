"""Sagas that are stopped: by a cancel in each phase, by time, by what is around; cut after every record."""

from collections.abc import Callable, Sequence

import pytest
import saga_tasks
from saga_stories import THREE, WAITS, Cancels, cancelled, fresh_world, tale, watched
from stories import HoldingExecutor, JumpClock, Story, copy_first

from flowrt.engine.drive import RunResult
from flowrt.executor.port import Attempt, AttemptKey
from flowrt.record import CancelRequested, Succeeded


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh_world(monkeypatch)


@pytest.mark.parametrize(
    ("at", "log"),
    [
        ("trip.a", ["+a", "-a"]),
        ("trip.b", ["+a", "+b", "-b", "-a"]),
        ("trip.c", ["+a", "+b", "+c", "-c", "-b", "-a"]),
    ],
)
def test_a_cancel_undoes_what_is_completed_and_starts_nothing_else(at: str, log: list[str]) -> None:
    story, result = cancelled(THREE, at)
    assert (result.status, result.failure) == ("cancelled", None)
    assert log == saga_tasks.LOG
    assert len([r for r in story.records() if isinstance(r, Succeeded)]) == len(log)


def test_a_cancel_before_anything_is_completed_undoes_nothing() -> None:
    executor = HoldingExecutor()
    story = tale(THREE, executor=executor)
    story.start()
    story.store.request_cancel("story", "enough", force=False)
    assert watched(story).status == "cancelled"
    assert saga_tasks.LOG == []


@pytest.mark.parametrize("times", [1, 2])
def test_a_cancel_while_undoing_stops_no_undo_not_even_by_force(times: int) -> None:
    """The first undo is under way when somebody asks; who asks again, with force, asks in vain."""
    saga_tasks.BROKEN.add("end")
    text = THREE.replace('g.look("end")', 'g.book("end")').replace(
        "undo: g.cancel(c)", "undo: {call: g.cancel(c), retry: {max: 3, delay: 1s}}"
    )
    saga_tasks.FLAKY["c"] = times
    story, result = cancelled(text, "trip.c.undo", times)
    assert result.status == "cancelled"
    assert saga_tasks.LOG == ["+a", "+b", "+c", "-c", "-b", "-a"]
    assert story.executor.stops == []
    assert len([r for r in story.records() if isinstance(r, CancelRequested)]) == 1


class HeldUndo(HoldingExecutor):
    """Makes each step at once, and holds the first undo until somebody asked for force and was heard."""

    story: Story
    forced_stops: int = 0

    def submit(self, attempts: Sequence[Attempt]) -> None:
        super().submit(attempts)
        for key in list(self.held):
            if key.step == "trip.b":
                self.story.store.request_cancel("story", "enough", force=False)
            if key.step == "trip.b.undo":
                self.story.store.request_cancel("story", "now", force=True)
            else:
                self.let_go(key.step)

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        self.forced_stops += 1
        super().stop(key, force=force)


class LetsGo(JumpClock):
    """Lets go of the undo when the engine has looked around a few times."""

    executor: HeldUndo
    looks = 0

    def timeout_s(self, until: int) -> float:
        self.looks += 1
        if self.looks == 5:
            self.executor.let_go("trip.b.undo")
        return super().timeout_s(until) + 0.01


def test_an_undo_that_is_under_way_is_not_stopped_by_force() -> None:
    executor, clock = HeldUndo(), LetsGo()
    story = executor.story = tale(THREE, executor=executor, clock=clock)
    clock.executor = executor
    story.start()
    assert watched(story).status == "cancelled"
    assert executor.forced_stops == 0
    assert saga_tasks.LOG == ["+a", "+b", "-b", "-a"]


def test_a_cancelled_run_tells_of_undos_that_failed() -> None:
    saga_tasks.BROKEN |= {"-a", "-b"}
    _, result = cancelled(THREE, "trip.b")
    assert result.status == "cancelled"
    assert result.failure is not None
    assert result.failure.type == "flowrt.UndoFailed"
    assert result.failure.message.splitlines() == [
        "The run was cancelled, and not all that it had done was undone.",
        "The undo of `trip.b` failed: RuntimeError: b cannot be undone",
        "The undo of `trip.a` failed: RuntimeError: a cannot be undone",
    ]


def test_a_run_whose_time_is_up_is_undone() -> None:
    story = tale(WAITS)
    result = story.play()
    assert (result.status, result.failure.type) == ("failed", "flowrt.RunTimedOut")
    assert saga_tasks.LOG == ["+a", "+b", "+c", "-c", "-b", "-a"]


AROUND = """
flow: f
steps:
  - graph:
      trip:
        saga:
          - id: a
            call: g.book("a")
            undo: g.cancel(a)
          - sleep: 5d
      other:
        do:
          - sleep: 1h
          - fail: the other one failed
"""


def test_a_saga_that_a_graph_stops_is_undone_and_the_failure_names_what_is_not() -> None:
    story = tale(AROUND)
    assert story.play().failure.message == "the other one failed"
    assert saga_tasks.LOG == ["+a", "-a"]
    saga_tasks.BROKEN.add("-a")
    told = tale(AROUND).play().failure.message
    assert told.splitlines()[1:] == ["The undo of `step#1.trip.a` failed: RuntimeError: a cannot be undone"]


NEED = """
flow: f
steps:
  - for: n in [1, 2, 3]
    parallel: 3
    need: 1
    do:
      - saga:
          - id: a
            call: g.book(f"a{n}")
            undo: g.cancel(a)
          - sleep: ${{ duration("1h") * n }}
  - call: g.look("after")
"""


def test_bodies_that_are_not_needed_are_undone_before_the_loop_ends() -> None:
    assert tale(NEED).play().status == "succeeded"
    assert saga_tasks.LOG[:3] == ["+a1", "+a2", "+a3"]
    assert sorted(saga_tasks.LOG[3:5]) == ["-a2", "-a3"]
    assert saga_tasks.LOG[5:] == ["?after"]


# Cut after every record


PARALLEL = """
flow: f
steps:
  - saga:
      - id: first
        call: g.book("first")
        undo: g.cancel(first)
      - for: n in ["a", "b"]
        parallel: 2
        do:
          - id: x
            call: g.book(n)
            undo: {call: g.cancel(x), retry: 2}
          - saga:
              - id: y
                call: g.book(f"{n}{n}")
                undo: g.cancel(y, n)
      - call: g.book("end")
"""


def cuts(story: Story, end: Callable[[Story], RunResult]) -> None:
    """Resume after each record: nothing recorded is made again, and what is missing is done, and undone."""
    records, log, failure = story.records(), sorted(saga_tasks.LOG), story.drive().failure
    for count in range(1, len(records)):
        saga_tasks.LOG.clear()
        cut = copy_first(story, count)
        done = {record.step for record in records[:count] if isinstance(record, Succeeded)}
        result = end(cut)
        assert (result.status, result.failure) == (records[-1].status, failure), f"after {count} records"
        again = {key.step for key in cut.executor.made} & done
        assert not again, f"after {count} records these ran again: {again}"
        made = {r.step for r in cut.records() if isinstance(r, Succeeded)}
        assert made == {r.step for r in records if isinstance(r, Succeeded)}, f"after {count} records"
        undos = [r.step for r in cut.records() if isinstance(r, Succeeded) and r.step.endswith(".undo")]
        assert len(undos) == len(set(undos))
        assert set(saga_tasks.LOG) <= set(log)


def test_a_failed_saga_is_cut_after_every_record() -> None:
    saga_tasks.BROKEN |= {"end", "-b"}
    story = tale(PARALLEL)
    assert story.play().status == "failed"
    assert len(saga_tasks.LOG) == 9
    cuts(story, Story.drive)


def test_a_cancelled_saga_is_cut_after_every_record() -> None:
    story, result = cancelled(THREE, "trip.b")
    assert result.status == "cancelled"
    heard = next(i for i, r in enumerate(story.records()) if isinstance(r, CancelRequested))

    def end(cut: Story) -> RunResult:
        if len(cut.records()) <= heard:
            cut.executor = Cancels("trip.b")
            cut.executor.story = cut
            if any(isinstance(r, Succeeded) and r.step == "trip.b" for r in cut.records()):
                cut.store.request_cancel("story", "enough", force=True)
        return watched(cut)

    cuts(story, end)
