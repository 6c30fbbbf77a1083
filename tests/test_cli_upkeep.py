"""`flowc delete` and `flowc store`: what they say, and how they end."""

import contextlib
import json
import os
import shutil
import tempfile
import time
from pathlib import Path

import pytest
from s3_server import make_bucket, s3_environment, s3_server

from flowc.cli.main import main
from flowrt.store.open import open_store

# Each run has a large value of its own; the code of the folder is a value that they share.
FLOW = """\
flowc: 1
flow: large
inputs: {letter: str}
steps:
  - id: big
    value: letter * 50000
  - return: len(big)
"""


@pytest.fixture
def flowc(tmp_path, monkeypatch, capsys):
    """Call a command in a folder with a flow; returns the code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name in ("FLOWC_STORE", "FLOWC_BLOBS", "FLOWC_STORE_KEY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "x.flow.yaml").write_text(FLOW)

    def call(*argv):
        capsys.readouterr()
        code = main(list(argv))
        out, err = capsys.readouterr()
        return code, out, err

    call.run = lambda run_id, letter="a", *more: call(
        "run", "x.flow.yaml:large", "--id", run_id, "-i", f"letter={letter}", "--executor", "local", *more
    )
    return call


def grow_old(folder=".flowc/blobs"):
    for file in Path(folder).rglob("*"):
        if file.is_file():
            os.utime(file, (time.time() - 7200,) * 2)


def files():
    return [path for path in Path(".flowc/blobs").rglob("*") if path.is_file() and path.name != ".lock"]


def test_a_run_is_deleted_and_what_was_freed_is_said(flowc):
    assert flowc.run("one")[0] == 0
    assert flowc.run("two", "b")[0] == 0
    assert flowc("delete", "one") == (
        0,
        "",
        "run one deleted; 1 left to `flowc store gc`, stored less than an hour ago\n",
    )
    grow_old()
    assert flowc("delete", "two") == (0, "", "run two deleted; 2 stored values removed\n")
    assert flowc("list")[2] == "The store has no runs.\n"
    code, out, _ = flowc("store", "gc")
    assert code == 0
    assert out.startswith("1 stored values (50,0")
    assert files() == []


def test_a_run_that_was_deleted_can_be_made_anew(flowc):
    flowc.run("one")
    flowc("delete", "one")
    assert flowc.run("one", "b")[:2] == (0, "50000\n")


def test_what_cannot_be_deleted_is_said(flowc):
    flowc.run("one")
    code, _, err = flowc("delete", "none")
    assert code == 2
    assert "There is no run none" in err
    assert flowc("delete")[0] == 2
    store, _ = open_store(".flowc")
    with store._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE runs SET status = 'waiting'")
    store.close()
    code, _, err = flowc("delete", "one")
    assert code == 2
    assert "one" in err
    assert "cancel" in err


def test_a_dry_run_removes_nothing(flowc):
    flowc.run("one")
    flowc("delete", "one")
    grow_old()
    code, out, _ = flowc("store", "gc", "--dry-run")
    assert code == 0
    assert out.startswith("2 stored values (50,")
    assert "would be removed" in out
    assert len(files()) == 2
    told = json.loads(flowc("store", "gc", "--json")[1])
    assert {key: told[key] for key in ("blobs", "young_blobs", "needed_blobs", "dry_run")} == {
        "blobs": 2,
        "young_blobs": 0,
        "needed_blobs": 0,
        "dry_run": False,
    }
    assert files() == []


def test_the_grace_is_a_duration(flowc):
    flowc.run("one")
    flowc("delete", "one")
    grow_old()
    assert json.loads(flowc("store", "gc", "--grace", "3h", "--json")[1])["young_blobs"] == 2
    code, _, err = flowc("store", "gc", "--grace", "soon")
    assert code == 2
    assert "`soon` is not a duration" in err
    assert json.loads(flowc("store", "gc", "--grace", "0s", "--json")[1])["blobs"] == 2


def test_a_sound_store(flowc):
    flowc.run("one")
    code, out, err = flowc("store", "check")
    assert (code, err) == (0, "")
    assert "1 runs with 4 records, 2 stored values" in out
    assert out.endswith("no findings\n")
    assert json.loads(flowc("store", "check", "--json")[1])["findings"] == []


def test_a_damaged_value(flowc):
    flowc.run("one")
    flowc.run("two", "b")
    [file] = [path for path in files() if path.read_bytes().count(b"b") > 1000]
    file.write_bytes(b"?" * 10)
    code, out, err = flowc("store", "check")
    assert (code, err) == (1, "")
    assert out.startswith("blob in run two, record 1: The stored value ")
    assert out.endswith(": 1 finding\n")
    [finding] = json.loads(flowc("store", "check", "--json")[1])["findings"]
    assert (finding["place"], finding["run"], finding["record"]) == ("blob", "two", 1)
    assert flowc("store", "check", "--run", "one")[0] == 0
    assert flowc("store", "check", "--run", "two")[0] == 1
    code, _, err = flowc("store", "check", "--run", "three")
    assert code == 2
    assert "There is no run three" in err


def test_wrong_usage(flowc):
    for argv in (["store"], ["store", "wash"], ["store", "gc", "--hurry"], ["store", "check", "one"]):
        code, out, err = flowc(*argv)
        assert (code, out) == (2, "")
        assert "help: run `flowc store" in err
    assert flowc("store", "check")[0] == 2, "there is no store"


@pytest.mark.parametrize("argv", [["store"], ["store", "gc"], ["store", "check"]])
def test_help_has_examples(flowc, argv):
    code, out, _ = flowc(*argv, "--help")
    assert code == 0
    assert "example:\n  flowc store" in out


# Stores that may not be written


@contextlib.contextmanager
def nobody():
    """Give up the right to write everywhere, which root has."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("has_log", [False, True], ids=["closed", "with its log"])
