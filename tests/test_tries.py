"""`try` and blocks with real processes and timers: killed in the middle, and on Ray."""

import os
import signal
import subprocess
import sys

import pytest
import ray
from ray_cluster import ray_cluster

import flowrt
from flowc.bind import bind
from flowc.cli.main import main
from flowc.compile import compile_file

TASKS = """
import os
import signal
import time
from pathlib import Path

HERE = Path("FOLDER")  # Workers import a copy of this module.


class Busy(Exception):
    pass


class VeryBusy(Busy):
    pass


def note(what):
    with (HERE / "effects").open("a") as file:
        file.write(what + "\\n")
    dies = HERE / f"dies at {what} {(HERE / 'effects').read_text().splitlines().count(what)}"
    if dies.exists():
        dies.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return what


def busy(what):
    note(what)
    raise VeryBusy(what)


def third(what):
    note(what)
    if (HERE / "effects").read_text().splitlines().count(what) < 3:
        raise ConnectionError(what)
    return what


def nap(seconds):
    note("nap")
    time.sleep(seconds)
    note("awake")
"""
FLOW = """\
flowc: 1
use: {t: flowc_try_tasks}
flow: tries
inputs: {late: {type: bool, default: false}}
steps:
  - {id: timed, value: "''"}
  - id: caught
    try:
      - graph:
          a: t.busy("a")
          b: {sleep: 10ms}
    catch:
      - {type: OSError, do: [{fail: not this one}]}
      - {type: t.Busy, as: e, do: [{value: "e.message + ' at ' + e.step"}]}
    finally:
      - call: t.note("end")
  - if: late
    then:
      - id: timed
        try:
          - do:
              - graph:
                  c: t.nap(60)
                  d: {try: [{sleep: 1h}], finally: [{call: t.note("stopped")}]}
            timeout: 1500ms
        catch: {type: TimeoutError, as: e, do: [{value: e.type}]}
  - id: third
    call: part("x")
    retry: {max: 5, delay: 1ms, catch: [ConnectionError]}
    timeout: 1h
  - return: "[caught, timed, third]"
---
flow: part
inputs: {what: str}
steps:
  - call: t.note("part")
  - return: t.third(what)
"""
CAUGHT = "a at caught.try.step#1.a"
PARTS = ["part", "x"] * 3


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tries")
    (folder / "flowc_try_tasks.py").write_text(TASKS.replace("FOLDER", str(folder)))
    (folder / "x.flow.yaml").write_text(FLOW)
    (folder / "killed.flow.yaml").write_text(KILLED)
    return folder


@pytest.fixture
def folder(module_folder, monkeypatch, tmp_path):
    """The folder as the current one, with a store of the test's own and a world in which nobody dies."""
    for path in (module_folder / "effects", *module_folder.glob("dies *")):
        path.unlink(missing_ok=True)
    monkeypatch.chdir(module_folder)
    monkeypatch.setenv("FLOWC_STORE", str(tmp_path / "store"))
    return module_folder


def effects(folder):
    lines = (folder / "effects").read_text().splitlines()
    (folder / "effects").unlink()
    return lines


KILLED = """\
flowc: 1
use: {t: flowc_try_tasks}
flow: killed
steps:
  - id: got
    try:
      - id: inner
        do:
          - call: t.note("one")
          - sleep: 30ms
          - graph:
              nap: {do: [{sleep: 150ms}, {call: t.note("two")}]}
              beside: t.note("beside")
          - call: t.third("x")
        retry: {max: 2, delay: 20ms}
        timeout: 1h
      - call: t.busy("b")
    catch: {type: t.Busy, as: e, do: [{call: "t.note('caught ' + e.message)"}]}
    finally:
      - call: t.note("end")
      - sleep: 30ms
      - call: t.note("really")
  - return: got
"""
ONCE = ["one", "beside", "two", "x"]
REST = ["b", "caught b", "end", "really"]


@pytest.mark.parametrize(
    ("at", "again"),
    [
        ("beside 2", [*ONCE, "one", "beside", *ONCE[1:], *ONCE, *REST]),
        ("end 1", [*ONCE * 3, *REST[:3], *REST[2:]]),
        ("really 1", [*ONCE * 3, *REST, "really"]),
    ],
)
def test_a_process_that_is_killed_in_a_second_attempt_or_in_finally(folder, capsys, at, again):
    """What is recorded stays done, and a block's attempts and pauses go on where they were."""
    (folder / f"dies at {at}").touch()
    command = [sys.executable, "-m", "flowc", "run", "killed.flow.yaml", "--id", "r", "--executor", "local"]
    done = subprocess.run(command, capture_output=True, check=False, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert main(["resume", "r", "--executor", "local"]) == 0
    assert capsys.readouterr().out == "caught b\n"
    done = effects(folder)
    assert sorted(done) == sorted(again)
    assert done[-6:] == again[-6:]


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore:DAGNode.execute")
def test_on_ray(folder):
    program = compile_file(folder / "x.flow.yaml").program
    with ray_cluster():
        assert flowrt.run(program, late=True, run_id="r") == [CAUGHT, "flowrt.BlockTimedOut", "x"]
        assert effects(folder) == ["a", "end", "nap", "stopped", *PARTS]
        assert flowrt.run(program, run_id="s") == [CAUGHT, "", "x"]
        assert effects(folder) == ["a", "end", *PARTS]
        # Executed as a plain graph, there are no paths: a failure does not know its step.
        assert ray.get(bind(program, {}, (str(folder),)).execute()) == ["a at ", "", "x"]
    assert effects(folder) == ["a", "end", *PARTS]
