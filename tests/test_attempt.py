"""One attempt in this process: what comes of a call, and of everything that can go wrong with it."""

import pickle
import sys
import types
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import cloudpickle
import numpy as np
import pytest

import flowrt
from flowrt.context import current, heartbeat
from flowrt.encoding.values import Values
from flowrt.errors import StoreCorrupt, StoreUnavailable
from flowrt.executor.attempt import Interrupted, make_attempt
from flowrt.executor.callee import find, put_first
from flowrt.executor.port import Attempt, AttemptKey, Halted, Lost, Outcome, Raised, Returned, RunFacts
from flowrt.expr.tree import Attribute, Binary, Call, Const, Expr, Name
from flowrt.program import Imported, Pickled, Retry, Task
from flowrt.store.blobs import LocalBlobs
from flowrt.value import Blob, Inline

HERE = str(Path(__file__).parent)
RUN = RunFacts("run-1", "etl", 1_000_000, {"team": "blue"}, 7, [HERE])


class Bench:
    """Makes attempts of the tasks beside this file, in a blob store of its own."""

    def __init__(self, root: Path) -> None:
        self.blobs = LocalBlobs(root)
        self.values = Values(self.blobs)

    def attempt(
        self, path: str, *args: Expr, env: Mapping[str, object] | None = None, **task: object
    ) -> Attempt:
        callee = Imported(path if ":" in path else f"executor_tasks:{path}")
        handles = {name: self.values.record(value) for name, value in (env or {}).items()}
        run = task.pop("run", RUN)
        code = task.pop("code", None)
        return Attempt(
            AttemptKey("run-1", "a.b", 2),
            Task(task.pop("callee", callee), args, **task),
            handles,
            run,
            {},
            None,
            code,
        )

    def make(
        self, path: str, *args: Expr, env: Mapping[str, object] | None = None, **task: object
    ) -> Outcome:
        return make_attempt(self.attempt(path, *args, env=env, **task), self.blobs)

    def value(
        self, path: str, *args: Expr, env: Mapping[str, object] | None = None, **task: object
    ) -> object:
        outcome = self.make(path, *args, env=env, **task)
        assert isinstance(outcome, Returned), outcome
        assert 0 < outcome.started_at <= outcome.ended_at
        return self.values.load(outcome.value)

    def raised(
        self, path: str, *args: Expr, env: Mapping[str, object] | None = None, **task: object
    ) -> Raised:
        outcome = self.make(path, *args, env=env, **task)
        assert isinstance(outcome, Raised), outcome
        assert outcome.failure.step == "a.b"
        return outcome


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    put_first([HERE])
    return Bench(tmp_path / "blobs")


def retry(catch: tuple[str, ...] = (), unless: tuple[str, ...] = ()) -> Retry:
    return Retry(Const(1), Const(None), Const(2), Const(None), catch=catch, unless=unless)


def test_arguments_are_evaluated_where_the_callable_runs(bench: Bench) -> None:
    assert bench.value("inc", Binary("+", Name("x"), Const(1)), env={"x": 40}) == 42
    assert bench.value("nap", Const(0), kwargs=(("value", Name("x")),), env={"x": [1]}) == [1]


@pytest.mark.parametrize(
    ("path", "args", "expected"),
    [
        ("later", (5,), 5),
        ("stream", (3,), [0, 1, 2]),
        ("squares", (3,), [0, 1, 4]),
        ("chained", (), [1, 2, 3]),
        ("builtins:len", ([1, 2],), 2),
        ("builtins:range", (3,), range(3)),
        ("builtins:enumerate", (["a"],), [(0, "a")]),
    ],
)
def test_what_a_callable_means_by_what_it_gives(
    bench: Bench, path: str, args: tuple, expected: object
) -> None:
    assert bench.value(path, *map(Const, args)) == expected


def test_a_class_and_a_method_of_a_class_are_callables(bench: Bench) -> None:
    point = find("executor_tasks:Point")
    assert bench.value("Point", Const(1), Const(2)) == point(1, 2)
    assert bench.value("Point.origin") == point(0, 0)


def test_pickled_code_is_a_callable(bench: Bench) -> None:
    code = cloudpickle.dumps(lambda x: x * 2)
    assert bench.value("x:y", Const(4), callee=Pickled("digest-of-double", "double"), code=code) == 8
    lost = bench.raised("x:y", callee=Pickled("another", "gone"), code=None)
    assert "The code of `gone` did not come" in lost.failure.message
    bad = bench.raised("x:y", callee=Pickled("third", "bad"), code=b"junk")
    assert "The pickled code of `bad` cannot be loaded here" in bad.failure.message


def test_the_facts_of_the_run_are_a_name(bench: Bench) -> None:
    assert bench.value("same", Attribute(Name("run"), "id")) == "run-1"
    started_at = bench.value("same", Attribute(Name("run"), "started_at"))
    assert isinstance(started_at, datetime)
    assert started_at.isoformat() == "1970-01-01T00:00:01+00:00"


