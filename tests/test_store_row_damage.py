"""A damaged row of a run does not pass for another run, and does not keep the others from going on."""

import dataclasses
import sqlite3

import pytest

from flowrt.errors import StoreCorrupt
from flowrt.store.open import open_store
from flowrt.store.owner import this_owner
from flowrt.store.rows import NewEvent, NewRun

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


NO_TEXT = "CAST(x'66f08f' AS TEXT)"


@pytest.mark.parametrize("column", ["flow", "labels", "run_id", "status", "owner", "program_digest"])
def test_a_text_that_is_no_utf8_keeps_no_other_run_from_going_on(place, column):
    folder, store = place
    change(folder, f"{column} = {NO_TEXT}")
    assert [row.run_id for row in store.claim_due(this_owner(), 10, 20, 10)] == ["r2"]


@pytest.mark.parametrize("owner", ["'{'", "5", "'{}'", NO_TEXT])
def test_an_owner_that_cannot_be_read_keeps_no_other_run_from_being_freed(place, owner):
    folder, store = place
    dead = dataclasses.replace(this_owner(), pid=2**22 + 1)
    assert len(store.claim_due(dead, 10, 10**9, 10)) == 2
    change(folder, f"owner = {owner}")
    assert store.free_dead() == 1


def test_a_damaged_event_or_reason_keeps_nobody_from_the_news(place):
    folder, store = place
    store.send(NewEvent("go", "k", b"1", 1))
    store.request_cancel("r2", "enough")
    change(folder, "cancel_reason = x'00'")
    connection = sqlite3.connect(folder / "journal.db")
    connection.execute("UPDATE events SET name = x'00'")
    connection.commit()
    connection.close()
    news = store.news(["r1", "r2"], 0)
    assert (news.last_event_id, news.places) == (1, None)
    assert (set(news.cancels), news.cancels["r2"].reason) == ({"r1", "r2"}, "enough")


def test_a_run_that_goes_on_with_other_code_is_sound(place):
    _, store = place
    epoch = store.claim("r1", this_owner(), 0, 10)
    store.reopen("r1", epoch, ("/new",), "s" * 64, b"")
    row = store.run("r1")
    assert (tuple(row.python_path), row.snapshot, row.seal) == (("/new",), "s" * 64, b"")


@pytest.mark.parametrize("column", ["started_at", "ended_at"])
def test_an_instant_that_no_calendar_has_is_damage(place, column):
    folder, store = place
    change(folder, f"{column} = 1 << 61")
    with pytest.raises(StoreCorrupt, match=column):
        store.run("r1")
