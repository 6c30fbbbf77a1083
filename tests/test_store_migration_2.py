"""A store of schema version 2, as an earlier flowc wrote it, gets checksums and goes on: on each database."""

import shutil
import sqlite3
from pathlib import Path

import psycopg
import pytest
from postgres import shared_server

from flowrt.encoding.values import Values
from flowrt.engine.drive import drive, recorded_result
from flowrt.errors import StoreCorrupt, StoreUnavailable
from flowrt.executor.local import LocalExecutor
from flowrt.store.open import open_store
from flowrt.store.owner import this_owner
from flowrt.store.rows import NewEvent
from flowrt.store.schema import SCHEMA_VERSION
from flowrt.upkeep.check import check_store

V2 = Path(__file__).parent / "stores" / "v2"


def old_store(kind: str, folder: Path) -> tuple[str, str | None]:
    """Where an old store is, and its values."""
    shutil.copytree(V2, folder / "old")
    if kind == "sqlite":
        return str(folder / "old"), None
    url = shared_server().database()
    with psycopg.connect(url) as connection:
        connection.execute((V2 / "postgres.sql").read_text())
    return url, str(folder / "old" / "blobs")


@pytest.fixture(params=["sqlite", "postgres"])
def place(request, tmp_path):
    return old_store(request.param, tmp_path)


@pytest.fixture
def opened(place, monkeypatch):
    monkeypatch.syspath_prepend(str(V2))  # For `v2_tasks`.
    store, blobs = open_store(*place)
    yield store, blobs
    store.close()


def test_an_old_store_is_sound_and_stays_so(place, opened):
    store, blobs = opened
    statuses = {row.run_id: row.status for row in store.runs()}
    assert statuses == {
        "finished": "succeeded",
        "failed": "failed",
        "waiting": "suspended",
        "parked": "waiting",
        "napping": "waiting",
        "cancelled": "cancelled",
    }
    checked = check_store(store, blobs)
    assert (checked.findings, checked.run_count, checked.event_count) == ((), 6, 1)
    [deployment] = store.deployments()
    assert store.move_cursor("naps", deployment.cursor, deployment.cursor + 1)
    assert store.deployments()[0].cursor == deployment.cursor + 1
    again, _ = open_store(*place)
    assert len(again.runs()) == 6
    again.close()


def test_old_runs_go_on(opened):
    store, blobs = opened
    values = Values(blobs)
    assert values.load(recorded_result(store, store.run("finished")).value) == sum(range(30_000))
    store.send(NewEvent("approval", "a", values.encode("yes"), 1))
    [row] = store.claim_due(this_owner(), 1, 2, 9)
    assert row.run_id == "parked"
    executor = LocalExecutor(threads=1)
    result = drive(store, blobs, executor, ["waiting"])["waiting"]
    executor.close()
    assert (result.status, values.load(result.value)) == ("succeeded", [30_000, "yes"])
    assert store.delete("waiting") == frozenset()


def test_what_was_damaged_before_is_damage_still(tmp_path):
    place = old_store("sqlite", tmp_path)
    with sqlite3.connect(tmp_path / "old" / "journal.db") as connection:
        connection.execute("UPDATE runs SET flow = 'other' WHERE run_id = 'napping'")
        connection.execute("UPDATE events SET payload = x'00'")
    connection.close()
    store, _ = open_store(*place)
    with pytest.raises(StoreCorrupt, match="napping"):
        store.run("napping")
    assert store.run("parked").status == "waiting"
    with pytest.raises(StoreCorrupt, match="Event 1"):
        store.all_events(0, 9)
    store.close()


def test_an_older_flowc_that_is_connected_keeps_its_store(tmp_path, monkeypatch):
    monkeypatch.setattr("flowrt.store.migrate_postgres.PATIENCE_S", 0.3)
    url, blobs = old_store("postgres", tmp_path)
    version = "SELECT value FROM flowc.meta"
    with psycopg.connect(url, application_name="flowc") as older:
        with pytest.raises(StoreUnavailable, match="a process of that version is connected"):
            open_store(url, blobs)
        assert older.execute(version).fetchone() == ("2",)
    open_store(url, blobs)[0].close()
    with psycopg.connect(url) as connection:
        assert connection.execute(version).fetchone() == (str(SCHEMA_VERSION),)


def columns_and_indexes(url):
    columns = (
        "SELECT table_name, column_name, data_type, is_nullable, column_default, ordinal_position "
        "FROM information_schema.columns WHERE table_schema = 'flowc' ORDER BY 1, 2"
    )
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'flowc' ORDER BY 1"
    with psycopg.connect(url) as connection:
        return [connection.execute(query).fetchall() for query in (columns, indexes)]


def test_an_old_store_on_postgres_becomes_what_a_new_one_is(tmp_path):
    url, blobs = old_store("postgres", tmp_path)
    open_store(url, blobs)[0].close()
    new = shared_server().database()
    open_store(new, blobs)[0].close()
    assert columns_and_indexes(url) == columns_and_indexes(new)