def test_the_context_of_a_step(bench: Bench) -> None:
    assert bench.value("where") == ["run-1", "a.b", 2, "run-1/a.b", 7, {"team": "blue"}]
    heartbeat()
    with pytest.raises(LookupError, match="There is no current step"):
        current()


def test_a_constant_is_not_changed_by_the_attempt_before(bench: Bench) -> None:
    attempt = bench.attempt("mutate", Const([]))
    for _ in range(2):
        outcome = make_attempt(attempt, bench.blobs)
        assert isinstance(outcome, Returned)
        assert bench.values.load(outcome.value) == [0]


def test_a_large_result_is_in_the_blob_store_before_it_is_told(bench: Bench) -> None:
    outcome = bench.make("same", Binary("*", Const("x"), Const(100_000)))
    assert isinstance(outcome, Returned)
    assert isinstance(outcome.value, Blob)
    assert len(bench.blobs.get(outcome.value.digest)) == outcome.value.size > 100_000


def test_an_exception_becomes_text(bench: Bench) -> None:
    raised = bench.raised("fail", Const("no luck"))
    assert raised.retryable
    assert raised.failure.type == "executor_tasks.Busy"
    assert raised.failure.message == "no luck"
    lines = raised.failure.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert "executor_tasks.py" in lines[1]
    assert not any("attempt.py" in line for line in lines)


def test_an_exception_of_the_runtime_that_was_being_handled_is_left_out(bench: Bench) -> None:
    ours = "try:\n  raise KeyError('ours')\nexcept KeyError:\n  make()\n"
    file = Path(flowrt.__file__).parent / "room.py"
    made: list[Raised] = []
    make = lambda: made.append(bench.raised("fail", Const("no luck")))  # noqa: E731
    exec(compile(ours, str(file), "exec"), {"make": make})
    (raised,) = made
    assert raised.failure.traceback.startswith("Traceback (most recent call last):")
    assert "ours" not in raised.failure.traceback


def test_no_frame_of_the_runtime_is_in_a_traceback(bench: Bench) -> None:
    for path in ("lock", "no_such_function", "no_such_module:f", "fail_deep", "fail_to_pickle"):
        text = bench.raised(path).failure.traceback
        assert "/flowrt/" not in text, path
        assert "cloudpickle" not in text, path
    assert "fail_deep" in bench.raised("fail_deep").failure.traceback
    assert "__reduce__" in bench.raised("fail_to_pickle").failure.traceback


def test_a_type_of_the_runtime_is_named_without_its_module(bench: Bench) -> None:
    assert bench.raised("lock").failure.type == "flowrt.NotRecordable"
    assert bench.raised("no_such_function").failure.type == "flowrt.ImportFailed"


def test_changing_an_argument_says_what_to_do(bench: Bench) -> None:
    failure = bench.raised("change_array", Name("a"), env={"a": np.zeros(3)}).failure
    assert failure.type == "ValueError"
    assert "change a copy: `copy.deepcopy(value)`" in failure.message


def test_classes_of_a_script_are_told_by_their_names(bench: Bench) -> None:
    script = types.ModuleType("__main__")
    exec(  # A script as a worker gets it: by value, and not importable.
        "class Busy(Exception): pass\nclass VeryBusy(Busy): pass\ndef work(): raise VeryBusy", script.__dict__
    )
    code = cloudpickle.dumps(script.work)
    for path in ("__main__:Busy", "__main__.VeryBusy", "Exception", "__main__:Other"):
        failure = bench.raised("", callee=Pickled("0", "work"), code=code, retry=retry((path,))).failure
        assert failure.caught == (() if "Other" in path else (path,)), failure
        assert "not compared" not in failure.message


def test_a_cause_is_in_the_traceback(bench: Bench) -> None:
    text = bench.raised("fail_deep").failure.traceback
    assert "ValueError: deep" in text
    assert "direct cause" in text


def test_an_exception_without_words(bench: Bench) -> None:
    failure = bench.raised("fail_mutely").failure
    assert failure.type == "executor_tasks.Mute"
    assert failure.message == "(no text: its __str__ raised RuntimeError)"
    assert "fail_mutely" in failure.traceback


def test_texts_are_bounded_and_can_be_encoded(bench: Bench) -> None:
    failure = bench.raised("fail", Const("x" * 10_000_000)).failure
    assert len(failure.message) < 5_000
    assert len(failure.traceback) < 9_000
    assert "characters left out" in failure.message
    bench.raised("fail", Const("\ud800")).failure.message.encode()


@pytest.mark.parametrize(("path", "type_"), [("leave", "SystemExit"), ("ctrl_c", "KeyboardInterrupt")])
def test_what_would_end_a_process_ends_the_attempt(bench: Bench, path: str, type_: str) -> None:
    raised = bench.raised(path)
    assert raised.failure.type == type_
    assert not raised.retryable


def test_an_interruption_is_no_failure(bench: Bench) -> None:
    def interrupted() -> None:
        raise Interrupted

    code = cloudpickle.dumps(interrupted)
    assert bench.make("x:y", callee=Pickled("interrupted", "f"), code=code) == Halted()


