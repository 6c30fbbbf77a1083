"""What the SQLite store promises beyond the protocol: durability, exclusion, no damage unseen."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest

from flowrt.errors import NotAStore, RunOwned, StoreCorrupt, StoreTooNew, StoreUnavailable, UnknownRun
from flowrt.store.open import open_store
from flowrt.store.owner import this_owner
from flowrt.store.rows import Batch, NewEvent, NewRun

LATER = 10**15


def new_run(run_id="r1"):
    return NewRun(run_id, "hello", "p" * 64, b"program", {}, "i", b"started", {}, {}, (), 5)


@pytest.fixture
def place(tmp_path):
    return tmp_path / ".flowc"


@pytest.fixture
def store(place):
    opened, _ = open_store(str(place))
    yield opened
    opened.close()


# Durability and exclusion


def test_the_journal_is_durable(store):
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("pragma journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("pragma synchronous").scalar() == 2
        assert connection.exec_driver_sql("pragma foreign_keys").scalar() == 1


APPEND = """
import sys
from flowrt.store.owner import this_owner
from flowrt.store.open import open_store
from flowrt.store.rows import Batch
store, _ = open_store(sys.argv[1])
epoch = store.claim("r1", this_owner(), 0, 10**15)
seq = store.run("r1").head
while True:
    count = seq % 3 + 1
    store.append([Batch("r1", epoch, seq, [b"%d" % n for n in range(seq, seq + count)])])
    seq += count
    sys.stdout.write(f"{seq}\\n")
    sys.stdout.flush()
"""


def test_what_append_returned_survives_kill_9(place, store):
    store.create(new_run())
    store.close()
    for lines in (1, 7, 40, 100):
        child = subprocess.Popen(
            [sys.executable, "-c", APPEND, str(place)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(lines):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().splitlines()
        child.stdout.close()
        assert child.wait() == -signal.SIGKILL
        opened, _ = open_store(str(place))
        rows = [row.data for row in opened.journal("r1")]
        promised = int(rest[-1]) if rest else 0
        assert len(rows) >= promised
        assert rows[1:] == [b"%d" % n for n in range(1, len(rows))]
        # The dead owner's lease still runs; being dead, it is passed over at once.
        opened.claim("r1", this_owner(), 1, 2)
        opened.release("r1", opened.run("r1").epoch)
        opened.close()


RACE = """
import sys
from flowrt.errors import RunOwned
from flowrt.store.owner import this_owner
from flowrt.store.open import open_store
store, _ = open_store(sys.argv[1])
owner = this_owner()
print("ready", flush=True)
for line in sys.stdin:
    try:
        print(store.claim(line.strip(), owner, 0, 10**15), flush=True)
    except RunOwned:
        print("owned", flush=True)
