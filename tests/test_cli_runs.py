"""The commands on runs, in one process, with tasks in threads and a real store."""

import json
import pickle
import re

import pytest

from flowc.cli.main import main

TASKS = """
import os
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass
class Report:
    total: int


def effect(name):
    with (HERE / "effects").open("a") as file:
        file.write(name + "\\n")
    return name


def double(n):
    effect(f"double {n}")
    print("printed by a task")
    return 2 * n


def shaky(n):
    effect(f"shaky {n}")
    if not (HERE / "mended").exists():
        raise ValueError("not mended")
    return n


def report(total):
    return Report(total)


def nothing():
    return None
"""
FLOWS = """\
flowc: 1
use: {t: flowc_cli_tasks}
events: {approval: {type: any, external: true}}
flow: doubled
inputs: {numbers: "list[int]", factor: {type: int, default: 1}}
labels: {team: core}
steps:
  - id: doubles
    for: n in numbers
    do: t.double(n)
  - return: sum(doubles) * factor
---
flow: shaky
steps:
  - id: first
    call: t.effect("first")
  - id: second
    call: t.shaky(7)
  - return: second
---
flow: reported
steps:
  - return: t.report(3)
---
flow: greets
inputs: {name: str}
steps:
  - return: f"hello {name}"
---
flow: empty
steps:
  - call: t.nothing()
---
flow: waits
steps:
  - id: answer
    wait: approval
    key: '"a"'
  - return: answer
"""


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory):
    """A folder with the flows and their tasks; in one place for all tests, for modules are kept."""
    folder = tmp_path_factory.mktemp("flows")
    (folder / "flowc_cli_tasks.py").write_text(TASKS)
    (folder / "x.flow.yaml").write_text(FLOWS)
    return folder


@pytest.fixture
def folder(module_folder, monkeypatch):
    """The folder as the current one, with a store of the test's own."""
    for name in (".flowc", "effects", "mended"):
        remove(module_folder / name)
    monkeypatch.chdir(module_folder)
    monkeypatch.delenv("FLOWC_STORE", raising=False)
    return module_folder


def remove(path):
    if path.is_dir():
        for inner in path.iterdir():
            remove(inner)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


@pytest.fixture
def flowc(folder, capsys):
    """Runs a command line in the folder; gives its exit code and what it printed."""
    assert (folder / "x.flow.yaml").exists()

    def call(*argv):
        capsys.readouterr()
        code = main([str(word) for word in argv])
        streams = capsys.readouterr()
        assert "Traceback (most recent call last)" not in streams.err
        return code, streams.out, streams.err

    return call


def run(flowc, flow, *argv):
    return flowc("run", f"x.flow.yaml:{flow}", "--executor", "local", *argv)


def effects(folder):
    file = folder / "effects"
    return file.read_text().splitlines() if file.exists() else []


def test_a_result_goes_to_stdout_and_the_rest_to_stderr(flowc):
    code, out, err = run(flowc, "doubled", "-i", "numbers=[1, 2]", "--id", "r1")
    assert code == 0
    assert out == "6\n"
    assert err.startswith("run r1\n")
    assert "printed by a task" in err


def test_the_first_flow_is_the_default_and_quiet_is_quiet(flowc):
    code, out, err = flowc(
        "run", "x.flow.yaml", "-i", "numbers=[]", "-i", "factor=3", "--executor", "local", "--quiet"
    )
    assert (code, out, err) == (0, "0\n", "")


def test_text_is_printed_as_it_is_and_none_not_at_all(flowc):
    assert run(flowc, "greets", "-i", "name=1")[:2] == (0, "hello 1\n")
    assert run(flowc, "greets", "-i", "name=1", "--json", "--id", "g")[1] == (
        '{"run": "g", "flow": "greets", "status": "succeeded", "result": "hello 1", "error": null}\n'
    )
    assert run(flowc, "empty")[:2] == (0, "")


def test_inputs_come_from_a_file(flowc, folder):
    (folder / "inputs.json").write_text('{"numbers": [5], "factor": 2}')
    assert run(flowc, "doubled", "--inputs", "inputs.json", "-i", "factor=3")[1] == "30\n"


