"""The executor on a real Ray: workers that die, batches, interruptions, values by reference, options."""

import gc
import logging
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cloudpickle
import pytest
import ray
from executor_bench import HERE, Bench, await_lines, run_script

from flowrt.errors import ExecutorUnavailable
from flowrt.executor import dispatch
from flowrt.executor.port import Attempt, AttemptKey, Halted, Lost, Outcome, Raised, Returned
from flowrt.executor.ray import RayExecutor
from flowrt.expr.tree import Name
from flowrt.program import Imported, Pickled
from flowrt.store.blobs import LocalBlobs, MemoryBlobs
from flowrt.value import Blob, Element, Fields, Items

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("blobs"))
    yield made
    made.executor.close()
    assert made.twice == []


# Workers that die.


def test_a_killed_worker_is_a_lost_attempt(bench: Bench, tmp_path: Path) -> None:
    attempt = bench.attempt("note_pid", str(tmp_path / "pid"), 60)
    bench.executor.submit([attempt])
    os.kill(int(await_lines(tmp_path / "pid")[0]), signal.SIGKILL)
    (outcome,) = bench.wait(attempt)
    assert isinstance(outcome, Lost)
    assert outcome.reason


def test_listeners_of_a_killed_actor_are_lost_and_others_come_after_them(
    bench: Bench, tmp_path: Path
) -> None:
    def listener(note: str, seconds: float) -> Attempt:
        path = "executor_tasks:Feed.poll_for_event"
        plain = bench.attempt(path, 1, str(tmp_path / note), seconds)
        return replace(plain, task=replace(plain.task, listener=True))

    waiting = [listener("pid", 60) for _ in range(3)]
    bench.executor.submit(waiting)
    pids = set(await_lines(tmp_path / "pid", 3))
    assert len(pids) == 1, "they share a process"
    os.kill(int(pids.pop()), signal.SIGKILL)
    assert all(isinstance(outcome, Lost) for outcome in bench.wait(*waiting))
    [outcome] = bench.make(listener("next", 0))
    assert bench.load(outcome) == 1


def test_an_attempt_that_may_be_made_once_is_not_made_again_for_a_neighbours_sake(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "STRAY_S", 60.0)  # Whatever dies now may have been hit by mistake.
    other = bench.attempt("note_pid", str(tmp_path / "other"), 60)
    bench.executor.submit([other])
    await_lines(tmp_path / "other")
    bench.executor.stop(other.key, force=True)
    assert bench.wait(other) == [Halted()]
    plain = bench.attempt("note_pid", str(tmp_path / "pid"), 60)
    once = replace(plain, task=replace(plain.task, once=True))
    bench.executor.submit([once])
    os.kill(int(await_lines(tmp_path / "pid")[0]), signal.SIGKILL)
    [outcome] = bench.wait(once)
    assert isinstance(outcome, Lost)
    assert len(await_lines(tmp_path / "pid")) == 1


def test_a_step_that_kills_its_worker_takes_no_neighbour_with_it(bench: Bench) -> None:
    bench.grow("kill_if", False, "", 0)
    attempts = [bench.attempt("kill_if", number == 17, "", number) for number in range(60)]
    for number, outcome in enumerate(bench.make(*attempts)):
        if number == 17:
            assert isinstance(outcome, Lost)
        else:
            assert bench.load(outcome) == number


def test_a_batch_that_was_lost_once_is_made_again_without_a_report(bench: Bench, tmp_path: Path) -> None:
    bench.grow("kill_if", False, "", 0)
    marker = str(tmp_path / "marker")
    attempts = [bench.attempt("kill_if", number == 25, marker, number) for number in range(60)]
    assert [bench.load(outcome) for outcome in bench.make(*attempts)] == list(range(60))
    assert Path(marker).exists()


# Stopping.


@pytest.mark.parametrize("name", ["note", "note_spinning"])
def test_a_step_that_runs_is_interrupted(bench: Bench, tmp_path: Path, name: str) -> None:
    attempt = bench.attempt(name, str(tmp_path / "began"), "began", 60)
    bench.executor.submit([attempt])
    await_lines(tmp_path / "began")
    began = time.monotonic()
    bench.executor.stop(attempt.key, force=False)
    assert bench.wait(attempt, within=10) == [Halted()]
    assert time.monotonic() - began < 5


