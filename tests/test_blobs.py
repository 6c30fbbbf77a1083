"""Values by content: what was put comes back, whole or not at all."""

import contextlib
import fcntl
import hashlib
import os
import pickle
import stat
import subprocess
import sys
import threading
import time

import pytest
from s3_server import make_bucket, s3_environment, s3_server

from flowrt.errors import StoreCorrupt, StoreUnavailable
from flowrt.store import blobs as blobs_module
from flowrt.store.blobs import LocalBlobs, MemoryBlobs
from flowrt.store.content import GRACE_US, REFRESH_US
from flowrt.store.object_blobs import ObjectBlobs

MINUTE = 60_000_000


def now_us():
    return time.time_ns() // 1000


@pytest.fixture(scope="module")
def endpoint():
    with s3_server() as address:
        make_bucket(address, "values")
        yield address


@pytest.fixture(params=["memory", "local", "s3"])
def blobs(request, tmp_path, monkeypatch):
    if request.param == "memory":
        return MemoryBlobs()
    if request.param == "local":
        return LocalBlobs(tmp_path / "blobs")
    for name, value in s3_environment(request.getfixturevalue("endpoint")).items():
        monkeypatch.setenv(name, value)
    return ObjectBlobs(f"s3://values/{tmp_path.name}")


def file_of(root, digest):
    return root / digest[:2] / digest[2:]


@pytest.mark.parametrize(
    "parts",
    [[b"abc", b"", b"de"], [], [b""], [memoryview(b"xyz"), b"!"]],
    ids=["several", "none", "empty", "views"],
)
def test_what_was_put_comes_back_under_the_digest_of_its_bytes(blobs, parts):
    whole = b"".join(parts)
    assert blobs.put(parts) == (hashlib.sha256(whole).hexdigest(), len(whole))
    assert blobs.put([whole]) == (hashlib.sha256(whole).hexdigest(), len(whole))
    assert blobs.get(hashlib.sha256(whole).hexdigest()) == whole


def test_parts_of_wide_items_are_counted_in_bytes(blobs):
    wide = memoryview(bytearray(80)).cast("d")
    digest, size = blobs.put([wide])
    assert (size, blobs.get(digest)) == (80, bytes(80))


@pytest.mark.parametrize("digest", ["ab" * 32, "../../etc/passwd", "", "AB" * 32, "ab" * 31])
def test_what_is_not_there_is_damage(blobs, digest):
    with pytest.raises(StoreCorrupt):
        blobs.get(digest)


def test_what_is_there_is_told(blobs):
    before = now_us()
    assert list(blobs.every()) == []
    put = {blobs.put([data]) for data in (b"a", b"b" * 1000, b"a")}
    told = list(blobs.every())
    assert {(facts.digest, facts.size) for facts in told} == put
    assert len(told) == 2
    assert all(before - 2_000_000 < facts.at <= now_us() for facts in told)


def test_only_what_is_old_is_removed(blobs):
    digest, _ = blobs.put([b"x"])
    assert not blobs.remove(digest, now_us() - MINUTE)
    assert blobs.get(digest) == b"x"
    assert blobs.remove(digest, now_us() + MINUTE)
    assert not blobs.remove(digest, now_us() + MINUTE)
    assert list(blobs.every()) == []
    with pytest.raises(StoreCorrupt, match="missing"):
        blobs.get(digest)
    blobs.put([b"x"])
    assert blobs.get(digest) == b"x"


def test_nothing_is_removed_under_a_name_that_is_no_digest(blobs):
    with pytest.raises(StoreCorrupt, match="no digest"):
        blobs.remove("../../etc/passwd", now_us())


def test_many_threads_may_put_the_same(blobs):
    digests = []

    def put():
        digests.extend(blobs.put([b"x" * 10_000])[0] for _ in range(20))

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 80
    assert blobs.get(digests[0]) == b"x" * 10_000


def test_files_are_their_users_own_and_nothing_else_is_left(tmp_path):
    root = tmp_path / "blobs"
    digest, _ = LocalBlobs(root).put([b"x"])
    file = file_of(root, digest)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (root, file.parent)} == {0o700}
    assert [path for path in root.rglob("*") if path.is_file()] == [root / ".lock", file]


