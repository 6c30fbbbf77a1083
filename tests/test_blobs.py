"""Values by content: what was put comes back, whole or not at all."""

import hashlib
import os
import pickle
import stat
import subprocess
import sys
import threading

import pytest

from flowrt.errors import StoreCorrupt, StoreUnavailable
from flowrt.store.blobs import LocalBlobs, MemoryBlobs


@pytest.fixture(params=["memory", "local"])
def blobs(request, tmp_path):
    return MemoryBlobs() if request.param == "memory" else LocalBlobs(tmp_path / "blobs")


def file_of(root, digest):
    return root / digest[:2] / digest[2:]


@pytest.mark.parametrize("parts", [[b"abc", b"", b"de"], [], [b""], [memoryview(b"xyz"), b"!"]], ids=repr)
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
    assert [path for path in root.rglob("*") if path.is_file()] == [file]


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
