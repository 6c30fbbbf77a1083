"""With a key, whoever can write to the store but lacks the key can change nothing in it unnoticed."""

import dataclasses
import hashlib
import json
import sqlite3
import zlib
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.dialects.sqlite import dialect

from flowrt.errors import StoreCorrupt, StoreError, WrongStoreKey
from flowrt.store import opened as opening
from flowrt.store.checksum import event_checksum, record_checksum
from flowrt.store.owner import this_owner
from flowrt.store.rows import Batch, Deployment, NewEvent, NewRun
from flowrt.store.schema import runs
from flowrt.store.sql_checksum import checksum_of, teach

KEY = "0123456789abcdef0123456789abcdef"
OTHER = "another key that is as long as it must be"
LATER = 10_000_000
PROGRAM, CODE = b"the program", b"the code"


def digest(data):
    return hashlib.sha256(data).hexdigest()


def new_run(run_id="r1", **changes):
    run = NewRun(
        run_id=run_id,
        flow="hello",
        program_digest=digest(PROGRAM),
        program=PROGRAM,
        code={digest(CODE): CODE},
        inputs_digest="i" * 64,
        first=b"started",
        labels={"team": "ä", "a": "b"},
        versions={"flowc": "0.1.0"},
        python_path=("/a", "/b c", "/\udcff"),
        created_at=5,
    )
    return dataclasses.replace(run, **changes)


