"""Every column of every row is under a checksum that no later statement makes right."""

import sqlite3

import pytest

from flowrt.errors import StoreCorrupt
from flowrt.store.blobs import MemoryBlobs
from flowrt.store.open import open_store
from flowrt.store.owner import this_owner
from flowrt.store.rows import NewEvent, Park, WaitRow
from flowrt.store.schema import metadata, runs
from flowrt.upkeep.collect import collect_garbage
from stores import another_machine, batch, new_deployment, new_run, owned_run

ME = this_owner()


@pytest.fixture
def place(tmp_path):
    store, _ = open_store(str(tmp_path))
    yield tmp_path / "journal.db", store
    store.close()


def change(journal, statement, *values):
    connection = sqlite3.connect(journal)
    connection.execute("PRAGMA foreign_keys=OFF")
    changed = connection.execute(statement, values).rowcount
    connection.commit()
    connection.close()
    assert changed


def other(value):
    match value:
        case None | "":
            return 5
        case int():
            return value ^ 1
        case str():
            return value[:-1] + chr(ord(value[-1]) ^ 1)
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1])


def cell(journal, table, column):
    connection = sqlite3.connect(journal)
    [(value,)] = connection.execute(f"SELECT {column} FROM {table} LIMIT 1").fetchall()
    connection.close()
    return value


@pytest.mark.parametrize("column", [column.name for column in runs.c if column.name != "run_no"])
def test_no_column_of_a_run_can_be_another_unnoticed(place, column):
    journal, store = place
    epoch = owned_run(store)
    store.append([batch("r1", epoch, 1, b"x", status="running", started_at=5)])
    change(journal, f"UPDATE runs SET {column} = ?", other(cell(journal, "runs", column)))
    with pytest.raises(StoreCorrupt, match="is damaged"):
        store.runs()


@pytest.mark.parametrize("column", [column.name for column in metadata.tables["deployments"].c])
def test_no_column_of_a_deployment_can_be_another_unnoticed(place, column):
    journal, store = place
    store.deploy(new_deployment())
    change(journal, f"UPDATE deployments SET {column} = ?", other(cell(journal, "deployments", column)))
    with pytest.raises(StoreCorrupt, match="is damaged"):
        store.deployments()


EVENT_COLUMNS = [column.name for column in metadata.tables["events"].c if column.name != "event_id"]


@pytest.mark.parametrize("column", EVENT_COLUMNS)
def test_no_column_of_an_event_can_be_another_unnoticed(place, column):
    journal, store = place
    store.create(new_run())
    store.send(NewEvent("go", "k", b"1", 7, "r1", "once"))
    change(journal, f"UPDATE events SET {column} = ?", other(cell(journal, "events", column)))
    with pytest.raises(StoreCorrupt, match="is damaged"):
        store.all_events(0, 9)


WRITES = {
    "renew": lambda store, epoch: store.renew({"r1": epoch}, 99),
    "release": lambda store, epoch: store.release("r1", epoch, "suspended", wake_at=3),
    "claim": lambda store, _: store.claim("r1", ME, 1 << 40, 1 << 41),
    "claim_due": lambda store, _: store.claim_due(ME, 1 << 40, 1 << 41, 9),
    "cancel": lambda store, _: store.request_cancel("r1", "enough"),
    "serve": lambda store, _: store.serve("r1", 5),
    "append": lambda store, epoch: store.append([batch("r1", epoch, 1, b"x", status="running")]),
    "reopen": lambda store, epoch: store.reopen("r1", epoch, ("/n",), None, b""),
    "free_dead": lambda store, _: store.free_dead(),
}


@pytest.mark.parametrize("write", WRITES)
def test_no_statement_makes_a_damaged_row_sound(place, write):
    journal, store = place
    epoch = owned_run(store, served=True)
    change(journal, "UPDATE runs SET started_at = 6")
    try:
        WRITES[write](store, epoch)
    except StoreCorrupt as error:
        assert "is damaged" in str(error)  # noqa: PT017 - some may notice, some need not
    with pytest.raises(StoreCorrupt, match="checksum is wrong"):
        store.run("r1")