def test_a_deaf_step_ends_by_force(bench: Bench, tmp_path: Path) -> None:
    attempt = bench.attempt("note_deaf", str(tmp_path / "began"), 60)
    bench.executor.submit([attempt])
    await_lines(tmp_path / "began")
    bench.executor.stop(attempt.key, force=False)
    time.sleep(0.5)
    assert attempt.key not in bench.outcomes
    bench.executor.stop(attempt.key, force=True)
    assert bench.wait(attempt, within=10) == [Halted()]


def test_a_step_that_is_faster_than_its_stop_has_its_result(bench: Bench, tmp_path: Path) -> None:
    attempt = bench.attempt("note_deaf", str(tmp_path / "began"), 0.7)
    bench.executor.submit([attempt])
    await_lines(tmp_path / "began")
    bench.executor.stop(attempt.key, force=False)
    assert bench.load(bench.wait(attempt)[0]) == "deaf"


@pytest.mark.parametrize("force", [False, True])
def test_neighbours_of_a_stopped_step_are_made_again(bench: Bench, tmp_path: Path, force: bool) -> None:
    bench.grow("note", str(tmp_path / "warm"), "warm")
    path = tmp_path / "began"
    attempts = [
        bench.attempt("note", str(path), f"{number}", 60 if number in (3, 40) else 0) for number in range(60)
    ]
    bench.executor.submit(attempts)
    slow = [attempts[3], attempts[40]]
    for attempt, text in zip(slow, ("3", "40"), strict=True):
        end = time.monotonic() + 20
        while text not in path.read_text().split() if path.exists() else True:
            assert time.monotonic() < end
            time.sleep(0.01)
        bench.executor.stop(attempt.key, force=force)
    outcomes = bench.wait(*attempts)
    for number, outcome in enumerate(outcomes):
        if number in (3, 40):
            assert outcome == Halted()
        else:
            assert bench.load(outcome) == f"{number}"


def test_an_interruption_does_not_reach_the_next_step(bench: Bench, tmp_path: Path) -> None:
    for number in range(5):
        attempt = bench.attempt("note", str(tmp_path / f"{number}"), "began", 60)
        bench.executor.submit([attempt])
        await_lines(tmp_path / f"{number}")
        bench.executor.stop(attempt.key, force=False)
        others = [bench.attempt("same", value) for value in range(20)]
        assert [bench.load(outcome) for outcome in bench.make(*others)] == list(range(20))
        assert bench.wait(attempt) == [Halted()]


# Time.


def test_the_time_of_a_deaf_step_is_up_all_the_same(bench: Bench) -> None:
    """Two ways to be deaf: swallowing the error, and holding Python's lock."""
    began = time.monotonic()
    outcomes = bench.make(
        bench.attempt("swallow", 60, timeout_s=0.3), bench.attempt("backtrack", timeout_s=0.3), within=60
    )
    for outcome in outcomes:
        assert isinstance(outcome, Raised), outcome
        assert outcome.failure.type == "TimeoutError", outcome
        assert outcome.retryable
    assert time.monotonic() - began < 20


def test_the_time_of_a_worker_that_dies_early_is_not_up(bench: Bench) -> None:
    (outcome,) = bench.make(bench.attempt("kill_worker", timeout_s=30.0))
    assert isinstance(outcome, Lost)


# Large values.


def test_a_large_value_goes_on_by_reference(bench: Bench) -> None:
    (made,) = bench.make(bench.attempt("array", 200_000))
    assert isinstance(made, Returned)
    assert isinstance(made.value, Blob)
    path = bench.root / made.value.digest[:2] / made.value.digest[2:]
    hidden = path.with_name("hidden")
    path.rename(hidden)
    try:
        x = {"x": made.value}
        outcomes = bench.make(
            bench.attempt("is_shared", Name("x"), env=x), bench.attempt("total", Name("x"), env=x)
        )
        assert bench.load(outcomes[0]) is True
        assert bench.load(outcomes[1]) == 200_000 * 199_999 / 2
        for inside in (Element(Items((made.value,)), 0), Element(Fields((("a", made.value),)), 0)):
            (outcome,) = bench.make(bench.attempt("same", Name("x"), env={"x": inside}))
            assert isinstance(outcome, Returned), outcome
        (outcome,) = bench.make(
            bench.attempt("builtins:len", Name("x"), env={"x": Fields((("a", made.value),))})
        )
        assert bench.load(outcome) == 1
    finally:
        hidden.rename(path)


