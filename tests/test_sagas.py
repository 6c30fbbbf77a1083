"""Sagas from the command line, with tasks in threads and on Ray: what is undone, and what is said of it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest
import ray
from ray_cluster import ray_cluster

import flowrt
from flowc.bind import bind
from flowc.cli.main import main
from flowc.compile import compile_file
from flowrt.engine.drive import drive, start
from flowrt.executor.local import LocalExecutor
from flowrt.observer import Observer
from flowrt.store.open import open_store
from flowrt.view import StepNotes

TASKS = """
import os
import signal
from pathlib import Path

HERE = Path("FOLDER")  # Workers import a copy of this module.


def note(what):
    with (HERE / "effects").open("a") as file:
        file.write(what + "\\n")


def book(what):
    if (HERE / f"no {what}").exists():
        raise OSError(f"no {what} left")
    note(f"+{what}")
    return what


def cancel(what):
    if (HERE / f"dies at {what}").exists():
        (HERE / f"dies at {what}").unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    if (HERE / f"no -{what}").exists():
        raise RuntimeError(f"{what} stays")
    note(f"-{what}")
"""
FLOWS = """\
flowc: 1
use: {t: flowc_saga_tasks}
events: {go: {type: any, external: true}}
flow: trip
inputs: {waits: {type: bool, default: false}}
steps:
  - id: trip
    saga:
      - id: hotel
        call: t.book("hotel")
        undo: t.cancel(hotel)
      - id: seats
        for: n in range(2)
        do:
          - id: seat
            call: t.book(f"seat {n}")
            undo: flowc_saga_tasks:cancel(seat)
      - if: waits
        then:
          - wait: go
      - id: car
        call: t.book("car")
        undo: t.cancel(car)
  - return: "[hotel, seats, car]"
"""
ALL = ["+hotel", "+seat 0", "+seat 1"]
UNDONE = ["-seat 1", "-seat 0", "-hotel"]


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sagas")
    (folder / "flowc_saga_tasks.py").write_text(TASKS.replace("FOLDER", str(folder)))
    (folder / "x.flow.yaml").write_text(FLOWS)
    return folder


@pytest.fixture
def folder(module_folder, monkeypatch, tmp_path):
    """The folder as the current one, with a store of the test's own and a world in which all goes well."""
    for path in (module_folder / "effects", *module_folder.glob("no *"), *module_folder.glob("dies *")):
        path.unlink(missing_ok=True)
    monkeypatch.chdir(module_folder)
    monkeypatch.setenv("FLOWC_STORE", str(tmp_path / "store"))
    return module_folder