def test_nothing_is_appended_to_a_damaged_run(place):
    journal, store = place
    epoch = owned_run(store)
    change(journal, "UPDATE runs SET events_after = 6")
    with pytest.raises(StoreCorrupt, match="checksum is wrong"):
        store.append([batch("r1", epoch, 1, b"x")])
    change(journal, "UPDATE runs SET events_after = 0")
    assert [row.data for row in store.journal("r1")] == [b"started"]


def test_a_damaged_run_that_an_event_wakes_is_laid_aside(place):
    journal, store = place
    epoch = owned_run(store, served=True)
    park = Park(None, [WaitRow("go", None, 0)])
    store.append([batch("r1", epoch, 1, b"x", status="waiting", park=park)])
    change(journal, "UPDATE runs SET started_at = 6")
    store.send(NewEvent("go", None, b"1", 7))
    assert store.claim_due(ME, 5, 6, 9) == []
    assert cell(journal, "runs", "wake_at") is None
    assert "checksum is wrong" in cell(journal, "runs", "problem")


def test_a_run_of_another_machine_is_sound_after_all_that_happens_to_it(place):
    _, store = place
    store.create(new_run(served=True))
    [row] = store.claim_due(another_machine(), 10, 20, 9)
    store.renew({"r1": row.epoch}, 30)
    store.request_cancel("r1", "Schluß", force=True)
    store.append([batch("r1", row.epoch, 1, b"x", status="waiting", park=Park(9, [WaitRow("go", "k", 0)]))])
    store.send(NewEvent("go", "k", b"1", 7))
    [again] = store.claim_due(ME, 10, 20, 9)
    store.append([batch("r1", again.epoch, 2, b"y", status="succeeded", ended_at=8)])
    store.release("r1", again.epoch, problem='it\'s \\ "odd" \x00 \ud800')
    row = store.run("r1")
    assert (row.status, row.head, row.cancel_reason) == ("succeeded", 3, "Schluß")
    assert row.problem == 'it\'s \\ "odd" \x00 \ud800'


def test_a_run_whose_instant_is_damaged_does_not_sleep_for_ever(place):
    journal, store = place
    for run_id in ("r1", "r2"):
        epoch = owned_run(store, run_id, served=True)
        store.append([batch(run_id, epoch, 1, b"x", status="waiting", park=Park(50))])
    change(journal, "UPDATE runs SET wake_at = 1 << 60 WHERE run_id = 'r1'")
    change(journal, "UPDATE runs SET wake_at = NULL WHERE run_id = 'r2'")
    assert store.claim_due(ME, 100, 200, 9) == []
    assert store.call_damaged(0) == 2
    assert store.call_damaged(2) == 0
    assert store.claim_due(ME, 100, 200, 9) == []
    assert "checksum is wrong" in cell(journal, "runs", "problem")
    store.call_damaged(0)
    assert cell(journal, "runs", "max(wake_at)") is None


@pytest.mark.parametrize("table", ["blob_refs", "program_code"])
def test_nothing_is_collected_when_it_cannot_be_told_what_is_needed(place, table):
    journal, store = place
    store.create(new_run(blobs=["b" * 64]))
    blobs = MemoryBlobs()
    assert collect_garbage(store, blobs, now=1 << 50).program_count == 0
    column = {"blob_refs": "digest", "program_code": "code"}[table]
    change(journal, f"UPDATE {table} SET {column} = ?", other(cell(journal, table, column)))
    with pytest.raises(StoreCorrupt, match=f"A row of {table}"):
        collect_garbage(store, blobs, now=1 << 50)
    assert f"A row of {table}" in store.faults()[0]


def test_a_damaged_wait_is_a_fault(place):
    journal, store = place
    epoch = owned_run(store, served=True)
    store.append([batch("r1", epoch, 1, b"x", status="waiting", park=Park(None, [WaitRow("go", None, 0)]))])
    assert store.faults() == []
    change(journal, "UPDATE waits SET name = 'gp'")
    assert "'gp', is damaged" in store.faults()[0]


def test_a_store_whose_versions_do_not_agree_is_damaged(place):
    journal, store = place
    store.close()
    change(journal, "UPDATE meta SET value = '1'")
    with pytest.raises(StoreCorrupt, match="version 1 by its table"):
        open_store(str(journal.parent))
