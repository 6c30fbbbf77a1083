"""What runs have to do with each other, on Ray and with real processes: starts, locks, cached values."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ray_cluster import ray_cluster

from flowc.cli.main import main

TASKS = """
import time
from pathlib import Path

HERE = Path("FOLDER")  # Workers import a copy of this module.


def note(what):
    with (HERE / "effects").open("a") as file:
        file.write(what + "\\n")
    return what


def critical(name, wait):
    note(f"in {name}")
    end = time.monotonic() + 60
    while wait and not (HERE / "go").exists() and time.monotonic() < end:
        time.sleep(0.02)
    note(f"out {name}")
    return name
"""
FLOWS = """\
flowc: 1
use: {t: flowc_shared_tasks}
flow: one
inputs: {name: str, wait: {type: bool, default: false}}
steps:
  - id: child
    start: other(name)
  - id: known
    call: t.note(f"made for {name}")
    cache: {key: 1, ttl: 1h}
  - lock: door
    do:
      - id: inside
        call: t.critical(name, wait)
  - return: "[known, inside, len(child) > 0]"
---
flow: other
inputs: {name: str}
steps:
  - call: t.note(f"child of {name}")
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("FLOWC_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flowc_shared_tasks.py").write_text(TASKS.replace("FOLDER", str(tmp_path)))
    (tmp_path / "shared.flow.yaml").write_text(FLOWS)
    return tmp_path


def effects(place: Path) -> list[str]:
    file = place / "effects"
    return file.read_text().splitlines() if file.exists() else []


def result(capfd) -> object:
    out = capfd.readouterr().out
    return json.loads(out[out.index("[") :])


@pytest.mark.ray
def test_runs_on_ray_share_a_lock_and_a_value_and_start_others(place, capfd):
    with ray_cluster():
        for name in ("a", "b"):
            assert main(["run", "shared.flow.yaml", "--id", name, "-i", f"name={name}"]) == 0
            assert result(capfd) == ["made for a", name, True]
    assert effects(place) == ["made for a", "in a", "out a", "in b", "out b"]
    assert main(["list", "--json"]) == 0
    rows = json.loads(capfd.readouterr().out)
    children = [row for row in rows if row["flow"] == "other"]
    assert sorted(row["labels"]["flowc.parent"] for row in children) == ["a", "b"]
    assert {row["status"] for row in children} == {"pending"}


def begun(name: str, *more: str) -> subprocess.Popen:
    words = ["run", "shared.flow.yaml", "--id", name, "-i", f"name={name}", "--executor", "local", *more]
    return subprocess.Popen(
        [sys.executable, "-m", "flowc", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_until(holds, what: str) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_the_lock_of_a_killed_run_goes_to_the_next_and_the_killed_one_gets_it_again(place, capfd):
    killed = begun("killed", "-i", "wait=true")
    wait_until(lambda: "in killed" in effects(place), "the first is not inside")
    after = begun("after")
    wait_until(lambda: waits(capfd, "after"), "the second does not wait")
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    (place / "go").touch()
    _, err = after.communicate(timeout=60)
    assert after.returncode == 0, err
    assert effects(place)[-2:] == ["in after", "out after"]
    assert main(["resume", "killed", "--executor", "local"]) == 0
    capfd.readouterr()
    assert effects(place)[-2:] == ["in killed", "out killed"]


def waits(capfd, run_id: str) -> bool:
    capfd.readouterr()
    if main(["show", run_id, "--json"]) != 0:
        return False
    waiting = json.loads(capfd.readouterr().out)["waiting"]
    return [one["kind"] for one in waiting] == ["lock"] and waiting[0]["key"] == "door"