"""


def test_of_processes_that_claim_at_once_one_wins(place, store):
    for n in range(50):
        store.create(new_run(f"r{n}"))
    children = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for n in range(50):
        for child in children:
            child.stdin.write(f"r{n}\n")
            child.stdin.flush()
        assert sorted(child.stdout.readline().strip() for child in children) == ["1", "owned"]
        assert store.run(f"r{n}").epoch == 1
    for child in children:
        child.communicate()


def test_of_connections_that_claim_at_once_one_wins(place, store):
    stores = [open_store(str(place))[0] for _ in range(3)]
    for n in range(20):
        store.create(new_run(f"r{n}"))
        start = threading.Barrier(len(stores))
        answers = []

        def claim(opened, run_id=f"r{n}", start=start, answers=answers):
            start.wait()
            try:
                answers.append(opened.claim(run_id, this_owner(), 0, LATER))
            except RunOwned:
                answers.append("owned")

        threads = [threading.Thread(target=claim, args=(opened,)) for opened in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(str, answers)) == ["1", "owned", "owned"]
    for opened in stores:
        opened.close()


def test_processes_that_make_a_store_at_once_share_it(place):
    text = "import sys; from flowrt.store.open import open_store; open_store(sys.argv[1])[0].close()"
    children = [subprocess.Popen([sys.executable, "-c", text, str(place)]) for _ in range(4)]
    assert [child.wait() for child in children] == [0] * 4
    assert sorted(p.name for p in place.iterdir()) == [".gitignore", "journal.db"]


def test_threads_take_turns(store):
    for n in range(4):
        store.create(new_run(f"r{n}"))
        store.claim(f"r{n}", this_owner(), 0, LATER)

    def work(run_id):
        for seq in range(1, 40):
            store.append([Batch(run_id, 1, seq, [b"x"], events=[NewEvent("e", None, b"", 1)])])
            store.news([run_id], 0)

    threads = [threading.Thread(target=work, args=(f"r{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [store.run(f"r{n}").head for n in range(4)] == [40] * 4
    assert store.news([], 0).last_event_id == 4 * 39


def test_a_store_that_another_process_keeps_locked_is_unavailable(place, monkeypatch):
    monkeypatch.setattr("flowrt.store.sqlite.BUSY_TIMEOUT_S", 0.1)
    impatient, _ = open_store(str(place))
    other = sqlite3.connect(place / "journal.db", isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(StoreUnavailable, match="locked"):
        impatient.create(new_run())
    other.execute("rollback")
    other.close()
    impatient.create(new_run())
    impatient.close()


# Damage


def damaged(place, store, statement):
    store.create(new_run())
    epoch = store.claim("r1", this_owner(), 0, LATER)
    store.append([Batch("r1", epoch, 1, [b"a", b"b", b"c"])])
    with sqlite3.connect(place / "journal.db") as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "match"),
    [
        ("delete from records where seq = 2", "lacks record 2"),
        ("delete from records where seq >= 2", "last record is 1"),
        ("update runs set head = 3", "last record is 3"),
        ("update runs set head = 'four'", "should have four"),
        ("update records set seq = x'00' where seq = 3", "last record is b"),
        ("update records set epoch = 2 where seq = 3", "Record 3"),
        ("update records set data = (select data from records where seq = 1) where seq = 3", "Record 3"),
        ("update runs set epoch = 0", "checksum is wrong"),
        ("update records set data = 'text' where seq = 3", "Record 3"),
        ("update records set epoch = 0 where seq = 3", "Record 3"),
    ],
)
def test_holes_in_a_journal_are_reported(place, store, statement, match):
    damaged(place, store, statement)
    with pytest.raises(StoreCorrupt, match=match):
        list(store.journal("r1"))


@pytest.mark.parametrize(
    "statement",
    ["update runs set labels = 'x'", "update runs set owner = '{}'", "update runs set owner = '7'"],
)
def test_a_damaged_row_is_reported(place, store, statement):
    damaged(place, store, statement)
    with pytest.raises(StoreCorrupt, match="r1"):
        store.run("r1")


def test_a_damaged_program_is_reported(place, store):
    damaged(place, store, "update programs set data = x'78'")
    with pytest.raises(StoreCorrupt, match="damaged"):
        store.program("p" * 64)


def test_damaged_pages_are_reported(place, store):
    store.create(new_run())
    epoch = store.claim("r1", this_owner(), 0, LATER)
    store.append([Batch("r1", epoch, 1, [b"x" * 500] * 300)])
    store.close()
    journal = place / "journal.db"
    data = bytearray(journal.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    journal.write_bytes(data)
    with pytest.raises(StoreCorrupt, match=r"damaged|malformed"):
        _read_all(place)


def _read_all(place):
    opened, _ = open_store(str(place))
    return list(opened.journal("r1"))


def test_no_damage_of_the_file_gives_a_wrong_journal_or_another_error(tmp_path):
    opened, _ = open_store(str(tmp_path / "s"))
    opened.create(new_run())
    epoch = opened.claim("r1", this_owner(), 0, LATER)
    records = [b"%d" % n + b"x" * (n % 300) for n in range(200)]
    event = NewEvent("e", "k", b"payload", 1, dedupe="d")
    opened.append([Batch("r1", epoch, 1, records, events=[event])])
    opened.close()
    sound = (tmp_path / "s" / "journal.db").read_bytes()
    rng = random.Random(11)
    found = 0
    for n in range(150):
        damaged = bytearray(sound)
        for _ in range(rng.randint(1, 3)):
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        folder = tmp_path / f"d{n}"
        folder.mkdir()
        (folder / "journal.db").write_bytes(damaged[: rng.randrange(len(damaged))] if n % 5 == 0 else damaged)
        try:
            assert _look(folder) == [b"started", *records]
        except (StoreCorrupt, NotAStore, StoreTooNew, UnknownRun):
            found += 1
    assert found > 50


def _look(folder):
    opened, _ = open_store(str(folder))
    try:
        opened.runs()
        opened.news(["r1"], 0)
        opened.events("e", "k", "r1", 0, 9)
        opened.program("p" * 64)
        epoch = opened.claim("r1", this_owner(), LATER, 2 * LATER)
        head = opened.run("r1").head
        opened.append([Batch("r1", epoch, head, [b"more"])])
        return [row.data for row in opened.journal("r1")][:head]
    finally:
        opened.close()
