"""What every executor does: the same suite for threads and for a real Ray."""

import threading
import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

import pytest

from flowrt.encoding.values import Values
from flowrt.executor.local import LocalExecutor
from flowrt.executor.port import (
    Attempt,
    AttemptKey,
    Executor,
    Halted,
    Lost,
    Outcome,
    Raised,
    Returned,
    RunFacts,
)
from flowrt.executor.ray import RayExecutor
from flowrt.expr.tree import Const, Expr, Name
from flowrt.program import Imported, Retry, Task
from flowrt.store.blobs import LocalBlobs
from flowrt.value import Blob, Handle, Inline

HERE = str(Path(__file__).parent)
RUN = RunFacts("run-1", "etl", 0, {"team": "blue"}, 7, [HERE])


class Bench:
    """Submits attempts and gathers what is reported; a second report for an attempt is remembered."""

    def __init__(self, executor: Executor, root: Path) -> None:
        self.executor = executor
        self.blobs = LocalBlobs(root)
        self.values = Values(self.blobs)
        self.outcomes: dict[AttemptKey, Outcome] = {}
        self.twice: list[AttemptKey] = []
        self.changed = threading.Condition()
        self.numbers = count()
        executor.start(self.report, self.blobs)

    def report(self, key: AttemptKey, outcome: Outcome) -> None:
        with self.changed:
            if key in self.outcomes:
                self.twice.append(key)
            self.outcomes[key] = outcome
            self.changed.notify_all()

    def attempt(
        self,
        name: str,
        *args: object,
        env: Mapping[str, Handle] | None = None,
        timeout_s: float | None = None,
        heartbeat_s: float | None = None,
        **task: object,
    ) -> Attempt:
        written: tuple[Expr, ...] = tuple(a if isinstance(a, Name) else Const(a) for a in args)
        key = AttemptKey("run-1", f"step[{next(self.numbers)}]", 1)
        path = name if ":" in name else f"executor_tasks:{name}"
        return Attempt(
            key, Task(Imported(path), written, **task), env or {}, RUN, {}, timeout_s, None, heartbeat_s
        )

    def submit(self, *attempts: Attempt) -> None:
        self.executor.submit(attempts)

    def wait(self, *attempts: Attempt, within: float = 30.0) -> list[Outcome]:
        with self.changed:
            done = self.changed.wait_for(lambda: all(a.key in self.outcomes for a in attempts), within)
            assert done, [a for a in attempts if a.key not in self.outcomes][:3]
            return [self.outcomes[a.key] for a in attempts]

    def make(self, *attempts: Attempt, within: float = 30.0) -> list[Outcome]:
        self.submit(*attempts)
        return self.wait(*attempts, within=within)

    def load(self, outcome: Outcome) -> object:
        assert isinstance(outcome, Returned), outcome
        return self.values.load(outcome.value)


@pytest.fixture(scope="module", params=["local", pytest.param("ray", marks=pytest.mark.ray)])
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    if request.param == "local":
        executor: Executor = LocalExecutor(threads=2)
    else:
        executor = RayExecutor(num_cpus=2)
    made = Bench(executor, tmp_path_factory.mktemp("blobs"))
    yield made
    executor.close()
    assert made.twice == []


def test_returns(bench: Bench) -> None:
    value = bench.values.record(41)
    (outcome,) = bench.make(bench.attempt("inc", Name("x"), env={"x": value}))
    assert bench.load(outcome) == 42


def test_many_are_each_reported(bench: Bench) -> None:
    attempts = [bench.attempt("inc", number) for number in range(500)]
    outcomes = bench.make(*attempts)
    assert [bench.load(outcome) for outcome in outcomes] == list(range(1, 501))


def test_failures_and_successes_side_by_side(bench: Bench) -> None:
    policy = Retry(Const(1), Const(None), Const(2), Const(None), catch=("OSError", "ValueError"))
    attempts = [
        bench.attempt("fail", "no luck", retry=policy) if number % 3 == 0 else bench.attempt("same", number)
        for number in range(60)
    ]
    for number, outcome in enumerate(bench.make(*attempts)):
        if number % 3 == 0:
            assert isinstance(outcome, Raised)
            assert outcome.retryable
            assert (outcome.failure.type, outcome.failure.message) == ("executor_tasks.Busy", "no luck")
            assert outcome.failure.caught == ("OSError",)
            assert outcome.failure.step == attempts[number].key.step
        else:
            assert bench.load(outcome) == number