def test_a_value_that_is_there_is_not_written_again(tmp_path):
    digest, _ = LocalBlobs(tmp_path).put([b"x" * 100])
    before = file_of(tmp_path, digest).stat().st_ino
    LocalBlobs(tmp_path).put([b"x" * 100])
    assert file_of(tmp_path, digest).stat().st_ino == before


def test_a_value_that_was_cut_is_reported_and_put_right_by_the_next_who_has_it(tmp_path):
    blobs = LocalBlobs(tmp_path)
    digest, _ = blobs.put([b"x" * 100])
    os.truncate(file_of(tmp_path, digest), 50)
    with pytest.raises(StoreCorrupt, match="damaged"):
        blobs.get(digest)
    blobs.put([b"x" * 100])
    assert blobs.get(digest) == b"x" * 100


def test_a_value_that_was_altered_is_reported(tmp_path):
    blobs = LocalBlobs(tmp_path)
    digest, _ = blobs.put([b"x" * 100])
    file_of(tmp_path, digest).write_bytes(b"y" * 100)
    with pytest.raises(StoreCorrupt, match=digest[2:]):
        blobs.get(digest)


def test_folders_that_vanish_are_made_again(tmp_path):
    blobs = LocalBlobs(tmp_path / "b")
    digest, _ = blobs.put([b"x"])
    file_of(tmp_path / "b", digest).unlink()
    (tmp_path / "b" / digest[:2]).rmdir()
    assert blobs.put([b"x"])[0] == digest
    assert blobs.get(digest) == b"x"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreUnavailable, match="cannot be written to"):
        LocalBlobs(tmp_path / "file").put([b"x"])