class Place:
    """A store on disk, opened with keys, and the eyes and hands of somebody who has none."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.stores = []

    def opened(self, key=KEY, old=None):
        for name, value in (("FLOWC_STORE_KEY", key), ("FLOWC_STORE_KEYS_OLD", old)):
            if value is None:
                self.monkeypatch.delenv(name, raising=False)
            else:
                self.monkeypatch.setenv(name, value)
        store, _ = opening.opened(str(self.folder))
        self.stores.append(store)
        return store

    def filled(self):
        """A store with a run of three records, an event and a deployment."""
        store = self.opened()
        store.create(new_run())
        epoch = store.claim("r1", this_owner(), 0, LATER)
        store.append([Batch("r1", epoch, 1, [b"one", b"two"], events=[NewEvent("said", "k", b"x", 7)])])
        store.send(NewEvent("done", "k", b"payload", 7))
        store.deploy(
            Deployment(
                "hello", digest(PROGRAM), PROGRAM, {}, {"a": "b"}, {"flowc": "1"}, ("/a",), None, None, 0, 9
            )
        )
        return store

    def sql(self, text, *values):
        connection = sqlite3.connect(self.folder / "journal.db")
        try:
            found = connection.execute(text, values).fetchall()
            teach(connection)
            # Somebody who changes a row can make its checksum right.
            connection.execute(str(update(runs).values(checksum=checksum_of({})).compile(dialect=dialect())))
            connection.commit()
        finally:
            connection.close()
        return found

    def close(self):
        for store in self.stores:
            store.close()


@pytest.fixture
def place(tmp_path, monkeypatch):
    made = Place(tmp_path / "store", monkeypatch)
    yield made
    made.close()


def read_all(store):
    """All that is decoded later, read as the runtime reads it."""
    row = store.run("r1")
    store.program(row.program_digest)
    store.code(digest(CODE))
    records = list(store.journal("r1"))
    store.deployments()
    return row, records, store.events("done", "k", "r1", 0, 10), store.events("said", "k", "r1", 0, 10)


def test_what_was_sealed_is_read_back_as_it_was(place):
    row, records, done, said = read_all(place.filled())
    assert tuple(row.python_path) == ("/a", "/b c", "/\udcff")
    assert [(r.seq, r.epoch, r.data) for r in records] == [(0, 0, b"started"), (1, 1, b"one"), (2, 1, b"two")]
    assert [event.payload for event in (*done, *said)] == [b"payload", b"x"]
    again = place.opened()
    assert read_all(again)[1] == records
    assert [r.data for r in again.journal("r1", 2)] == [b"two"]
    assert [r.data for r in again.journals(["r1"])["r1"]] == [b"started", b"one", b"two"]
    assert [row.run_id for row in again.runs()] == ["r1"]


def test_an_append_whose_answer_was_lost_is_found_in_place(place):
    store = place.opened()
    store.create(new_run())
    epoch = store.claim("r1", this_owner(), 0, LATER)
    batch = Batch("r1", epoch, 1, [b"one"])
    assert store.append([batch]) == frozenset()
    assert store.append([batch]) == frozenset()
    assert [row.data for row in store.journal("r1")] == [b"started", b"one"]
    assert store.append([Batch("gone", 1, 1, [b"x"])]) == {"gone"}


# Somebody who can write to the store, knows its format, and lacks the key


def _record(place, data, *, seq=1, epoch=1):
    checksum = record_checksum("r1", seq, epoch, data)
    place.sql("UPDATE records SET data = ?, checksum = ? WHERE seq = ?", data, checksum, seq)


def _records(place):
    return {row[0]: row[1] for row in place.sql("SELECT seq, data FROM records")}


def record_changed(place):
    data = bytearray(_records(place)[1])
    data[-1] ^= 1
    _record(place, bytes(data))


def record_stripped(place):
    _record(place, b"\x01 not sealed")


def record_moved(place):
    _record(place, _records(place)[2])


def record_of_another_epoch(place):
    data = _records(place)[2]
    place.sql("UPDATE records SET epoch = 0, checksum = ? WHERE seq = 2", record_checksum("r1", 2, 0, data))


def end_cut_off(place):
    place.sql("DELETE FROM records WHERE seq = 2")
    place.sql("UPDATE runs SET head = 2")


def all_but_the_start_cut_off(place):
    place.sql("DELETE FROM records WHERE seq > 0")
    place.sql("UPDATE runs SET head = 1")


def cut_off_with_no_seal(place):
    all_but_the_start_cut_off(place)
    place.sql("UPDATE runs SET head_seal = ''")


def program_exchanged(place):
    place.sql("UPDATE programs SET data = ?, sha256 = ?", b"evil", digest(b"evil"))


def code_exchanged(place):
    place.sql("UPDATE code SET data = ?, sha256 = ?", b"evil", digest(b"evil"))


def another_program_named(place):
    evil = digest(b"evil")
    place.sql("INSERT INTO programs (digest, sha256, data) VALUES (?, ?, ?)", evil, evil, b"evil")
    place.sql("UPDATE runs SET program_digest = ?", evil)


def event_changed(place):
    [[name, key, payload]] = place.sql("SELECT name, key, payload FROM events WHERE name = 'done'")
    changed = payload[:-1] + b"!"
    checksum = event_checksum(name, key, 7, None, None, changed)
    place.sql("UPDATE events SET payload = ?, checksum = ? WHERE name = 'done'", changed, checksum)


def event_renamed(place):
    [[key, payload]] = place.sql("SELECT key, payload FROM events WHERE name = 'said'")
    checksum = event_checksum("done", key, 7, None, None, payload)
    place.sql("UPDATE events SET name = 'done', checksum = ? WHERE name = 'said'", checksum)


def event_made_up(place):
    place.sql(
        "INSERT INTO events (name, key, checksum, payload, at) VALUES ('done', 'k', ?, ?, 7)",
        event_checksum("done", "k", 7, None, None, b"\x11\xc0"),
        b"\x11\xc0",
    )


def search_path_changed(place):
    place.sql("UPDATE runs SET python_path = ?", json.dumps(["/evil"]))


def labels_changed(place):
    place.sql("UPDATE runs SET labels = ?", json.dumps({"team": "evil"}))


def snapshot_changed(place):
    place.sql("UPDATE runs SET snapshot = ?", "e" * 64)


def run_renamed(place):
    place.sql("UPDATE runs SET flow = 'evil'")


def seal_taken_away(place):
    place.sql("UPDATE runs SET seal = ''")


def deployed_path_changed(place):
    place.sql("UPDATE deployments SET python_path = ?", json.dumps(["/evil"]))


def schedule_changed(place):
    place.sql("UPDATE deployments SET schedule = '{}'")


ATTACKS = [
    record_changed,
    record_stripped,
    record_moved,
    record_of_another_epoch,
    end_cut_off,
    all_but_the_start_cut_off,
    cut_off_with_no_seal,
    program_exchanged,
    code_exchanged,
    another_program_named,
    event_changed,
    event_renamed,
    event_made_up,
    search_path_changed,
    labels_changed,
    snapshot_changed,
    run_renamed,
    seal_taken_away,
    deployed_path_changed,
    schedule_changed,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_somebody_without_the_key_is_refused(place, attack):
    store = place.filled()
    attack(place)
    with pytest.raises((StoreCorrupt, WrongStoreKey)):
        read_all(store)


def test_every_byte_of_a_record_is_under_its_seal(place):
    store = place.filled()
    whole = _records(place)[1]
    for at in range(len(whole)):
        data = bytearray(whole)
        data[at] ^= 0x10
        _record(place, bytes(data))
        with pytest.raises((StoreCorrupt, WrongStoreKey), match="record 1 of run r1"):
            list(store.journal("r1"))
        assert store.journals(["r1"]) == {}
    _record(place, whole)
    assert len(list(store.journal("r1"))) == 3


def test_records_of_an_earlier_run_of_the_same_id_do_not_fit(place):
    store = place.filled()
    old = _records(place)
    epoch = store.run("r1").epoch
    store.append([Batch("r1", epoch, 3, [b"end"], status="succeeded", ended_at=9)])
    store.release("r1", epoch)
    store.delete("r1")
    store.create(new_run())
    store.claim("r1", this_owner(), 0, LATER)
    store.append([Batch("r1", 1, 1, [b"new one"])])
    assert [row.data for row in store.journal("r1")] == [b"started", b"new one"]
    _record(place, old[1])
    with pytest.raises(StoreCorrupt):
        list(store.journal("r1"))


def test_a_run_that_goes_on_with_other_code_is_sealed_anew(place):
    store = place.filled()
    store.reopen("r1", 1, ("/new",), "s" * 64, b"")
    row = place.opened().run("r1")
    assert (tuple(row.python_path), row.snapshot) == (("/new",), "s" * 64)


def test_a_due_run_that_was_tampered_with_is_laid_aside_and_the_others_go_on(place):
    store = place.opened()
    for name in ("bad", "good"):
        store.create(new_run(name, served=True))
        store.serve(name, 1)
    place.sql("UPDATE runs SET python_path = '[\"/evil\"]' WHERE run_id = 'bad'")
    rows = store.claim_due(this_owner(), 5, LATER, 10)
    assert [row.run_id for row in rows] == ["good"]
    [[problem, owner]] = place.sql("SELECT problem, owner FROM runs WHERE run_id = 'bad'")
    assert "seal" in problem
    assert owner is None


# Keys


def test_a_sealed_store_needs_its_key(place):
    place.filled()
    with pytest.raises(WrongStoreKey, match="is sealed, and FLOWC_STORE_KEY is not set"):
        place.opened(None)
    with pytest.raises(WrongStoreKey, match=r"was made with the key [0-9a-f]{8}.* FLOWC_STORE_KEYS_OLD"):
        place.opened(OTHER)


def test_a_store_without_seals_is_not_read_with_a_key(place):
    store = place.opened(None)
    store.create(new_run())
    with pytest.raises(WrongStoreKey, match="unset FLOWC_STORE_KEY"):
        place.opened()
    assert place.opened(None).run("r1").seal == b""


def test_a_key_is_changed_by_keeping_the_old_one_for_reading(place):
    place.filled()
    store = place.opened(OTHER, f"{KEY},")
    assert [row.data for row in store.journal("r1")] == [b"started", b"one", b"two"]
    store.append([Batch("r1", 1, 3, [b"three"])])
    assert [row.data for row in place.opened(OTHER, KEY).journal("r1")][-1] == b"three"
    only_old = place.opened(KEY, OTHER)
    assert len(list(only_old.journal("r1"))) == 4


@pytest.mark.parametrize(
    ("key", "old", "match"),
    [
        ("", None, "FLOWC_STORE_KEY has 0 characters"),
        ("short", None, "FLOWC_STORE_KEY has 5 characters.*openssl rand"),
        (KEY + "," + KEY, None, "a comma"),
        (KEY, "short", "FLOWC_STORE_KEYS_OLD has 5 characters"),
        (None, OTHER, "FLOWC_STORE_KEY, the key to write with, is not"),
    ],
)
def test_a_key_that_is_none_is_refused_before_a_store_is_made(place, key, old, match):
    with pytest.raises(WrongStoreKey, match=match):
        place.opened(key, old)
    assert not place.folder.exists()


def test_keys_stay_out_of_messages_and_of_the_store(place):
    place.filled()
    with pytest.raises(StoreError) as caught:
        place.opened(OTHER)
    assert OTHER not in str(caught.value)
    for file in place.folder.rglob("*"):
        if file.is_file():
            assert KEY.encode() not in file.read_bytes()


def test_a_key_with_a_line_end_is_the_same_key(place):
    place.filled()
    assert place.opened(KEY + "\n").run("r1").run_id == "r1"


def test_the_crc_alone_would_not_have_found_it(place):
    """The attacks above pass the checksums of the database: the seal finds them."""
    place.filled()
    record_changed(place)
    [[data, checksum]] = place.sql("SELECT data, checksum FROM records WHERE seq = 1")
    assert checksum == zlib.crc32(data, zlib.crc32(b"r1 1 1"))
