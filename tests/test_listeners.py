"""Listeners in processes of their own: killed while they wait, cancelled, resumed when they were late."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from flowc.cli.main import main

FEEDS = """
import asyncio
import pathlib

import flowrt

HERE = pathlib.Path.cwd()  # The code itself runs from where its snapshot was unpacked.


def note(text):
    with (HERE / "notes").open("a") as file:
        print(text, file=file, flush=True)


class Letter(flowrt.EventListener):
    async def poll_for_event(self, name):
        note(f"polls {flowrt.current().step}")
        while not (HERE / name).exists():
            await asyncio.sleep(0.02)
        return (HERE / name).read_text()

    async def event_checkpointed(self, event):
        note(f"has {event}")
"""
FLOW = """\
flowc: 1
use: {f: feeds}
flow: main
inputs: {name: {type: str, default: letter}}
steps:
  - id: letter
    wait: f.Letter(name)
  - return: letter
---
flow: bounded
steps:
  - id: letter
    wait: f.Letter('letter')
    timeout: 300ms
  - return: letter
---
flow: raced
steps:
  - id: letter
    wait: f.Letter('letter')
    timeout: 300ms
    else:
      - return: "'none came'"
  - return: letter
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "feeds.py").write_text(FEEDS)
    (tmp_path / "x.flow.yaml").write_text(FLOW)
    monkeypatch.setenv("FLOWC_STORE", str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def notes(folder, count):
    """What the listeners have noted, as soon as it is so much."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        lines = (folder / "notes").read_text().splitlines() if (folder / "notes").exists() else []
        if len(lines) >= count:
            return lines
        time.sleep(0.02)
    raise AssertionError("nothing was noted")


def begun(*words):
    command = [sys.executable, "-m", "flowc", *words, "--executor", "local", "--quiet"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process):
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out.strip()


def test_a_listener_whose_engine_is_killed_polls_again(folder):
    first = begun("run", "x.flow.yaml", "--id", "r")
    assert notes(folder, 1) == ["polls letter.poll"]
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    again = begun("resume", "r")
    assert notes(folder, 2)[1:] == ["polls letter.poll"]
    (folder / "letter").write_text("dear")
    assert ended(again) == "dear"
    assert notes(folder, 3)[2:] == ["has dear"]


def test_a_listener_that_waits_is_cancelled(folder, capsys):
    waiting = begun("run", "x.flow.yaml", "--id", "r")
    notes(folder, 1)
    assert main(["why", "r"]) == 0
    assert "step `letter.poll`: attempt 1 is with the executor of" in (said := capsys.readouterr().out)
    assert "it waits for its event" in said
    assert main(["cancel", "r"]) == 0
    waiting.communicate(timeout=60)
    assert waiting.returncode == 1
    capsys.readouterr()
    assert main(["show", "r", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["status"] == "cancelled"
    assert {step["id"]: step["kind"] for step in shown["steps"]}["letter.poll"] == "listener"
    (folder / "letter").write_text("late")
    assert notes(folder, 1) == ["polls letter.poll"]


def test_a_listener_that_was_too_late_is_resumed(folder, capsys):
    run = ["run", "x.flow.yaml:bounded", "--id", "r", "--executor", "local"]
    assert main(run) == 1
    assert "flowrt.BlockTimedOut" in capsys.readouterr().err
    (folder / "letter").write_text("dear")
    assert main(["resume", "r", "--failed", "--executor", "local"]) == 0
    assert capsys.readouterr().out.strip() == "dear"


@pytest.mark.parametrize("comes", [False, True])
def test_else_of_a_listener(folder, comes, capsys):
    if comes:
        (folder / "letter").write_text("dear")
    assert main(["run", "x.flow.yaml:raced", "--executor", "local"]) == 0
    assert capsys.readouterr().out.strip() == ("dear" if comes else "none came")
    assert ("has dear" in notes(folder, 1)) == comes