def test_a_large_value_goes_on(bench: Bench) -> None:
    (made,) = bench.make(bench.attempt("array", 50_000))
    assert isinstance(made, Returned)
    assert isinstance(made.value, Blob)
    assert len(bench.blobs.get(made.value.digest)) == made.value.size
    (outcome,) = bench.make(bench.attempt("total", Name("x"), env={"x": made.value}))
    assert bench.load(outcome) == 50_000 * 49_999 / 2


def test_the_context(bench: Bench) -> None:
    attempt = bench.attempt("where")
    (outcome,) = bench.make(attempt)
    step = attempt.key.step
    assert bench.load(outcome) == ["run-1", step, 1, f"run-1/{step}", 7, {"team": "blue"}]


@pytest.mark.parametrize(("name", "args"), [("nap", (60,)), ("late", ())])
def test_time_is_up(bench: Bench, name: str, args: tuple[object, ...]) -> None:
    began = time.monotonic()
    policy = Retry(Const(1), Const(None), Const(2), Const(None), catch=("TimeoutError",))
    (outcome,) = bench.make(bench.attempt(name, *args, timeout_s=0.3, retry=policy))
    assert isinstance(outcome, Raised)
    assert outcome.failure.type == "TimeoutError"
    assert "its timeout of 0.3 s" in outcome.failure.message
    assert outcome.failure.caught == ("TimeoutError",)
    assert outcome.retryable
    assert time.monotonic() - began < 10


def test_in_time(bench: Bench) -> None:
    outcomes = bench.make(*(bench.attempt("nap", 0.01, value, timeout_s=20.0) for value in range(3)))
    assert [bench.load(outcome) for outcome in outcomes] == [0, 1, 2]


@pytest.mark.parametrize("name", ["beat", "beat_from_thread"])
def test_a_heart_that_beats(bench: Bench, name: str) -> None:
    (outcome,) = bench.make(bench.attempt(name, 6, 0.2, heartbeat_s=0.8))
    assert bench.load(outcome) == 6


def test_a_heart_that_stops(bench: Bench) -> None:
    began = time.monotonic()
    policy = Retry(Const(1), Const(None), Const(2), Const(None), catch=("TimeoutError",))
    stopping = bench.attempt("silent", 3, 0.2, 60, heartbeat_s=0.5, retry=policy)
    others = [bench.attempt("inc", number) for number in range(20)]
    outcome, *rest = bench.make(stopping, *others)
    assert isinstance(outcome, Raised)
    assert outcome.failure.type == "TimeoutError"
    assert (
        "did not call `flowrt.heartbeat()` for longer than its heartbeat of 0.5 s" in outcome.failure.message
    )
    assert outcome.failure.caught == ("TimeoutError",)
    assert outcome.retryable
    assert time.monotonic() - began < 10
    assert [bench.load(one) for one in rest] == list(range(1, 21))


def test_a_timeout_beside_a_heartbeat(bench: Bench) -> None:
    (outcome,) = bench.make(bench.attempt("beat", 300, 0.1, timeout_s=0.7, heartbeat_s=5.0))
    assert isinstance(outcome, Raised)
    assert "its timeout of 0.7 s" in outcome.failure.message


@pytest.mark.parametrize("force", [False, True])
def test_what_waits_is_stopped_at_once(bench: Bench, force: bool) -> None:
    running = [bench.attempt("nap", 0.5) for _ in range(4)]
    waiting = [bench.attempt("same", 1) for _ in range(3)]
    waiting += [bench.attempt("nap", 30) for _ in range(30)]
    bench.submit(*running, *waiting)
    for attempt in waiting:
        bench.executor.stop(attempt.key, force=force)
    for outcome in bench.wait(*waiting, within=10):
        assert outcome == Halted() or isinstance(outcome, Returned)
    assert all(outcome == Halted() for outcome in bench.wait(*waiting)[-20:])
    assert all(isinstance(outcome, Returned) for outcome in bench.wait(*running))


def test_what_runs_is_stopped_by_force(bench: Bench, tmp_path: Path) -> None:
    attempt = bench.attempt("note", str(tmp_path / "began"), "began", 60)
    bench.submit(attempt)
    _await_file(tmp_path / "began")
    bench.executor.stop(attempt.key, force=True)
    assert bench.wait(attempt, within=10) == [Halted()]
    (outcome,) = bench.make(bench.attempt("inc", 1))
    assert bench.load(outcome) == 2


def test_what_is_done_cannot_be_stopped(bench: Bench) -> None:
    attempt = bench.attempt("inc", 1)
    (outcome,) = bench.make(attempt)
    bench.executor.stop(attempt.key, force=True)
    bench.executor.stop(AttemptKey("run-1", "nobody", 1), force=False)
    bench.make(bench.attempt("inc", 1))
    assert bench.outcomes[attempt.key] is outcome
    assert bench.twice == []


