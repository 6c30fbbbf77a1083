"""Runs that are let go, or looked at, while their sagas are undone."""

import time
from threading import Event

import pytest
import saga_tasks
from saga_stories import THREE, WAITS, cancelled, fresh_world, tale
from served_stories import go_on, served
from stories import NOON, HoldingExecutor, InlineExecutor, JumpClock, PatientClock

from flowrt.record import Retrying
from flowrt.why.why import why_run, why_step


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh_world(monkeypatch)


def test_a_run_is_parked_while_an_undo_waits_to_be_tried_again() -> None:
    saga_tasks.BROKEN.add("c")
    saga_tasks.FLAKY["b"] = 2
    text = THREE.replace(
        "g.cancel(b)", "{call: g.cancel(b), retry: {max: 2, delay: 10m, cap: 1h, jitter: none}}"
    )
    # Attempts are dated by the worker, so the run's clock begins at the real time.
    story = served(text.replace("g.", "saga_tasks:"), clock=JumpClock(time.time_ns() // 1000))
    parked: list[int | None] = []

    def look(_: int) -> None:
        row = story.store.run("story")
        if row.owner is None and row.status == "waiting" and row.wake_at not in parked:
            parked.append(row.wake_at)

    go_on(story, look=look)
    assert saga_tasks.LOG == ["+a", "+b", "-b", "-a"]
    assert parked == [r.retry_at for r in story.records() if isinstance(r, Retrying)]
    assert len(parked) == 2


def test_a_parked_run_that_is_cancelled_is_undone_by_who_serves() -> None:
    story = served(WAITS.replace("timeout: 1h", "").replace("g.", "saga_tasks:"))
    go_on(story, done=lambda: story.store.run("story").status == "waiting")
    assert story.store.run("story").owner is None
    story.store.request_cancel("story", "enough", force=False)
    go_on(story)
    assert story.store.run("story").status == "cancelled"
    assert saga_tasks.LOG == ["+a", "+b", "+c", "-c", "-b", "-a"]


def test_a_run_that_is_suspended_while_it_undoes_goes_on_undoing() -> None:
    saga_tasks.BROKEN.add("c")
    executor = HoldingExecutor()
    story = tale(THREE, executor=executor)
    story.start()
    interrupt = Event()

    class Until(JumpClock):
        def timeout_s(self, until: int) -> float:  # noqa: ARG002
            held = [key.step for key in executor.held]
            if held == ["trip.a.undo"]:
                interrupt.set()
            else:
                executor.let_go(held[0])
            return 0.0

    story.clock = Until()
    assert story.drive(interrupt=interrupt).status == "suspended"
    assert saga_tasks.LOG == ["+a", "+b", "-b"]
    story.executor, story.clock = InlineExecutor(), PatientClock()
    assert story.drive().status == "failed"
    assert saga_tasks.LOG == ["+a", "+b", "-b", "-a"]
    assert [key.step for key in story.executor.made] == ["trip.a.undo"]


def test_why_tells_what_is_undone_and_what_is_not() -> None:
    saga_tasks.BROKEN |= {"c", "-a"}
    executor = HoldingExecutor()
    story = tale(THREE, executor=executor)
    story.start()
    interrupt = Event()

    class Until(JumpClock):
        def timeout_s(self, until: int) -> float:  # noqa: ARG002
            held = [key.step for key in executor.held]
            if held == ["trip.b.undo"]:
                interrupt.set()
            else:
                executor.let_go(held[0])
            return 0.0

    def why(step: str) -> list[str]:
        return why_step(story.store, "story", step, NOON)

    story.clock = Until()
    story.drive(interrupt=interrupt)
    told = why_run(story.store, "story", NOON)
    assert "saga `trip` is being undone: 1 more undos follow the one that is open" in told
    assert why("trip.a.undo")[1] == "`trip` is being undone, and undos of later steps come first"
    assert why("trip.c.undo")[1] == "`trip.c` failed, so there is nothing to undo"
    story.executor, story.clock = InlineExecutor(), PatientClock()
    story.drive()
    assert "what it did is taken back: step `trip.b.undo` succeeded" in why("trip.b")
    assert "what it did is taken back: step `trip.a.undo` failed" in why("trip.a")
    assert "other steps that failed: `trip.a.undo`" in why_run(story.store, "story", NOON)


def test_why_tells_that_a_saga_ended_well_and_what_a_cancelled_run_did_not_undo() -> None:
    story = tale(THREE)
    story.play()
    assert why_step(story.store, "story", "trip.a.undo", NOON) == [
        "step `trip.a.undo` was not started",
        "`trip` ended well, so what it did stays",
    ]
    saga_tasks.BROKEN |= {"-a"}
    story, _ = cancelled(THREE, "trip.a")
    assert "The undo of `trip.a` failed: RuntimeError: a cannot be undone" in why_run(
        story.store, "story", NOON
    )