def test_a_store_that_may_not_be_written_is_checked_in_a_copy(flowc, has_log, monkeypatch):
    flowc.run("one")
    with tempfile.TemporaryDirectory() as folder:
        backup = Path(folder) / "backup"
        if has_log:
            store, _ = open_store(".flowc")
            store.request_cancel("one", "to have something in the log")
            store.undeploy("nothing")
            store.send_all([])
            shutil.copytree(".flowc", backup)
            store.close()
        else:
            shutil.copytree(".flowc", backup)
        for path in (Path(folder), backup, *backup.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        before = sorted((str(path), path.stat().st_mtime_ns) for path in backup.rglob("*"))
        monkeypatch.chdir("/")
        with nobody():
            code, out, err = flowc("store", "check", "--store", str(backup))
            assert (code, err) == (0, "")
            assert "1 runs with 4 records, 2 stored values" in out
            assert flowc("list", "--store", str(backup))[0] == 2, "other commands refuse it"
        assert sorted((str(path), path.stat().st_mtime_ns) for path in backup.rglob("*")) == before
        for path in (backup, *(path for path in backup.rglob("*") if path.is_dir())):
            path.chmod(0o755)


# Values in a bucket


def test_values_in_a_bucket_from_the_first_run_to_the_last_collection(flowc, monkeypatch):
    with s3_server() as endpoint:
        make_bucket(endpoint, "bucket")
        for name, value in {**s3_environment(endpoint), "FLOWC_BLOBS": "s3://bucket/runs"}.items():
            monkeypatch.setenv(name, value)
        assert flowc.run("one")[:2] == (0, "50000\n")
        assert not Path(".flowc/blobs").exists()
        assert flowc("output", "one", "--step", "big", "--json")[1] == json.dumps("a" * 50000) + "\n"
        assert "2 stored values" in flowc("store", "check")[1]
        assert flowc("delete", "one")[0] == 0
        told = json.loads(flowc("store", "gc", "--grace", "0s", "--json")[1])
        assert told["blobs"] + told["young_blobs"] == 2, "S3 tells ages in whole seconds"
        monkeypatch.setenv("FLOWC_BLOBS", "s3://nowhere/runs")
        code, _, err = flowc.run("two")
        assert code == 2
        assert "Make the bucket" in err