def test_what_cannot_be_imported(bench: Bench) -> None:
    outcomes = bench.make(*(bench.attempt("executor_tasks:incc") for _ in range(5)))
    for outcome in outcomes:
        assert isinstance(outcome, Raised)
        assert not outcome.retryable
        assert "did you mean `inc`?" in outcome.failure.message


@pytest.mark.parametrize("name", ["leave", "ctrl_c"])
def test_what_would_end_a_process(bench: Bench, name: str) -> None:
    outcomes = bench.make(bench.attempt(name), bench.attempt("inc", 1))
    assert isinstance(outcomes[0], Raised)
    assert not outcomes[0].retryable
    assert bench.load(outcomes[1]) == 2


def test_a_step_that_ends_its_process_is_a_lost_attempt(bench: Bench) -> None:
    outcomes = bench.make(bench.attempt("exit_at_once"), bench.attempt("inc", 1))
    assert isinstance(outcomes[0], Lost), outcomes
    assert bench.load(outcomes[1]) == 2
    (outcome,) = bench.make(bench.attempt("exit_in_a_child"))
    assert bench.load(outcome) == 4


def test_small_results_travel_inline(bench: Bench) -> None:
    (outcome,) = bench.make(bench.attempt("same", "x" * 1000))
    assert isinstance(outcome, Returned)
    assert isinstance(outcome.value, Inline)


def _await_file(path: Path, within: float = 20.0) -> str:
    end = time.monotonic() + within
    while time.monotonic() < end:
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.01)
    raise AssertionError(f"{path} did not appear")


# Listeners.


def listener(bench: Bench, *args: object, name: str = "Feed", **parts: object) -> Attempt:
    return bench.attempt(f"executor_tasks:{name}.poll_for_event", *args, listener=True, **parts)


def test_a_thousand_listeners_wait_side_by_side(bench: Bench) -> None:
    bench.make(listener(bench, 0))
    large = bench.values.record(list(range(50_000)))
    waiting = [listener(bench, number, "", 1) for number in range(1_000)]
    began = time.monotonic()
    bench.submit(*waiting)
    first, second = bench.make(listener(bench, Name("x"), env={"x": large}), bench.attempt("inc", 1))
    assert bench.load(first) == list(range(50_000))
    assert bench.load(second) == 2  # No slot is taken by what waits.
    outcomes = bench.wait(*waiting, within=60)
    assert sorted(bench.load(outcome) for outcome in outcomes) == list(range(1_000))
    assert time.monotonic() - began < 40


@pytest.mark.parametrize("force", [False, True])
def test_a_listener_is_stopped(bench: Bench, tmp_path: Path, force: bool) -> None:
    note = tmp_path / "note"
    stopped, other = listener(bench, 1, str(note), 60), listener(bench, 2, "", 1)
    bench.submit(stopped, other)
    _await_file(note)
    bench.executor.stop(stopped.key, force=force)
    assert bench.wait(stopped, within=10) == [Halted()]
    assert bench.load(bench.wait(other)[0]) == 2
    _await_file(note)
    assert note.read_text().endswith("ended\n")


def test_a_listener_that_is_deaf_ends_by_force(bench: Bench, tmp_path: Path) -> None:
    deaf = listener(bench, str(tmp_path / "deaf"), name="DeafFeed")
    bench.submit(deaf, listener(bench, 1))
    bench.make(listener(bench, 1))
    bench.executor.stop(deaf.key, force=False)
    _await_file(tmp_path / "deaf")
    bench.executor.stop(deaf.key, force=True)
    assert bench.wait(deaf, within=20) == [Halted()]


def test_what_is_no_listener(bench: Bench) -> None:
    wrong, none, unknown = bench.make(
        listener(bench, name="WrongFeed"), listener(bench, name="nap"), listener(bench, name="Fed")
    )
    for outcome, message in (
        (wrong, "write `async def poll_for_event`"),
        (none, "`executor_tasks:nap` is no listener: it has no method `poll_for_event`"),
        (unknown, "did you mean `Feed`?"),
    ):
        assert isinstance(outcome, Raised)
        assert message in outcome.failure.message
        assert "thread.py" not in outcome.failure.traceback


def test_what_is_checkpointed_is_a_task_like_others(bench: Bench) -> None:
    attempts = [
        bench.attempt(f"executor_tasks:{name}.event_checkpointed", 1, listener=True)
        for name in ("Feed", "WrongFeed")
    ]
    assert [bench.load(outcome) for outcome in bench.make(*attempts)] == [None, None]
