"""Runs in processes of their own: interrupted, owned, told by events, cancelled, shown on a terminal."""

import contextlib
import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import time

import pytest

from flowc.cli.main import main

FLOWC = [sys.executable, "-m", "flowc"]
FLOWS = """\
flowc: 1
use: {t: flowc_signal_tasks}
events: {approval: {type: any, external: true}}
flow: waits
steps:
  - id: first
    call: t.effect()
  - id: answer
    wait: approval
    key: "'a'"
  - return: answer.text + first
---
flow: works
steps:
  - id: naps
    for: n in range(4)
    do: t.nap()
  - return: naps
"""
TASKS = """
import time
from pathlib import Path

def effect():
    with (Path(__file__).parent / "effects").open("a") as file:
        file.write("x")
    return "!"

def nap():
    time.sleep(0.3)
    print("napped")
    return 1
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "x.flow.yaml").write_text(FLOWS)
    (tmp_path / "flowc_signal_tasks.py").write_text(TASKS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLOWC_STORE", raising=False)
    return tmp_path


def command(*argv):
    return [*FLOWC, *argv, "--executor", "local"]


def driven(*argv):
    """A command that runs tasks, in a process of its own."""
    return subprocess.run(command(*argv), capture_output=True, text=True, timeout=60, check=False)


def asked(*argv):
    """A command that only looks or tells, in this process: its code and what it printed on stdout."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
        code = main(list(argv))
    return code, out.getvalue()


def shown(run):
    return json.loads(asked("show", run, "--json")[1])


def waiting(run):
    """A process that runs the flow `waits`, and waits."""
    process = subprocess.Popen(
        command("run", "x.flow.yaml", "--id", run),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(200):
        code, out = asked("show", run, "--json")
        if code == 0 and json.loads(out)["status"] == "waiting":
            return process
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    raise AssertionError(out, process.communicate())


def kill(process):
    process.kill()
    process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_suspends_and_the_printed_command_goes_on(folder, number):
    process = waiting("w")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert "  flowc resume w --executor local\n" in err
    assert "Traceback" not in err
    assert shown("w")["status"] == "suspended"
    [wait] = shown("w")["waiting"]
    assert wait == {"step": "answer", "kind": "event", "event": "approval", "key": "a", "until": None}
    assert asked("send", "approval", "--key", "a", "--data", '{"text": "yes"}') == (0, "")
    done = driven("resume", "w")
    assert (done.returncode, done.stdout) == (0, "yes!\n")
    assert (folder / "effects").read_text() == "x", "no recorded step runs again"


@pytest.mark.usefixtures("folder")
def test_a_run_has_one_owner_and_hears_of_events_and_cancels():
    process = waiting("w")
    try:
        before = shown("w")
        other = driven("resume", "w")
        assert (other.returncode, other.stdout) == (4, "")
        assert asked("run", "x.flow.yaml", "--id", "w", "--executor", "local") == (4, "")
        assert asked("resume", "--all", "--executor", "local") == (0, "")
        assert shown("w") == before, "nothing was written by the others"
        for _ in range(2):
            assert asked("send", "approval", "--key", "b", "--dedupe", "d1")[0] == 0
        assert asked("cancel", "w", "--reason", "enough")[0] == 0
        _, err = process.communicate(timeout=30)
        assert process.returncode == 1
        assert "Run w was cancelled" in err
        assert "enough" in err
    finally:
        kill(process)


@pytest.mark.usefixtures("folder")
def test_a_run_that_nobody_drives_is_cancelled_at_once_and_all_is_resumed():
    kill(waiting("w"))
    assert shown("w")["status"] == "suspended"
    assert asked("cancel", "w")[0] == 0
    assert shown("w")["status"] == "cancelled"
    kill(waiting("v"))
    asked("send", "approval", "--key", "a", "--data", '{"text": "no"}')
    done = driven("resume", "--all", "--json")
    assert done.returncode == 0
    [result] = json.loads(done.stdout)
    assert (result["run"], result["status"], result["result"]) == ("v", "succeeded", "no!")


STUBBORN = """
import sys, time
from flowc.cli.interrupts import Interrupts

with Interrupts() as interrupts:
    print("ready", flush=True)
    interrupts.asked.wait()
    print("asked", flush=True)
    time.sleep(float(sys.argv[1]))
"""


def stubborn(seconds):
    """A process that takes its time after the first signal."""
    process = subprocess.Popen(
        [sys.executable, "-c", STUBBORN, seconds], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "asked\n"
    return process


def test_one_wish_may_arrive_twice():
    process = stubborn("1.5")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_second_signal_ends_the_process_at_once():
    process = stubborn("60")
    time.sleep(1.1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 130


@pytest.mark.usefixtures("folder")
def test_progress_is_shown_on_a_terminal_alone():
    assert "\x1b" not in driven("run", "x.flow.yaml:works", "--id", "piped").stderr
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command("run", "x.flow.yaml:works", "--id", "seen"), stdout=subprocess.PIPE, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 30)[0]:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        shown += part
    out = process.communicate(timeout=30)[0]
    os.close(ours)
    text = shown.decode()
    assert process.returncode == 0
    assert json.loads(out) == [1, 1, 1, 1]
    assert "1 of 4" in text
    assert "naps[2]" in text
    assert "napped" in text
    last = text.replace("\r", "").rstrip("\n").rpartition("\n")[2]
    assert "run seen succeeded after" in last
