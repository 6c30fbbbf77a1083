"""Where a store may be and where not; what is something else is refused and left alone."""

import contextlib
import hashlib
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from flowrt.errors import NotAStore, StoreTooNew, StoreUnavailable
from flowrt.store.mounts import network_file_system
from flowrt.store.open import open_store
from flowrt.store.owner import this_owner
from flowrt.store.rows import Batch, NewRun

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


def fingerprint(folder):
    """Every file below a folder, its bytes and its mode."""
    return {
        str(path.relative_to(folder)): (
            oct(path.lstat().st_mode),
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in sorted(folder.rglob("*"))
    }


def refused(url, error, match, **options):
    with pytest.raises(error, match=match) as caught:
        open_store(str(url), **options)
    message = str(caught.value)
    assert message[0].isupper() or message[0] in "/~`'\"."
    assert message.endswith(".")
    return message


# Making and opening


def test_a_store_is_a_folder_of_its_own_that_only_its_user_reads(place, store):
    assert sorted(p.name for p in place.iterdir() if not p.name.endswith(("-wal", "-shm"))) == [
        ".gitignore",
        "journal.db",
    ]
    assert (place / ".gitignore").read_text() == "*\n"
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    store.create(new_run())
    for path in place.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_store_is_there_when_it_is_opened_again(place, store):
    store.create(new_run())
    store.close()
    again, _ = open_store(str(place), create=False)
    assert again.run("r1").flow == "hello"
    again.close()


def test_opening_without_making_leaves_nothing_behind(tmp_path, place):
    refused(place, StoreUnavailable, "There is no store", create=False)
    assert list(tmp_path.iterdir()) == []
    place.mkdir()
    refused(place, StoreUnavailable, "There is no store", create=False)
    assert list(place.iterdir()) == []


def test_an_empty_folder_becomes_a_store(tmp_path):
    opened, _ = open_store(str(tmp_path))
    opened.create(new_run())
    opened.close()
    assert (tmp_path / "journal.db").exists()


def test_a_folder_with_other_things_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    before = fingerprint(tmp_path)
    message = refused(tmp_path, NotAStore, "thesis.tex")
    assert str(tmp_path / ".flowc") in message
    assert fingerprint(tmp_path) == before


def test_the_leavings_of_a_process_that_died_while_making_a_store_do_no_harm(place):
    place.mkdir()
    (place / "journal.db.abc.tmp").write_bytes(b"half")
    (place / "journal.db.abc.tmp-journal").write_bytes(b"half")
    opened, _ = open_store(str(place))
    opened.create(new_run())
    opened.close()


def foreign_sqlite(path):
    with sqlite3.connect(path) as connection:
        connection.execute("create table meta (key text, value text)")
    connection.close()


@pytest.mark.parametrize(
    "write",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"garbage" * 1_000),
        lambda path: path.write_bytes(b"SQLite format 3\0"),
        foreign_sqlite,
    ],
    ids=["empty", "garbage", "cut", "foreign"],
)
@pytest.mark.parametrize("create", [True, False])
def test_a_journal_that_is_something_else_is_refused_and_left_alone(place, write, create):
    place.mkdir()
    write(place / "journal.db")
    before = fingerprint(place)
    refused(place, NotAStore, "not a flowc store", create=create)
    assert fingerprint(place) == before


def test_a_file_is_no_store(tmp_path):
    (tmp_path / "f").write_text("x")
    refused(tmp_path / "f", NotAStore, "is a file")
    refused(tmp_path / "f" / "below", NotAStore, "is a file")
    assert (tmp_path / "f").read_text() == "x"


@pytest.mark.parametrize("mark", ["header", "table"])
def test_a_store_of_a_newer_version_is_refused_and_left_alone(place, store, mark):
    store.create(new_run())
    store.close()
    with sqlite3.connect(place / "journal.db") as connection:
        if mark == "header":
            connection.execute("pragma user_version=999")
        else:
            connection.execute("update meta set value='999' where key='schema_version'")
    connection.close()
    before = fingerprint(place)
    refused(place, StoreTooNew, "Upgrade flowc")
    assert fingerprint(place) == before


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("mysql://user:secret@host/db", "not supported yet"),
        ("s3://bucket/prefix", "not supported yet"),
        ("postgresql://user:secret@host/db", "a place for large values"),
        ("", "give a directory"),
    ],
)
def test_other_kinds_of_places_are_not_supported_yet(tmp_path, monkeypatch, url, match):
    monkeypatch.chdir(tmp_path)
    assert "secret" not in refused(url, StoreUnavailable, match)
    assert list(tmp_path.iterdir()) == []


def test_blobs_may_be_elsewhere(tmp_path):
    opened, blobs = open_store(str(tmp_path / "s"), str(tmp_path / "b"))
    digest, _ = blobs.put([b"x"])
    assert (tmp_path / "b" / digest[:2] / digest[2:]).read_bytes() == b"x"
    opened.close()
    refused(tmp_path / "s2", StoreUnavailable, "s3://", blobs_url="ftp://bucket")
    assert not (tmp_path / "s2").exists()