TWO_NODES = """
    import pathlib, sys, threading, time
    from ray.cluster_utils import Cluster
    from flowrt.executor.port import Attempt, AttemptKey, Lost, Returned, RunFacts
    from flowrt.executor.ray import RayExecutor
    from flowrt.expr.tree import Const, Name
    from flowrt.program import Imported, Task
    from flowrt.store.blobs import LocalBlobs
    from flowrt.encoding.values import Values

    place, root = sys.argv[1:3]
    # Ray believes in a node for half a minute unless it is told otherwise.
    impatient = {f"health_check_{name}": value for name, value in
                 (("initial_delay_ms", 0), ("period_ms", 300), ("timeout_ms", 300), ("failure_threshold", 2))}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "_system_config": impatient})
    blobs = LocalBlobs(root)
    outcomes, changed = {}, threading.Condition()
    run = RunFacts("r", "f", 0, {}, 1, [place])

    def report(key, outcome):
        with changed:
            outcomes[key.step] = outcome
            changed.notify_all()

    def submit(step, name, *args, env=None, options=None):
        task = Task(Imported(f"executor_tasks:{name}"), args)
        executor.submit([Attempt(AttemptKey("r", step, 1), task, env or {}, run, options or {})])

    def wait(step):
        with changed:
            assert changed.wait_for(lambda: step in outcomes, 60), step
        return outcomes[step]

    executor = RayExecutor(address=cluster.address)
    executor.start(report, blobs)
    other = cluster.add_node(num_cpus=1, resources={"there": 1})
    there = {"resources": {"there": 0.1}}
    submit("noise", "noise", Const(300_000), options=there)
    made = wait("noise").value
    began = pathlib.Path(root, "began")
    submit("nap", "note", Const(str(began)), Const("began"), Const(60), options=there)
    while not began.exists():
        time.sleep(0.01)
    references = executor._dispatch._references
    assert references.find([made])
    cluster.remove_node(other, allow_graceful=False)
    for number in range(20):
        # Ray may still send an attempt to the node that holds its argument: then it is lost with it.
        submit(f"total-{number}", "total", Name("x"), env={"x": made})
        outcome = wait(f"total-{number}")
        if isinstance(outcome, Returned):
            break
        assert isinstance(outcome, Lost), outcome
    # What was random comes back as it was recorded: nobody has made it again.
    assert Values(blobs).load(outcome.value) == float(Values(blobs).load(made).sum())
    print(type(wait("nap")).__name__, references.find([made]))
    executor.close()
    cluster.shutdown()
"""


def test_a_node_is_lost_with_the_large_values_that_it_held(tmp_path: Path) -> None:
    ended = run_script(TWO_NODES, tmp_path, HERE, str(tmp_path / "blobs"))
    assert "Lost {}" in ended.stdout.splitlines(), ended


HUNTED = """
import sys
import threading
import ray
from flowrt.executor import ray as executors
from flowrt.store.blobs import LocalBlobs

looked, left = threading.Event(), threading.Event()
nodes = ray.nodes

def slow_nodes():
    found = nodes()
    looked.set()
    assert left.wait(60)
    return found

executor = executors.RayExecutor(num_cpus=1)
executor.start(lambda *_: None, LocalBlobs(sys.argv[2]))
ray.nodes, executors._HUNT_S = slow_nodes, 0.1
thread = executor._launcher._hunters.begin("nobody")
assert looked.wait(60)
executor.close()
left.set()
thread.join(60)
print(thread.is_alive(), ray.is_initialized())
"""


def test_who_kills_a_worker_that_does_not_answer_starts_no_ray_behind_the_end(tmp_path: Path) -> None:
    ended = run_script(HUNTED, tmp_path, HERE, str(tmp_path / "blobs"))
    assert "False False" in ended.stdout.splitlines(), ended


def test_references_are_let_go() -> None:
    references = dispatch.References(100)
    for number in range(10):
        references.keep(str(number), 30, object())
    assert list(references.find([Blob(str(number), 30) for number in range(10)])) == ["7", "8", "9"]
    references.keep("large", 101, object())
    assert references.find([Blob("large", 101)]) == {}


@pytest.mark.parametrize("nested", [False, True])
def test_a_reference_in_a_result_is_awaited(bench: Bench, nested: bool) -> None:
    (outcome,) = bench.make(bench.attempt("reference", nested))
    assert bench.load(outcome) == ({"inside": [1, 2, 3]} if nested else [1, 2, 3])


