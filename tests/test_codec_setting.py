"""The codec `data`: nothing is pickled and nothing that was pickled is read, in the engine and in workers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import flowrt
from flowc.config import BadConfig, find_config
from flowrt.encoding.codec import decode, encode
from flowrt.encoding.values import Values
from flowrt.engine.data_only import refuse_pickled_code
from flowrt.errors import CodecError, StoreUnavailable, UnknownRun, UnsupportedGraph
from flowrt.executor.attempt import make_attempt
from flowrt.executor.port import Attempt, AttemptKey, Raised, Returned, RunFacts
from flowrt.expr.tree import Const, Name
from flowrt.program import Block, Body, Flow, Imported, Node, Pickled, Program, Task
from flowrt.store.blobs import MemoryBlobs
from flowrt.value import Inline

HERE = str(Path(__file__).parent)


class Order:
    """No data."""


@pytest.fixture
def data_only(monkeypatch):
    monkeypatch.setenv("FLOWC_CODEC", "data")


def test_the_environment_decides_unless_the_caller_does(monkeypatch):
    pickled = b"".join(encode(Order()))
    monkeypatch.setenv("FLOWC_CODEC", "data")
    with pytest.raises(CodecError, match=r"test_codec_setting\.Order cannot be stored.*FLOWC_CODEC"):
        encode(Order())
    with pytest.raises(CodecError, match="is pickled and is not read"):
        decode(pickled)
    assert isinstance(decode(pickled, allow_pickle=True), Order)
    monkeypatch.setenv("FLOWC_CODEC", "pickle")
    assert isinstance(decode(pickled), Order)
    with pytest.raises(CodecError, match="cannot be stored as data"):
        encode(Order(), allow_pickle=False)


def test_a_wrong_setting_is_told(monkeypatch):
    monkeypatch.setenv("FLOWC_CODEC", "json")
    with pytest.raises(CodecError, match="FLOWC_CODEC is `json`; it may be `data`"):
        encode(Order())
    assert decode(encode([1, 2])[0]) == [1, 2]


def attempt(path, *, allow_pickle, arg=None, callee=None, code=None):
    run = RunFacts("run-1", "etl", 0, {}, 1, [HERE], None, allow_pickle)
    env = {} if arg is None else {"value": arg}
    args = () if arg is None else (Name("value"),)
    task = Task(callee or Imported(f"executor_tasks:{path}"), args)
    return Attempt(AttemptKey("run-1", "a.b", 1), task, env, run, {}, None, code)


def test_a_worker_does_what_its_run_says_whatever_its_environment():
    blobs = MemoryBlobs()
    pickled = Values(blobs).record(Order())
    refused = make_attempt(attempt("same", allow_pickle=False, arg=pickled), blobs)
    assert isinstance(refused, Raised)
    assert "is pickled and is not read" in refused.failure.message
    assert isinstance(make_attempt(attempt("same", allow_pickle=True, arg=pickled), blobs), Returned)
    data = Values(blobs).record({"a": [1]})
    assert isinstance(make_attempt(attempt("same", allow_pickle=False, arg=data), blobs), Returned)


def test_a_result_that_is_no_data_fails_its_step():
    outcome = make_attempt(attempt("array", allow_pickle=False, arg=Inline(encode(3)[0])), MemoryBlobs())
    assert isinstance(outcome, Raised)
    assert not outcome.retryable
    assert "A value of type numpy.ndarray cannot be stored as data" in outcome.failure.message


def test_pickled_code_is_not_loaded_in_a_worker():
    callee = Pickled("d" * 64, "evil")
    code = b"cos\nsystem\n(S'touch /nowhere/evil'\ntR."
    outcome = make_attempt(attempt("", allow_pickle=False, callee=callee, code=code), MemoryBlobs())
    assert isinstance(outcome, Raised)
    assert "The pickled code of `evil` is not loaded" in outcome.failure.message


def program_with(callee):
    inner = Body((Node("deep", Task(callee, (Const(1),))),))
    return Program({"f": Flow("f", Body((Node("outer", Block(inner)),)))}, "f")


@pytest.mark.usefixtures("data_only")
def test_a_program_with_pickled_code_is_refused_by_name():
    with pytest.raises(UnsupportedGraph, match="step `deep` calls `shout`, which is stored as a pickle"):
        refuse_pickled_code(program_with(Pickled("d" * 64, "shout")))
    refuse_pickled_code(program_with(Imported("m:f")))


@pytest.mark.usefixtures("data_only")
def test_a_run_with_pickled_code_does_not_come_to_be(tmp_path):
    program = program_with(Pickled("d" * 64, "shout"))
    with pytest.raises(UnsupportedGraph, match="shout"):
        flowrt.run(program, store=tmp_path / "s", executor="local", run_id="r")
    with pytest.raises((UnknownRun, StoreUnavailable)):
        flowrt.output("r", store=tmp_path / "s")


def test_the_project_decides_for_the_commands(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.flowc]\ncodec = "data"\n')
    (tmp_path / "odd_tasks.py").write_text("class Odd:\n    pass\n\n\ndef odd():\n    return Odd()\n")
    (tmp_path / "x.flow.yaml").write_text(
        "flowc: 1\nuse: {t: odd_tasks}\nflow: x\nsteps:\n  - id: made\n    call: t.odd()\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLOWC_")}
    done = subprocess.run(
        [sys.executable, "-m", "flowc", "run", "x.flow.yaml", "--executor", "local"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "step `made`" in done.stderr
    assert "odd_tasks.Odd cannot be stored as data" in done.stderr
    assert "Return None, bool, int" in done.stderr


def test_a_wrong_codec_of_a_project_is_told(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.flowc]\ncodec = "json"\n')
    with pytest.raises(BadConfig, match='must be "data" or "pickle"'):
        find_config(tmp_path)


def test_an_inline_value_that_claims_to_be_data_is_never_unpickled():
    pickled = b"".join(encode(Order()))
    with pytest.raises(CodecError):
        Values(MemoryBlobs(), allow_pickle=False).load(Inline(pickled))