def effects(folder):
    path = folder / "effects"
    lines = path.read_text().splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def test_a_run_that_fails_is_undone_explained_and_made_anew(folder, capsys):
    (folder / "no car").touch()
    (folder / "no -seat 1").touch()
    assert main(["run", "x.flow.yaml", "--id", "r", "--executor", "local"]) == 1
    told = capsys.readouterr().err
    assert "no car left" in told
    assert "The undo of `trip.seats[1].seat` failed: RuntimeError: seat 1 stays" in told
    assert effects(folder) == [*ALL, "-seat 0", "-hotel"]
    assert main(["show", "r", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    steps = {step["id"]: (step["kind"], step["status"]) for step in shown["steps"]}
    assert steps["trip"] == ("saga", "failed")
    assert steps["trip.hotel.undo"] == ("task", "succeeded")
    assert steps["trip.seats[1].seat.undo"] == ("task", "failed")
    assert main(["why", "r"]) == 0
    assert "other steps that failed: `trip.seats[1].seat.undo`" in capsys.readouterr().out
    (folder / "no car").unlink()
    assert main(["resume", "r", "--failed", "--executor", "local"]) == 0
    assert json.loads(capsys.readouterr().out) == ["hotel", ["seat 0", "seat 1"], "car"]
    assert effects(folder) == [*ALL, "+car"]


@pytest.mark.parametrize("at", ["seat 1", "hotel"])
def test_a_process_that_dies_while_it_undoes_leaves_the_rest_to_who_resumes(folder, capsys, at):
    (folder / "no car").touch()
    (folder / f"dies at {at}").touch()
    command = [sys.executable, "-m", "flowc", "run", "x.flow.yaml", "--id", "r", "--executor", "local"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -signal.SIGKILL
    assert effects(folder) == ALL + ([] if at == "seat 1" else UNDONE[:2])
    assert main(["resume", "r", "--executor", "local"]) == 1
    assert "no car left" in capsys.readouterr().err
    assert effects(folder) == (UNDONE if at == "seat 1" else UNDONE[2:])


class Stops(StepNotes):
    """Sets an event when a step waits."""

    def __init__(self, interrupt):
        super().__init__()
        self.interrupt = interrupt

    def waiting(self, step, event, key, due_at):
        super().waiting(step, event, key, due_at)
        self.interrupt.set()


def suspended(folder: Path) -> None:
    """A run that waits in its saga, and that nobody has."""
    program = compile_file(folder / "x.flow.yaml").program
    store, blobs = open_store(os.environ["FLOWC_STORE"])
    try:
        start(store, blobs, program, {"waits": True}, run_id="w", labels={}, python_path=(str(folder),))
        executor, interrupt = LocalExecutor(), Event()
        watch: Observer = Stops(interrupt)
        drive(store, blobs, executor, ["w"], observer=lambda _: watch, interrupt=interrupt)
        executor.close()
    finally:
        store.close()


@pytest.mark.parametrize("stays", [False, True])
def test_a_run_that_nobody_has_is_undone_by_who_cancels_it(folder, capsys, stays):
    suspended(folder)
    assert effects(folder) == ALL
    if stays:
        (folder / "no -hotel").touch()
    assert main(["cancel", "w", "--executor", "local"]) == (1 if stays else 0)
    told = capsys.readouterr().err
    assert effects(folder) == (UNDONE[:2] if stays else UNDONE)
    assert ("The undo of `trip.hotel` failed: RuntimeError: hotel stays" in told) is stays
    assert main(["show", "w"]) == 0
    assert "run w of flow trip: cancelled" in capsys.readouterr().out
    assert main(["why", "w"]) == 0
    assert ("hotel stays" in capsys.readouterr().out) is stays


def test_who_cancels_a_run_again_undoes_what_a_process_that_died_has_left(folder):
    suspended(folder)
    (folder / "dies at seat 0").touch()
    command = [sys.executable, "-m", "flowc", "cancel", "w", "--executor", "local"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -signal.SIGKILL
    assert effects(folder) == [*ALL, *UNDONE[:1]]
    assert main(["cancel", "w", "--executor", "local"]) == 0
    assert effects(folder) == UNDONE[1:]


def test_the_python_face_undoes_as_well(folder):
    suspended(folder)
    (folder / "no -hotel").touch()
    flowrt.cancel("w", executor="local")
    assert effects(folder) == [*ALL, *UNDONE[:2]]
    with pytest.raises(flowrt.RunCancelled, match="hotel stays"):
        flowrt.output("w")


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore:DAGNode.execute")
def test_on_ray(folder):
    (folder / "no car").touch()
    program = compile_file(folder / "x.flow.yaml").program
    with ray_cluster():
        with pytest.raises(flowrt.RunFailed, match="no car left"):
            flowrt.run(program, run_id="r")
        assert effects(folder) == [*ALL, *UNDONE]
        (folder / "no car").unlink()
        assert flowrt.resume("r", failed=True) == ["hotel", ["seat 0", "seat 1"], "car"]
        assert effects(folder) == [*ALL, "+car"]
        (folder / "no car").touch()
        with pytest.raises(OSError, match="no car left"):
            ray.get(bind(program, {}, (str(folder),)).execute())
    assert effects(folder) == [*ALL, *UNDONE]