def test_pickled_code_travels(bench: Bench) -> None:
    ballast = "x" * 200_000
    for digest, function in (("small", lambda x: x + 1), ("large", lambda x: x + len(ballast))):
        code = cloudpickle.dumps(function)
        callee = Pickled(f"{digest}-digest", digest)
        outcomes = bench.make(*(bench.attempt(callee, number, code=code) for number in range(20)))
        assert [bench.load(outcome) for outcome in outcomes] == [function(number) for number in range(20)]


# Options.


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_cpu": 2}, "num_cpu"),
        ({"num_cpus": "many"}, "num_cpus"),
        ({"num_gpus": -1}, "num_gpus"),
        ({"memory": "4 apples"}, "The option `memory` is a size such as 512MiB or 4GiB, not '4 apples'."),
        ({"max_retries": 3}, "The option `max_retries` is set by flowc itself: write `retry` at the step."),
        ({"isolated": "yes"}, "The option `isolated` is true or false"),
        ({"resources": {"CPU": 1}}, "CPU"),
        ({"scheduling_strategy": {"node": "x"}}, "node"),
        ({"_metadata": {"a": 1}}, "_metadata"),
    ],
)
def test_options_that_ray_does_not_have(bench: Bench, options: dict[str, object], message: str) -> None:
    (outcome,) = bench.make(bench.attempt("inc", 1, options=options))
    assert isinstance(outcome, Raised), outcome
    assert not outcome.retryable
    assert message in outcome.failure.message


@pytest.mark.parametrize(
    "options",
    [
        {"num_cpus": 2},
        {"num_cpus": 0},
        {"num_cpus": 0.5},
        {"memory": "100MiB"},
        {"isolated": True},
        {"scheduling_strategy": "SPREAD"},
        {"num_cpus": None},
    ],
)
def test_options_that_ray_has(bench: Bench, options: dict[str, object]) -> None:
    outcomes = bench.make(*(bench.attempt("inc", number, options=options) for number in range(5)))
    assert [bench.load(outcome) for outcome in outcomes] == [1, 2, 3, 4, 5]


def test_waiting_in_vain_is_told_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(dispatch, "PATIENCE_S", 0.5)
    attempts = [bench.attempt("inc", 1, options={"num_gpus": 1}) for _ in range(2)]
    with caplog.at_level(logging.WARNING, "flowrt"):
        bench.executor.submit(attempts)
        end = time.monotonic() + 10
        while not caplog.records and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(1.5)
    (record,) = caplog.records
    assert (
        "it asks for CPU: 1, GPU: 1, and the best node of the cluster has CPU: 2, GPU: 0"
        in record.getMessage()
    )
    for attempt in attempts:
        bench.executor.stop(attempt.key, force=False)
    assert bench.wait(*attempts, within=10) == [Halted(), Halted()]


# Scheduling.


def test_slow_steps_run_side_by_side_even_after_quick_ones(bench: Bench) -> None:
    bench.grow("nap", 0)
    began = time.monotonic()
    bench.make(*(bench.attempt("nap", 0.5) for _ in range(4)))
    assert time.monotonic() - began < 1.8  # Two slots: 1.0 s; three in a batch would take 1.5 s and more.


def test_steps_without_a_cpu_do_not_wait_for_one(bench: Bench) -> None:
    naps = [bench.attempt("nap", 1.0, options={"num_cpus": 0}) for _ in range(6)]
    began = time.monotonic()
    bench.make(*naps)
    assert time.monotonic() - began < 5.0


def test_projects_with_modules_of_the_same_name_do_not_mix(bench: Bench, tmp_path: Path) -> None:
    attempts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "steps_of_project.py").write_text(f"def main():\n    return {name!r}\n")
        attempts += [bench.attempt("steps_of_project:main", place=str(tmp_path / name)) for _ in range(4)]
    assert [bench.load(outcome) for outcome in bench.make(*attempts)] == ["one"] * 4 + ["two"] * 4


# Coming and going.


def test_a_ray_that_is_there_is_used_and_left_alone(bench: Bench, tmp_path: Path) -> None:
    got: dict[AttemptKey, Outcome] = {}
    done = threading.Event()
    second = RayExecutor()
    second.start(lambda key, outcome: (got.update({key: outcome}), done.set()), LocalBlobs(tmp_path))
    attempt = bench.attempt("inc", 1)
    second.submit([attempt])
    assert done.wait(20)
    late = bench.attempt("note", str(tmp_path / "began"), "began", 60)
    second.submit([late])
    await_lines(tmp_path / "began")
    second.close()
    second.close()
    assert set(got) == {attempt.key}
    assert ray.is_initialized()
    assert bench.load(bench.make(bench.attempt("inc", 2))[0]) == 3


