"""A store of schema version 1, as an earlier flowc wrote it, is brought up to date and goes on."""

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from flowrt.encoding.values import Values
from flowrt.engine.drive import drive, recorded_result
from flowrt.errors import StoreTooNew, StoreUnavailable
from flowrt.executor.local import LocalExecutor
from flowrt.store.open import open_store
from flowrt.store.rows import NewEvent

V1 = Path(__file__).parent / "stores" / "v1"


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "store"
    shutil.copytree(V1, folder)
    return folder


@pytest.fixture
def opened(place, monkeypatch):
    monkeypatch.syspath_prepend(str(V1))  # For `v1_tasks`.
    store, blobs = open_store(str(place))
    yield store, blobs
    store.close()


def columns_and_indexes(journal):
    with sqlite3.connect(journal) as connection:
        tables = [
            name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")
        ]
        found = {
            table: (
                connection.execute(f"pragma table_xinfo({table})").fetchall(),
                connection.execute(f"pragma foreign_key_list({table})").fetchall(),
                sorted(
                    (name, unique, partial, tuple(connection.execute(f"pragma index_xinfo({name})")))
                    for _, name, unique, _, partial in connection.execute(f"pragma index_list({table})")
                ),
            )
            for table in tables
        }
        where = connection.execute("select name, lower(sql) from sqlite_master where sql like '% WHERE %'")
        partial = {name: sql.partition(" where ")[2] for name, sql in where}
        version = connection.execute("pragma user_version").fetchone()
    connection.close()
    return found, partial, version


def test_an_old_store_becomes_what_a_new_one_is(place, tmp_path):
    open_store(str(place))[0].close()
    open_store(str(tmp_path / "new"))[0].close()
    old = columns_and_indexes(place / "journal.db")
    assert old == columns_and_indexes(tmp_path / "new" / "journal.db")


def test_old_runs_are_listed_and_their_results_are_there(opened):
    store, blobs = opened
    rows = {row.run_id: row for row in store.runs()}
    assert {i: row.status for i, row in rows.items()} == {
        "finished": "succeeded",
        "failed": "failed",
        "waiting": "suspended",
    }
    assert not any(row.served or row.cancel_force or row.seal or row.wake_at for row in rows.values())
    result = recorded_result(store, rows["finished"])
    assert isinstance(Values(blobs).load(result.value), int)
    assert store.faults() == []


def test_the_blobs_of_old_runs_are_needed_until_they_are_deleted(opened):
    store, blobs = opened
    digests = {facts.digest for facts in blobs.every()}
    assert len(digests) == 2
    assert store.needed(digests) == digests
    gone = store.delete("finished")
    assert gone < digests
    assert len(gone) == 1


def test_an_old_run_that_waits_takes_its_event_and_ends(opened):
    store, blobs = opened
    store.send(NewEvent("approval", "a", Values(blobs).encode("yes"), 1))
    result = played(store, blobs, "waiting")
    assert (result.status, Values(blobs).load(result.value)) == ("succeeded", [30_000, "yes"])


def test_an_old_run_that_failed_can_be_reopened(opened):
    store, blobs = opened
    result = played(store, blobs, "failed", reopen=True)
    assert (result.status, result.failure.message) == ("failed", "as it was written")
    assert store.run("failed").head > 4


def played(store, blobs, run_id, **how):
    executor = LocalExecutor(threads=1)
    try:
        return drive(store, blobs, executor, [run_id], **how)[run_id]
    finally:
        executor.close()


def test_old_runs_see_the_events_that_came_after_them(place):
    with sqlite3.connect(place / "journal.db") as connection:
        [(created_at,)] = connection.execute("select created_at from runs where run_id = 'waiting'")
        connection.execute("delete from events")
        insert = "insert into events (name, key, checksum, payload, at) values ('e', null, 0, x'', ?)"
        for at in (created_at - 2, created_at - 1, created_at, created_at + 1):
            connection.execute(insert, (at,))
        [(first,)] = connection.execute("select min(event_id) from events")
    connection.close()
    store, _ = open_store(str(place))
    assert store.run("waiting").events_after == first + 1
    store.close()


def test_a_store_that_another_process_has_open_is_left_alone(place, monkeypatch):
    monkeypatch.setattr("flowrt.store.migrate.PATIENCE_S", 0.2)
    other = sqlite3.connect(place / "journal.db", isolation_level=None)
    other.execute("pragma journal_mode=wal")
    other.execute("select count(*) from runs").fetchall()
    with pytest.raises(StoreUnavailable, match="another process has it open"):
        open_store(str(place))
    assert other.execute("pragma user_version").fetchone() == (1,)
    other.close()
    store, _ = open_store(str(place))
    assert len(store.runs()) == 3
    store.close()


KILLED = """
import os, sys
from flowrt.store import migrate
from flowrt.store.open import open_store
real = migrate._fill_refs
def die(connection, holders, insert):
    real(connection, holders, insert)
    if "programs" in holders:
        os._exit(9)
migrate._fill_refs = die
open_store(sys.argv[1])
"""


def test_killed_in_the_middle_it_is_begun_anew(place):
    child = subprocess.run([sys.executable, "-c", KILLED, str(place)], check=False)
    assert child.returncode == 9
    store, _ = open_store(str(place))
    assert len(store.runs()) == 3
    assert store.faults() == []
    store.close()


def test_of_processes_that_come_at_once_one_does_it(place):
    look = (
        "import sys; from flowrt.store.open import open_store; "
        "assert len(open_store(sys.argv[1])[0].runs()) == 3"
    )
    children = [subprocess.Popen([sys.executable, "-c", look, str(place)]) for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]


def test_a_newer_store_is_refused(place):
    with sqlite3.connect(place / "journal.db") as connection:
        connection.execute("pragma user_version=4")
    connection.close()
    with pytest.raises(StoreTooNew, match="version 4"):
        open_store(str(place))