def test_a_failed_write_leaves_nothing(tmp_path):
    text = (
        "import resource, sys\n"
        "from flowrt.errors import StoreUnavailable\n"
        "from flowrt.store.blobs import LocalBlobs\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try: LocalBlobs(sys.argv[1]).put([b'x' * 500, b'y' * 5000])\n"
        "except StoreUnavailable as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", text, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert "A value of 5500 bytes cannot be written" in done.stdout
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_workers_get_local_blobs_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blobs = LocalBlobs("b")
    digest, _ = blobs.put([b"x"])
    monkeypatch.chdir("/")
    sent = pickle.dumps(blobs)
    assert len(sent) < 500
    assert pickle.loads(sent).get(digest) == b"x"


def test_blobs_in_memory_are_not_sent_to_workers():
    with pytest.raises(TypeError, match="directory"):
        pickle.dumps(MemoryBlobs())


def age(root, digest, by_us):
    file = file_of(root, digest)
    at = file.stat().st_mtime_ns - by_us * 1000
    os.utime(file, ns=(at, at))


def test_a_value_that_is_put_again_when_it_is_old_becomes_young(tmp_path):
    blobs = LocalBlobs(tmp_path)
    digest, _ = blobs.put([b"x" * 100])
    age(tmp_path, digest, REFRESH_US - MINUTE)
    [before] = blobs.every()
    blobs.put([b"x" * 100])
    assert [before] == list(blobs.every()), "it is young enough"
    age(tmp_path, digest, 2 * MINUTE)
    blobs.put([b"x" * 100])
    [after] = blobs.every()
    assert after.at > now_us() - MINUTE
    assert not blobs.remove(digest, now_us() - GRACE_US)


def test_memory_ages_by_the_clock_it_is_given():
    at = [0]
    blobs = MemoryBlobs(lambda: at[0])
    blobs.put([b"x"])
    at[0] = REFRESH_US
    blobs.put([b"x"])
    assert [facts.at for facts in blobs.every()] == [0]
    at[0] += 1
    blobs.put([b"x"])
    assert [facts.at for facts in blobs.every()] == [REFRESH_US + 1]
    at[0] += REFRESH_US + 1
    blobs.renew(next(blobs.every()).digest)
    assert [facts.at for facts in blobs.every()] == [at[0]]


def test_a_removal_and_a_put_of_an_old_value_never_lose_it(tmp_path):
    """Whatever the order: when `put` returns, the value is there, and stays."""
    blobs, remover = LocalBlobs(tmp_path), LocalBlobs(tmp_path)
    digest, _ = blobs.put([b"x" * 100])
    lost, removed, over = [], [0], threading.Event()

    def remove():
        while not over.is_set():
            removed[0] += remover.remove(digest, now_us() - GRACE_US)

    thread = threading.Thread(target=remove)
    thread.start()
    for _ in range(400):
        with contextlib.suppress(FileNotFoundError):
            age(tmp_path, digest, 2 * GRACE_US)
        blobs.put([b"x" * 100])
        lost += [1] if not file_of(tmp_path, digest).exists() else []
    over.set()
    thread.join()
    assert lost == []
    assert removed[0] > 3, "nothing was tried"


def test_a_removal_waits_for_a_put_that_is_about_to_rename(tmp_path):
    blobs = LocalBlobs(tmp_path)
    digest, _ = blobs.put([b"x"])
    age(tmp_path, digest, 2 * GRACE_US)
    with (tmp_path / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        removal = threading.Thread(target=blobs.remove, args=(digest, now_us() - GRACE_US))
        removal.start()
        removal.join(0.1)
        assert removal.is_alive()
        os.utime(file_of(tmp_path, digest))
    removal.join()
    assert blobs.get(digest) == b"x"


def test_nobody_waits_for_ever_for_a_process_that_was_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(blobs_module, "_LOCK_PATIENCE_S", 0.05)
    blobs = LocalBlobs(tmp_path)
    blobs.put([b"x"])
    with (tmp_path / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(StoreUnavailable, match="temporarily unavailable"):
            blobs.put([b"y"])
    assert blobs.put([b"y"])[1] == 1
    assert list(tmp_path.rglob("*.tmp")) == []


def test_without_locks_values_are_put_and_never_removed(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", flock)
    blobs = LocalBlobs(tmp_path)
    digest, _ = blobs.put([b"x"])
    with pytest.raises(StoreUnavailable, match="not supported"):
        blobs.remove(digest, now_us() + MINUTE)
    assert blobs.get(digest) == b"x"


def test_what_a_writer_left_unfinished_is_swept_when_it_is_old(tmp_path):
    blobs = LocalBlobs(tmp_path)
    digest, _ = blobs.put([b"x"])
    folder = file_of(tmp_path, digest).parent
    dead, alive = (folder / f".{digest[2:18]}-{letter * 32}.tmp" for letter in "ab")
    dead.write_bytes(b"half")
    alive.write_bytes(b"half")
    (folder / "notes.txt").write_text("not ours")
    os.utime(dead, (0, 0))
    os.utime(folder / "notes.txt", (0, 0))
    assert blobs.sweep(now_us() - GRACE_US) == 1
    assert {path.name for path in folder.iterdir()} == {alive.name, "notes.txt", digest[2:]}
    assert [facts.digest for facts in blobs.every()] == [digest]


def test_what_is_not_there_cannot_be_renewed(blobs):
    with pytest.raises(StoreCorrupt, match="missing"):
        blobs.renew("0" * 64)
    digest, _ = blobs.put([b"x"])
    blobs.renew(digest)
    assert blobs.get(digest) == b"x"


def test_a_value_that_is_renewed_when_it_is_old_becomes_young_and_is_not_read(tmp_path, monkeypatch):
    blobs = LocalBlobs(tmp_path)
    digest, _ = blobs.put([b"x" * 100])
    age(tmp_path, digest, REFRESH_US + MINUTE)
    monkeypatch.setattr(LocalBlobs, "get", None)
    blobs.renew(digest)
    [after] = blobs.every()
    assert after.at > now_us() - MINUTE
    assert not blobs.remove(digest, now_us() - GRACE_US)


def test_a_file_that_cannot_be_touched_is_written_anew(tmp_path, monkeypatch):
    blobs = LocalBlobs(tmp_path)
    digest, _ = blobs.put([b"x" * 100])
    age(tmp_path, digest, REFRESH_US + MINUTE)

    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "utime", refuse)
    blobs.renew(digest)
    [after] = blobs.every()
    assert after.at > now_us() - MINUTE