def test_a_store_in_memory_cannot_be_sent_to_workers() -> None:
    with pytest.raises(ExecutorUnavailable, match="use a directory as the store"):
        RayExecutor().start(lambda _key, _outcome: None, MemoryBlobs())


SCRIPT = """
    import sys, threading, time
    from flowrt.executor.port import Attempt, AttemptKey, RunFacts
    from flowrt.executor.ray import RayExecutor
    from flowrt.expr.tree import Const
    from flowrt.program import Imported, Task
    from flowrt.store.blobs import LocalBlobs

    place, blobs = sys.argv[1:3]
    done = threading.Semaphore(0)
    executor = RayExecutor(num_cpus=1)
    executor.start(lambda key, outcome: done.release(), LocalBlobs(blobs))
    run = RunFacts("r", "f", 0, {}, 1, [place])
    task = Task(Imported("executor_tasks:say"), (Const("spoken by a task"),))
    executor.submit([Attempt(AttemptKey("r", "s", 1), task, {}, run, {})])
    assert done.acquire(timeout=30)
    deadly = Task(Imported("executor_tasks:kill_worker"), ())
    executor.submit([Attempt(AttemptKey("r", "t", 1), deadly, {}, run, {})])
    assert done.acquire(timeout=30)
    time.sleep(1.5)
    executor.close()
    print("the result")
"""


def test_only_what_tasks_print_is_seen_and_not_among_the_results(tmp_path: Path) -> None:
    ended = run_script(SCRIPT, tmp_path, HERE, str(tmp_path / "blobs"))
    assert ended.stdout == "the result\n", ended
    lines = [line for line in ended.stderr.splitlines() if line.strip()]
    assert sum("spoken by a task" in line for line in lines) == 1, ended.stderr
    assert all("spoken by a task" in line or "A worker died" in line for line in lines), ended.stderr


UNREACHABLE = """
    from flowrt.errors import ExecutorUnavailable
    from flowrt.executor.ray import RayExecutor
    from flowrt.store.blobs import LocalBlobs
    try:
        RayExecutor(address="127.0.0.1:1").start(lambda key, outcome: None, LocalBlobs("/nowhere"))
    except ExecutorUnavailable as error:
        print(error)
"""


def test_a_cluster_that_is_not_there(tmp_path: Path) -> None:
    ended = run_script(UNREACHABLE, tmp_path)
    assert ended.stdout.startswith("Ray could not be reached at 127.0.0.1:1: Connection refused."), ended


def any_attempt(bench: Bench, chance: random.Random, number: int) -> Attempt:
    kind = chance.random()
    if kind < 0.01:
        return bench.attempt("kill_worker")
    if kind < 0.3:
        return bench.attempt("nap", chance.random() / 20, number)
    if kind < 0.4:
        return bench.attempt("nap", 0.01, number, timeout_s=20.0)
    return bench.attempt("same", number)


@pytest.mark.parametrize("seed", range(int(os.environ.get("FLOWRT_EXECUTOR_SEEDS", "2"))))
def test_whatever_overtakes_what_each_is_reported_once(bench: Bench, seed: int) -> None:
    chance = random.Random(seed)
    attempts = [any_attempt(bench, chance, number) for number in range(300)]
    stopped: set[AttemptKey] = set()
    for start in range(0, 300, 30):
        bench.executor.submit(attempts[start : start + 30])
        time.sleep(chance.random() / 10)
        for attempt in chance.sample(attempts[: start + 30], 8):
            bench.executor.stop(attempt.key, force=chance.random() < 0.3)
            stopped.add(attempt.key)
    for number, (attempt, outcome) in enumerate(zip(attempts, bench.wait(*attempts), strict=True)):
        match outcome:
            case Returned():
                assert bench.load(outcome) == number
            case Lost():
                assert attempt.task.callee == Imported("executor_tasks:kill_worker")
            case Halted():
                assert attempt.key in stopped
            case Raised():
                raise AssertionError(outcome)
    assert bench.twice == []


def test_nothing_is_left_behind(bench: Bench) -> None:
    bench.make(*(bench.attempt("inc", number) for number in range(10)))
    gc.collect()
    state = bench.executor._dispatch
    assert (state._taken, state._flights) == ({}, {})
    assert all(lane.ready == lane.under_way == 0 and not lane.queue for lane in state._lanes.values())
