"""Races with real timers and processes: the example, a process that is killed in a race, and Ray."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import ray
from ray_cluster import ray_cluster

import flowrt
from flowc.bind import bind
from flowc.cli.main import main
from flowc.compile import compile_file

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = str(ROOT / "examples" / "leave_request" / "leave_request.flow.yaml")
QUICK = ("-i", "person=ann", "-i", "remind=150ms", "-i", "patience=500ms", "--executor", "local")


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWC_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)


def test_when_nobody_answers_the_timer_wins(capfd):
    assert main(["run", EXAMPLE, "--id", "r", *QUICK]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out[out.index("{") :]) == {"person": "ann", "answer": "silence", "granted": 3}
    assert 1 <= (out + err).count("There is no answer yet.") <= 3
    assert main(["run", EXAMPLE, "--id", "long", "-i", "days=4", *QUICK]) == 1
    assert "4 days need an answer" in capfd.readouterr().err


def test_when_an_answer_comes_no_reminder_follows(capfd):
    words = ["run", EXAMPLE, "--id", "r", "-i", "person=ann", "--executor", "local"]
    command = [sys.executable, "-m", "flowc", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not waits(capfd):
        assert process.poll() is None, process.communicate()
    main(["send", "answer", "--key", "ann", "--data", '"no"'])
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert json.loads(out[out.index("{") :]) == {"person": "ann", "answer": "no", "granted": 0}
    assert "no answer yet" not in out + err


def waits(capfd) -> bool:
    capfd.readouterr()
    return main(["show", "r", "--json"]) == 0 and '"answer"' in json.dumps(
        json.loads(capfd.readouterr().out)["waiting"]
    )


TASKS = """
import os
import signal
from pathlib import Path

HERE = Path("FOLDER")  # Workers import a copy of this module.


def note(what):
    with (HERE / "effects").open("a") as file:
        file.write(what + "\\n")


def book(what):
    note(f"+{what}")
    return what


def cancel(what):
    if (HERE / f"dies at {what}").exists():
        (HERE / f"dies at {what}").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    note(f"-{what}")


def win(at):
    if (HERE / f"dies at {at}").exists():
        (HERE / f"dies at {at}").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return at
"""
FLOW = """\
flowc: 1
use: {t: flowc_race_tasks}
flow: races
steps:
  - id: w
    race:
      - id: loses
        do:
          - saga:
              - {id: a, call: t.book("a"), undo: t.cancel(a)}
              - sleep: 1h
      - id: wins
        do:
          - sleep: 400ms
          - switch: 2 + 3
            cases:
              - {is: [4, 5], do: t.win("end")}
  - return: w
"""


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("races")
    (folder / "flowc_race_tasks.py").write_text(TASKS.replace("FOLDER", str(folder)))
    (folder / "x.flow.yaml").write_text(FLOW)
    return folder


@pytest.fixture
def folder(module_folder, monkeypatch):
    (module_folder / "effects").unlink(missing_ok=True)
    monkeypatch.chdir(module_folder)
    return module_folder


@pytest.mark.parametrize("at", ["end", "a"])
def test_a_process_that_is_killed_in_a_race_leaves_the_rest_to_who_resumes(folder, capsys, at):
    """Before a branch has won; and while the saga of the one that lost is undone."""
    (folder / f"dies at {at}").touch()
    command = [sys.executable, "-m", "flowc", "run", "x.flow.yaml", "--id", "r", "--executor", "local"]
    done = subprocess.run(command, capture_output=True, check=False, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert main(["resume", "r", "--executor", "local"]) == 0
    assert capsys.readouterr().out == "end\n"
    assert (folder / "effects").read_text().splitlines() == ["+a", "-a"]


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore:DAGNode.execute")
def test_on_ray(folder):
    program = compile_file(folder / "x.flow.yaml").program
    with ray_cluster():
        assert flowrt.run(program, run_id="r") == "end"
        assert (folder / "effects").read_text().splitlines() == ["+a", "-a"]
        text = FLOW.replace("sleep: 1h", "sleep: 1ms").replace("- return: w", "- return: '[w, 1]'")
        (folder / "y.flow.yaml").write_text(text)
        plain = compile_file(folder / "y.flow.yaml").program
        assert ray.get(bind(plain, {}, (str(folder),)).execute()) == [None, 1]