def test_a_result_that_json_cannot_express_has_a_stand_in(flowc, folder):
    code, out, _ = run(flowc, "reported", "--id", "r")
    assert code == 0
    assert json.loads(out) == {"$type": "flowc_cli_tasks.Report", "repr": "Report(total=3)"}
    assert flowc("output", "r", "--pickle", "r.pkl")[0] == 0
    assert pickle.loads((folder / "r.pkl").read_bytes()).total == 3
    assert flowc("output", "r", "--pickle", "no/such/place.pkl")[0] == 2


def test_the_same_id_gives_the_same_run(flowc, folder):
    assert run(flowc, "doubled", "-i", "numbers=[4]", "--id", "same")[1] == "8\n"
    assert run(flowc, "doubled", "-i", "numbers=[4]", "--id", "same")[1] == "8\n"
    assert effects(folder) == ["double 4"]
    code, out, err = run(flowc, "doubled", "-i", "numbers=[5]", "--id", "same")
    assert (code, out) == (2, "")
    assert "other inputs" in err
    code, out, err = run(flowc, "greets", "-i", "name=x", "--id", "same")
    assert code == 2
    assert "another flow" in err
    assert effects(folder) == ["double 4"]


def test_a_failure_names_step_cause_and_the_way_on(flowc, folder):
    code, out, err = run(flowc, "shaky", "--id", "s")
    assert (code, out) == (1, "")
    assert "error: Run s failed at step `second`." in err
    assert "ValueError: not mended" in err
    assert "flowc_cli_tasks.py" in err, "the frames of the user's code"
    assert "flowc resume s --failed --executor local" in err
    # It stays failed until it is asked to go on behind its failure.
    assert flowc("resume", "s", "--executor", "local")[0] == 1
    assert effects(folder) == ["first", "shaky 7"]
    (folder / "mended").touch()
    code, out, _ = flowc("resume", "s", "--failed", "--executor", "local")
    assert (code, out) == (0, "7\n")
    assert effects(folder) == ["first", "shaky 7", "shaky 7"]


def test_json_of_a_failure(flowc):
    code, out, _ = run(flowc, "shaky", "--id", "s", "--json")
    assert code == 1
    error = {"type": "ValueError", "message": "not mended", "step": "second"}
    assert json.loads(out) == {
        "run": "s",
        "flow": "shaky",
        "status": "failed",
        "result": None,
        "error": error,
    }
    (out_failed,) = json.loads(flowc("list", "--status", "failed", "--json")[1])
    assert out_failed["run"] == "s"
    code, out, err = flowc("output", "s")
    assert (code, out) == (1, "")
    assert "not mended" in err


def test_list_and_show_as_documented(flowc):
    run(flowc, "doubled", "-i", "numbers=[1, 2]", "--id", "one", "--label", "day=1")
    run(flowc, "greets", "-i", "name=x", "--id", "two")
    listed = json.loads(flowc("list", "--json")[1])
    assert [one["run"] for one in listed] == ["two", "one"]
    keys = ["run", "flow", "status", "inputs", "labels", "created_at", "started_at", "ended_at"]
    assert list(listed[1]) == keys
    assert listed[1]["inputs"] == {"numbers": [1, 2]}
    assert listed[1]["labels"] == {"team": "core", "day": "1"}
    assert listed[1]["status"] == "succeeded"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", listed[1]["ended_at"])
    assert [one["run"] for one in json.loads(flowc("list", "--flow", "greets", "--json")[1])] == ["two"]
    assert [one["run"] for one in json.loads(flowc("list", "--limit", "1", "--json")[1])] == ["two"]
    assert flowc("list", "--status", "failed", "--json")[1] == "[]\n"
    table = flowc("list")[1].splitlines()
    assert table[0].split() == ["RUN", "FLOW", "STATUS", "CREATED", "TIME"]
    assert table[1].startswith("two  greets   succeeded  ")

    shown = json.loads(flowc("show", "one", "--json")[1])
    assert list(shown) == [*keys, "result", "error", "waiting", "steps"]
    assert {key: shown[key] for key in keys} == listed[1]
    assert (shown["result"], shown["error"], shown["waiting"]) == (6, None, [])
    steps = {step["id"]: step for step in shown["steps"]}
    task = next(step for step in shown["steps"] if step["kind"] == "task")
    assert list(task) == ["id", "kind", "status", "attempts", "started_at", "ended_at", "error"]
    assert (task["status"], task["attempts"], task["error"]) == ("succeeded", 1, None)
    assert task["started_at"] <= task["ended_at"]
    assert steps["doubles"]["kind"] == "for"
    text = flowc("show", "one")[1]
    assert text.startswith("run one of flow doubled: succeeded\n")
    assert "labels " in text