def test_a_relative_store_stays_where_it_was_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    opened, blobs = open_store(".flowc")
    monkeypatch.chdir("/")
    digest, _ = blobs.put([b"x"])
    assert (tmp_path / ".flowc" / "blobs" / digest[:2] / digest[2:]).exists()
    opened.close()


# Read-only, full, network


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


@pytest.fixture
def public():
    """A folder that other users can come to."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        for path in [Path(folder), *Path(folder).rglob("*")]:
            path.chmod(0o700)


@pytest.mark.parametrize("what", ["all", "file", "folder"])
def test_a_read_only_store_is_refused_and_left_alone(public, what):
    place = public / "s"
    opened, _ = open_store(str(place))
    opened.create(new_run())
    opened.close()
    place.chmod(0o777 if what == "file" else 0o555)
    (place / "journal.db").chmod(0o666 if what == "folder" else 0o444)
    before = fingerprint(place)
    with nobody():
        refused(place, StoreUnavailable, "read-only")
    assert fingerprint(place) == before


def test_a_place_where_no_store_can_be_made_is_named(public):
    public.chmod(0o555)
    with nobody():
        refused(public / "s", StoreUnavailable, "Permission denied")


def test_a_store_that_may_not_be_read_is_named(public):
    open_store(str(public / "s"))[0].close()
    with nobody():
        refused(public / "s", StoreUnavailable, "Permission denied")


def test_a_full_store_says_so_and_changes_nothing(store):
    store.create(new_run())
    epoch = store.claim("r1", this_owner(), 0, LATER)
    with store._engine.connect() as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar()
        connection.exec_driver_sql(f"pragma max_page_count={pages + 2}")
    big = Batch("r1", epoch, 1, [b"x" * 30_000] * 5, status="running")
    with pytest.raises(StoreUnavailable, match="append to journals") as caught:
        store.append([big])
    assert "full" in str(caught.value)
    assert (store.run("r1").head, store.run("r1").status) == (1, "pending")
    assert store.append([Batch("r1", epoch, 1, [b"small"])]) == frozenset()
    assert [row.data for row in store.journal("r1")] == [b"started", b"small"]


FILE_SIZE_LIMIT = """
import resource, sys
from flowrt.errors import StoreUnavailable
from flowrt.store.owner import this_owner
from flowrt.store.open import open_store
from flowrt.store.rows import Batch
store, blobs = open_store(sys.argv[1])
epoch = store.claim("r1", this_owner(), 0, 10**15)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
seq = 1
journal = lambda: store.append([Batch("r1", epoch, seq, [b"x" * 20_000])])
for put in (journal, lambda: blobs.put([b"x" * 300_000])):
    try:
        for _ in range(100):
            put()
            seq += 1
    except StoreUnavailable as error:
        print(seq, error)
"""


def test_a_disk_that_runs_full_in_the_middle_loses_nothing_that_was_promised(place, store):
    store.create(new_run())
    store.close()
    done = subprocess.run(
        [sys.executable, "-c", FILE_SIZE_LIMIT, str(place)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    promised = int(first.split()[0])
    assert promised > 1
    assert "append to journals" in first
    assert "cannot be written" in second
    again, _ = open_store(str(place))
    assert len(list(again.journal("r1"))) == again.run("r1").head == promised
    again.close()
    assert not list(place.rglob("*.tmp"))


MOUNTS = r"""
/dev/vda / ext4 rw 0 0
server:/x /mnt/nfs nfs4 rw 0 0
server:/y /mnt/with\040space cifs rw 0 0
/dev/vdb /mnt/nfs/local ext4 rw 0 0
me@host: /mnt/ssh fuse.sshfs rw 0 0
/dev/fuse /mnt/ntfs fuse.ntfs-3g rw 0 0
C: /mnt/c 9p rw,aname=drvfs;path=C: 0 0
none /guest 9p rw,trans=fd 0 0
tmpfs /mnt/over nfs rw 0 0
tmpfs /mnt/over tmpfs rw 0 0
short line
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/home/x", None),
        ("/mnt/nfs", "nfs4"),
        ("/mnt/nfs/a/b", "nfs4"),
        ("/mnt/nfsx", None),
        ("/mnt/nfs/local/a", None),
        ("/mnt/with space/a", "cifs"),
        ("/mnt/ssh/a", "fuse.sshfs"),
        ("/mnt/ntfs", None),
        ("/mnt/c/Users", "drvfs"),
        ("/guest", None),
        ("/mnt/over", None),
    ],
)
def test_network_file_systems_are_known(tmp_path, folder, kind):
    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS)
    assert network_file_system(Path(folder), mounts) == kind
    assert network_file_system(Path(folder), tmp_path / "absent") is None


def test_a_store_on_a_network_file_system_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("flowrt.store.mounts.network_file_system", lambda _: "nfs4")
    refused(tmp_path / "s", StoreUnavailable, "network file system")
    assert list(tmp_path.iterdir()) == []
