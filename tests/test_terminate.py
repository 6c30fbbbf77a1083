"""Terminating: a run that hangs in an undo or a `finally`, or that is damaged, is ended all the same."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import flowrt
from flowc.cli.main import main
from flowrt.engine.terminating import terminate
from flowrt.errors import FlowrtError
from flowrt.record import TERMINATED
from flowrt.store.open import open_store
from flowrt.store.rows import LockRequest
from stores import KINDS, LATER, another_machine, batch, new_run, owned_run, store_of


def now_us():
    return time.time_ns() // 1000


FLOWS = """\
flowc: 1
use: {t: flowc_terminate_tasks}
flow: trip
steps:
  - saga:
      - id: seat
        call: t.mark("seat")
        undo: t.hang("undo")
      - call: t.refuse()
---
flow: sweeps
steps:
  - lock: gpu
    do:
      - try:
          - call: t.mark("body")
        finally:
          - call: t.hang("finally")
"""
TASKS = """
import time
from pathlib import Path

def mark(name):
    with (Path(__file__).parent / "effects").open("a") as file:
        file.write(name + "\\n")

def hang(name):
    mark(name)
    time.sleep(3600)

def refuse():
    raise ValueError("no room")
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "x.flow.yaml").write_text(FLOWS)
    (tmp_path / "flowc_terminate_tasks.py").write_text(TASKS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLOWC_STORE", raising=False)
    return tmp_path


def hanging(folder, flow, name, run_id):
    """A process whose run hangs."""
    argv = ["run", f"x.flow.yaml:{flow}", "--id", run_id, "--executor", "local"]
    process = subprocess.Popen([sys.executable, "-m", "flowc", *argv], stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 30
    while name not in (folder / "effects").read_text() if (folder / "effects").exists() else True:
        assert time.monotonic() < until
        time.sleep(0.05)
    return process


def test_a_run_that_hangs_in_an_undo_is_ended_under_its_owner(folder, capsys):
    process = hanging(folder, "trip", "undo", "r")
    try:
        assert main(["cancel", "r", "--now"]) == 0
        assert process.poll() is None, "force is for steps, not for what undoes them"
        assert main(["cancel", "r", "--terminate", "--reason", "it hangs"]) == 0
        ended_at = time.monotonic()
        _, err = process.communicate(timeout=30)
        assert time.monotonic() - ended_at < 10
    finally:
        process.kill()
    assert process.returncode == 4
    assert "Traceback" not in err
    capsys.readouterr()
    assert main(["show", "r", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["status"], shown["waiting"], shown["error"]["type"]) == ("cancelled", [], TERMINATED)
    assert main(["why", "r"]) == 0
    assert "nothing was undone" in capsys.readouterr().out
    assert main(["cancel", "r", "--terminate"]) == 2
    assert main(["resume", "r", "--failed", "--executor", "local"]) == 1
    assert (folder / "effects").read_text() == "seat\nundo\n", "nothing more has been done"
    assert main(["store", "check"]) == 0
    assert main(["delete", "r"]) == 0


def test_what_a_dead_owner_left_is_ended_and_its_lock_is_free(folder, capsys):
    process = hanging(folder, "sweeps", "finally", "r")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    flowrt.terminate("r", reason="gone", store=folder / ".flowc")
    store, _ = open_store(str(folder / ".flowc"))
    assert store.run("r").status == "cancelled"
    assert list(store.lock_queue("gpu", 10)) == []
    store.close()
    with pytest.raises(FlowrtError, match="has ended already"):
        flowrt.terminate("r", store=folder / ".flowc")
    capsys.readouterr()


def test_a_run_whose_journal_is_damaged_can_be_ended_and_deleted(folder):
    process = hanging(folder, "trip", "undo", "r")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    connection = sqlite3.connect(folder / ".flowc" / "journal.db")
    connection.execute("UPDATE records SET data = x'00' WHERE seq = 2")
    connection.commit()
    connection.close()
    assert main(["cancel", "r"]) == 2
    assert main(["cancel", "r", "--terminate"]) == 0
    assert main(["delete", "r"]) == 0


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    opened = store_of(request.param, tmp_path)
    yield opened
    opened.close()


def test_a_live_owner_is_fenced_on_every_store(store):
    store.create(new_run(served=True))
    epoch = store.claim("r1", another_machine(), now_us(), now_us() + LATER)
    ask = LockRequest("s", "gpu", 1)
    assert store.append([batch("r1", epoch, 1, b"asks", locks=[ask])]) == frozenset()
    terminate(store, "r1", "enough")
    row = store.run("r1")
    assert (row.status, row.owner, row.wake_at, row.head) == ("cancelled", None, None, 4)
    assert row.epoch > epoch
    assert store.append([batch("r1", epoch, 4, b"late")]) == {"r1"}
    assert store.renew({"r1": epoch}, now_us() + LATER) == {"r1"}
    assert list(store.lock_queue("gpu", 10)) == []


def test_an_owner_that_renews_between_the_looks_is_passed_over(store, monkeypatch):
    epoch = owned_run(store)
    claim, renewed = store.claim, []

    def claim_late(run_id, owner, now, lease_until):
        if not renewed:
            renewed.append(store.renew({"r1": epoch}, store.run("r1").lease_until + LATER))
        return claim(run_id, owner, now, lease_until)

    monkeypatch.setattr(store, "claim", claim_late)
    terminate(store, "r1", "")
    assert renewed == [frozenset()]
    assert store.run("r1").status == "cancelled"


def test_one_of_many_who_terminate_a_run_does_it(store):
    owned_run(store)

    def ended(_):
        try:
            terminate(store, "r1", "enough")
        except FlowrtError:
            return 0
        return 1

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(ended, range(4))) >= 1
    row = store.run("r1")
    assert (row.status, row.head) == ("cancelled", len(list(store.journal("r1"))))
