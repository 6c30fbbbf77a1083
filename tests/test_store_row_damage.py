"""A damaged row of a run does not pass for another run, and does not keep the others from going on."""

import sqlite3

import pytest

from flowrt.errors import StoreCorrupt
from flowrt.store.open import open_store
from flowrt.store.owner import this_owner
from flowrt.store.rows import NewRun

CHANGES = (
    "flow = 'g'",
    'labels = \'{"a": "c"}\'',
    "python_path = '[\"/b\"]'",
    "program_digest = 'q'",
    "created_at = 6",
    "status = 'pe?ding'",
    "run_id = 'r3'",
    "seal = 'crc 00000000'",
    "seal = 'crx'",
    "snapshot = 's'",
)


@pytest.fixture
def place(tmp_path):
    store, _ = open_store(str(tmp_path / "s"))
    for name in ("r1", "r2"):
        run = NewRun(name, "f", "p", b"p", {}, "i", b"first", {"a": "b"}, {}, ("/a",), 5, served=True)
        store.create(run)
    yield tmp_path / "s", store
    store.close()


def change(folder, what):
    connection = sqlite3.connect(folder / "journal.db")
    connection.execute(f"UPDATE runs SET {what} WHERE run_id = 'r1'")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("what", CHANGES)
def test_what_never_changes_of_a_run_is_under_a_checksum(place, what):
    folder, store = place
    change(folder, what)
    with pytest.raises(StoreCorrupt, match="is damaged"):
        store.run("r3" if "r3" in what else "r1")


def test_a_damaged_run_that_is_due_is_laid_aside(place):
    folder, store = place
    change(folder, CHANGES[1])
    assert [row.run_id for row in store.claim_due(this_owner(), 10, 20, 10)] == ["r2"]
    assert store.claim_due(this_owner(), 10, 20, 10) == []


def test_a_run_that_goes_on_with_other_code_is_sound(place):
    _, store = place
    epoch = store.claim("r1", this_owner(), 0, 10)
    store.reopen("r1", epoch, ("/new",), "s" * 64, b"")
    row = store.run("r1")
    assert (tuple(row.python_path), row.snapshot, row.seal) == (("/new",), "s" * 64, b"")