def test_the_output_of_a_step(flowc):
    run(flowc, "shaky", "--id", "s")
    assert flowc("output", "s", "--step", "first")[1] == "first\n"
    assert flowc("output", "s", "--step", "first", "--json")[1] == '"first"\n'
    code, _, err = flowc("output", "s", "--step", "frist")
    assert code == 2
    assert "frist" in err


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["-i", "numbers=[1, 2.5]"], "Input `numbers[1]`: expected int, got 2.5."),
        (["-i", "nmbers=[1]"], "Did you mean `numbers`?"),
        ([], "Input `numbers` is missing; expected list[int]."),
        (["-i", "numbers"], "`-i numbers` is not an assignment"),
        (["-i", "numbers=[]", "--id", "../x"], "../x"),
        (["-i", "numbers=[]", "--label", "x"], "`--label x`"),
        (["-i", "numbers=[]", "--address", "1.2.3.4"], "--address"),
        (["-i", "numbers=[]", "--store", "x.flow.yaml"], "x.flow.yaml"),
        (["--inputs", "missing.json"], "missing.json"),
    ],
)
def test_wrong_usage_of_run_stores_nothing(flowc, folder, argv, said):
    code, out, err = run(flowc, "doubled", *argv)
    assert (code, out) == (2, "")
    assert said in err
    assert effects(folder) == []
    if (folder / ".flowc").exists():
        assert flowc("list", "--json")[1] == "[]\n"


def test_flows_that_are_not_there_or_not_valid(flowc, folder):
    assert flowc("run", "missing.flow.yaml")[0] == 2
    assert flowc("run", ".")[0] == 2
    code, _, err = flowc("run", "x.flow.yaml:doubld")
    assert code == 2
    assert "Did you mean `doubled`?" in err
    (folder / "bad.flow.yaml").write_text("flowc: 1\nflow: bad\nsteps:\n  - return: totl\n")
    for command in ("run", "compile"):
        code, out, err = flowc(command, "bad.flow.yaml")
        assert (code, out) == (3, "")
        assert "error[F0201]: `totl` is not defined\n --> bad.flow.yaml:4:13" in err
        assert err.endswith("1 error in 1 file\n")


def test_compile_shows_the_graph(flowc):
    code, out, _ = flowc("compile", "x.flow.yaml:doubled")
    assert code == 0
    assert "doubles" in out
    assert json.loads(flowc("compile", "x.flow.yaml", "--emit", "json")[1])


@pytest.mark.parametrize(
    "argv",
    [
        ["show", "nobody"],
        ["output", "nobody"],
        ["cancel", "nobody"],
        ["resume", "nobody", "--executor", "local"],
        ["send", "approval", "--run", "nobody"],
    ],
)
def test_an_unknown_run_is_wrong_usage(flowc, argv):
    run(flowc, "greets", "-i", "name=x")
    code, out, err = flowc(*argv)
    assert (code, out) == (2, "")
    assert "nobody" in err


@pytest.mark.parametrize("command", [["list"], ["show", "x"], ["send", "approval"], ["resume", "--all"]])
def test_no_command_but_run_makes_a_store(flowc, folder, command):
    code, out, err = flowc(*command)
    assert (code, out) == (2, "")
    assert ".flowc" in err
    assert not (folder / ".flowc").exists()


def test_wrong_usage_of_resume_and_send(flowc):
    run(flowc, "greets", "-i", "name=x", "--id", "g")
    assert flowc("resume")[0] == 2
    assert flowc("resume", "g", "--all")[0] == 2
    assert flowc("send", "no name")[0] == 2
    code, _, err = flowc("send", "approval", "--data", "yes")
    assert code == 2
    assert "its own quotes" in err
    code, out, err = flowc("resume", "--all")
    assert (code, out) == (0, "")
    assert "No run is left" in err
    assert flowc("resume", "--all", "--json")[1] == "[]\n"


def test_a_run_that_has_ended_cannot_be_cancelled(flowc):
    run(flowc, "greets", "-i", "name=x", "--id", "g")
    code, _, err = flowc("cancel", "g")
    assert code == 2
    assert "ended" in err
