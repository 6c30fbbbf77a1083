"""The executor on a real Ray under fire: time-outs, stops and deaths, each with its neighbours unharmed."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from executor_bench import Bench, await_lines

from flowrt.executor.port import Attempt, Halted, Lost, Outcome, Raised, Returned
from flowrt.expr.tree import Const, Name
from flowrt.program import Retry

pytestmark = pytest.mark.ray

HERE = str(Path(__file__).parent)
FREE = {"num_cpus": 0}
RETRY = Retry(Const(1), Const(None), Const(2), Const(None), catch=("TimeoutError",))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("blobs"))
    yield made
    made.executor.close()
    assert made.twice == []


def fire(bench: Bench, name: str, *args: object, **said: object) -> Attempt:
    return bench.attempt(f"fire_tasks:{name}", *args, place=HERE, **said)


def private_bytes() -> int:
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith("Private_"))


def gone(pid: int, within: float = 15.0) -> bool:
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def assert_timed_out(outcome: Outcome, said: str) -> None:
    assert isinstance(outcome, Raised), outcome
    assert outcome.failure.type == "TimeoutError", outcome
    assert said in outcome.failure.message, outcome
    assert outcome.failure.caught == ("TimeoutError",), outcome
    assert outcome.retryable


# Time.


@pytest.mark.slow
def test_whatever_an_attempt_is_doing_its_time_is_up_and_its_neighbours_are_not_harmed(
    bench: Bench, tmp_path: Path
) -> None:
    began = time.monotonic()
    said = {"options": FREE, "retry": RETRY}
    late = [
        fire(bench, "fork_and_sleep", str(tmp_path / "child"), 30, timeout_s=0.5, **said),
        fire(bench, "run_child", 60, timeout_s=1.0, **said),
        fire(bench, "swallow_and_return", 60, timeout_s=0.5, **said),
        fire(bench, "swallow_and_raise", 60, timeout_s=0.5, **said),
        bench.attempt("swallow", 60, timeout_s=0.5, **said),
        bench.attempt("sleep_deaf", 60, timeout_s=0.5, **said),
        bench.attempt("multiply", 20_000, timeout_s=1.0, **said),
    ]
    silent = [
        bench.attempt("sleep_deaf", 60, heartbeat_s=0.5, **said),
        bench.attempt("backtrack", heartbeat_s=0.5, **said),
    ]
    frozen = fire(bench, "stop_yourself", str(tmp_path / "pid"), timeout_s=0.5, **said)
    # It waits for its turn longer than its bound and the worker's grace; then its worker is killed.
    blocking = [bench.attempt("nap", 12.0) for _ in range(2)]
    bench.executor.submit(blocking)
    time.sleep(0.5)
    killed = fire(bench, "die", "kill", timeout_s=6.0)
    neighbours = [bench.attempt("nap", 0.1, number, options={"num_cpus": 0.01}) for number in range(40)]
    bench.executor.submit([*late, *silent, frozen, killed, *neighbours])
    assert [bench.load(one) for one in bench.wait(*neighbours)] == list(range(40))
    for outcome in bench.wait(*late, frozen, within=60):
        assert_timed_out(outcome, "longer than its timeout of ")
    for outcome in bench.wait(*silent, within=60):
        assert_timed_out(outcome, "longer than its heartbeat of 0.5 s")
    (outcome,) = bench.wait(killed)
    assert isinstance(outcome, Lost), outcome
    assert gone(int(await_lines(tmp_path / "pid")[0]))
    assert time.monotonic() - began < 90


# Stopping.


def test_a_frozen_worker_is_given_up_and_found_and_its_batch_goes_on(bench: Bench, tmp_path: Path) -> None:
    bench.make(*(fire(bench, "stop_if", False, "", number) for number in range(300)))
    path = tmp_path / "pid"
    attempts = [fire(bench, "stop_if", number == 23, str(path), number) for number in range(60)]
    bench.executor.submit(attempts)
    pid = int(await_lines(path)[0])
    bench.executor.stop(attempts[23].key, force=False)
    time.sleep(0.3)
    began = time.monotonic()
    bench.executor.stop(attempts[23].key, force=True)
    assert bench.wait(attempts[23]) == [Halted()]
    assert time.monotonic() - began < 6
    others = [attempt for attempt in attempts if attempt is not attempts[23]]
    outcomes = bench.wait(*others)
    assert [bench.load(one) for one in outcomes] == [number for number in range(60) if number != 23]
    assert gone(pid)


def test_a_stop_by_force_of_what_nothing_can_run(bench: Bench) -> None:
    hopeless = bench.attempt("inc", 1, options={"num_gpus": 1})
    bench.executor.submit([hopeless])
    time.sleep(0.5)
    began = time.monotonic()
    bench.executor.stop(hopeless.key, force=True)
    assert bench.wait(hopeless) == [Halted()]
    assert time.monotonic() - began < 5


# Dying.


@pytest.mark.slow
def test_whatever_kills_a_worker_costs_it_an_attempt_and_its_neighbours_nothing(bench: Bench) -> None:
    bench.make(*(fire(bench, "die_if", False, "", number) for number in range(200)))
    deaths = {11: "exit", 17: "segfault", 31: "abort", 43: "kill", 59: "memory"}
    attempts = [fire(bench, "die_if", number in deaths, deaths.get(number), number) for number in range(64)]
    for number, outcome in enumerate(bench.make(*attempts)):
        if number in deaths:
            assert isinstance(outcome, Lost), outcome
        else:
            assert bench.load(outcome) == number


def test_a_child_that_comes_back_is_no_second_worker(bench: Bench, tmp_path: Path) -> None:
    forking = [fire(bench, "fork_and_return", str(tmp_path / f"{n}")) for n in range(4)]
    assert [bench.load(outcome) for outcome in bench.make(*forking)] == ["from the parent"] * 4
    assert [(tmp_path / f"{n}").read_text() for n in range(4)] == ["0\n"] * 4


# References.


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("nested", {"a": [1, (2,)]}),
        ("of references", [3]),
        ("generator", [7, 8]),
        ("dataclass", 4),
        ("array", [5, 6]),
        ("of a generator", [0, 1]),
    ],
)
def test_references_in_a_result_are_values_in_the_record(bench: Bench, kind: str, value: object) -> None:
    (outcome,) = bench.make(fire(bench, "references", kind, options=FREE))
    assert isinstance(outcome, Returned), outcome
    if kind == "dataclass":
        read = fire(bench, "unboxed", Name("x"), env={"x": outcome.value})
        (outcome,) = bench.make(read)
    loaded = bench.load(outcome)
    assert (loaded.tolist() if kind == "array" else loaded) == value


def test_a_reference_that_fails_or_never_ends_fails_the_step(bench: Bench) -> None:
    retry = replace(RETRY, catch=("TimeoutError", "OSError"))
    inside, top, never, actor = bench.make(
        fire(bench, "references", "failing", options=FREE, retry=retry),
        fire(bench, "references", "failing at the top", options=FREE, retry=retry),
        fire(bench, "references", "never", options=FREE, timeout_s=1.5, retry=RETRY),
        fire(bench, "references", "actor", options=FREE),
    )
    for failing in (inside, top):
        assert isinstance(failing, Raised), failing
        assert (failing.failure.type, failing.failure.message) == (
            "OSError",
            "in the referenced task",
        )
        assert failing.failure.caught == ("OSError",)
        assert failing.retryable
    assert_timed_out(never, "its timeout of 1.5 s")
    assert isinstance(actor, Raised), actor
    assert not actor.retryable
    assert "it holds a handle of an actor" in actor.failure.message


# Large values.


@pytest.mark.slow
def test_a_value_of_hundreds_of_megabytes_is_not_copied_for_its_readers(bench: Bench) -> None:
    size = 300 << 20
    mine = private_bytes()
    (made,) = bench.make(fire(bench, "big", size))
    assert isinstance(made, Returned)
    readers = [fire(bench, "look_at", Name("x"), env={"x": made.value}) for _ in range(4)]
    for outcome in bench.make(*readers):
        cost, total, copied = bench.load(outcome)
        assert cost < 30 << 20
        assert total > 0
        assert not copied
    assert private_bytes() - mine < 50 << 20