def test_retry_classes_are_compared_where_the_exception_lives(bench: Bench) -> None:
    policy = retry(("OSError", "executor_tasks:Busy", "builtins:ValueError"), ("executor_tasks:Mute",))
    assert bench.raised("fail", retry=policy).failure.caught == ("OSError", "executor_tasks:Busy")
    failure = bench.raised("fail", retry=retry(("executor_tasks:Bussy", "nowhere:Error", "OSError"))).failure
    assert failure.caught == ("OSError",)
    assert "has no `Bussy`, did you mean `Busy`?" in failure.message
    assert "there is no module `nowhere`" in failure.message


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("executor_taskz:inc", "there is no module `executor_taskz`, did you mean `executor_tasks`?"),
        ("executor_taskz:inc", f"Searched: {HERE}, the interpreter's own path."),
        ("executor_tasks.deeper:inc", "which is a module and not a package"),
        ("executor_tasks:incc", "the module `executor_tasks` has no `incc`, did you mean `inc`?"),
        ("executor_tasks:Point.orgin", "`Point` has no `orgin`, did you mean `origin`?"),
        ("executor_tasks:NOT_CALLABLE", "cannot be called: it is of type str"),
    ],
)
def test_what_cannot_be_imported(bench: Bench, path: str, message: str) -> None:
    raised = bench.raised(path)
    assert not raised.retryable
    assert message in raised.failure.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import no_such_package", "its module imports `no_such_package`, which is not installed"),
        ("x = 1\ny = 1 / 0", "ZeroDivisionError: division by zero"),
        ("x = 1\ny = 1 / 0", "broken.py, line 2"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
        ("def (", "SyntaxError"),
    ],
)
def test_a_module_that_fails_can_be_mended(bench: Bench, tmp_path: Path, text: str, message: str) -> None:
    place = tmp_path / "code"
    place.mkdir()
    (place / "broken.py").write_text(text)
    run = RunFacts("run-1", "etl", 0, {}, 1, [str(place)])
    try:
        raised = bench.raised("broken:main", run=run)
        assert message in raised.failure.message
        assert not raised.retryable
        (place / "broken.py").write_text("def main():\n    return 'mended, and of another size'\n")
        assert bench.value("broken:main", run=run) == "mended, and of another size"
    finally:
        sys.modules.pop("broken", None)


def test_arguments_that_cannot_be_evaluated(bench: Bench) -> None:
    raised = bench.raised("inc", Binary("//", Const(1), Const(0)))
    assert raised.failure.type == "ZeroDivisionError"
    assert not raised.retryable


def test_a_result_that_cannot_be_stored(bench: Bench) -> None:
    raised = bench.raised("lock")
    assert not raised.retryable
    assert "lock" in raised.failure.message
    assert "The result of the step cannot be stored" in raised.failure.message


def test_raises(bench: Bench) -> None:
    raised = bench.raised("Busy", Const("later"), raises=True, retry=retry(("OSError",)))
    assert (raised.failure.type, raised.failure.message) == ("executor_tasks.Busy", "later")
    assert raised.failure.caught == ("OSError",)
    assert "it gave a int, not an exception" in bench.raised("inc", Const(1), raises=True).failure.message


def test_secrets_are_read_in_the_worker_and_not_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Call(Name("secret"), (Const("FLOWRT_TEST_SECRET"),), ())
    missing = bench.raised("login", secret)
    assert "The secret FLOWRT_TEST_SECRET is not known" in missing.failure.message
    assert not missing.retryable
    monkeypatch.setenv("FLOWRT_TEST_SECRET", "hunter2")
    assert bench.value("same", secret) == "hunter2"
    failure = bench.raised("login", secret).failure
    assert failure.message == "cannot log in with ***"
    assert "hunter2" not in failure.traceback


class Broken:
    """A blob store that always fails in the same way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def put(self, _parts: object) -> tuple[str, int]:
        raise self.error

    def get(self, _digest: str) -> bytes:
        raise self.error


def test_a_store_at_fault_is_not_the_step_at_fault(bench: Bench) -> None:
    full = Broken(StoreUnavailable("No space is left in /blobs."))
    large = bench.attempt("same", Binary("*", Const("x"), Const(100_000)))
    assert make_attempt(large, full) == Lost("the store failed: No space is left in /blobs.")
    reads = Attempt(
        large.key, Task(Imported("executor_tasks:same"), (Name("x"),)), {"x": Blob("0" * 64, 9)}, RUN, {}
    )
    assert isinstance(make_attempt(reads, full), Lost)
    corrupt = make_attempt(reads, Broken(StoreCorrupt("Blob 00… is damaged.")))
    assert isinstance(corrupt, Raised)
    assert not corrupt.retryable
    junk = Attempt(large.key, reads.task, {"x": Inline(b"\xff\xff")}, RUN, {})
    assert isinstance(make_attempt(junk, bench.blobs), Raised)


def test_outcomes_can_be_pickled(bench: Bench) -> None:
    for path in ("inc", "fail", "pid"):
        outcome = bench.make(path)
        assert pickle.loads(pickle.dumps(outcome)) == outcome
