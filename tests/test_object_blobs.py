"""Values in a bucket: over real HTTP, with a server that fails in every way that servers do."""

import pickle
import random
import socket
import threading
import time

import obstore
import pytest
from s3_server import STATUSES, Faults, faulty_proxy, make_bucket, s3_environment, s3_server

from flowrt.errors import StoreCorrupt, StoreUnavailable
from flowrt.store import object_blobs
from flowrt.store.content import GRACE_US, REFRESH_US
from flowrt.store.object_blobs import ObjectBlobs
from flowrt.store.open import open_store

NONE = {name: 0.0 for name in Faults.__dataclass_fields__ if isinstance(getattr(Faults(), name), float)}
MINUTE = 60_000_000


@pytest.fixture(scope="module")
def server():
    with s3_server() as address:
        make_bucket(address, "values")
        yield address


@pytest.fixture
def s3(server, monkeypatch):
    """The server as this process finds it."""
    for name, value in s3_environment(server).items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def url(tmp_path):
    return f"s3://values/{tmp_path.name}"


@pytest.fixture
def blobs(s3, url):  # noqa: ARG001
    return ObjectBlobs(url)


@pytest.fixture
def proxy(server, monkeypatch):
    """Put a proxy with these faults in front of the server; nothing else goes wrong."""
    proxies = []
    monkeypatch.setattr(object_blobs, "_PAUSE_MAX_S", 0.1)

    def start(**faults):
        manager = faulty_proxy(server, Faults(**{**NONE, **faults}))
        made = manager.__enter__()
        proxies.append(manager)
        for name, value in s3_environment(made.endpoint).items():
            monkeypatch.setenv(name, value)
        return made

    yield start
    for manager in proxies:
        manager.__exit__(None, None, None)


def now_us():
    return time.time_ns() // 1000


def paths(blobs):
    return sorted(path for path, _, _ in blobs._page(""))


def test_a_large_value_goes_in_pieces_and_comes_back(blobs):
    parts = [random.Random(1).randbytes(11_000_000), memoryview(bytearray(8_000_000)).cast("d"), b"end"]
    digest, size = blobs.put(parts)
    assert size == 19_000_003
    assert blobs.get(digest) == b"".join(parts)
    assert blobs.put(parts) == (digest, size)
    assert len(paths(blobs)) == 1


def test_a_value_that_is_there_and_young_is_not_written_again(proxy, url):
    made = proxy()
    blobs = ObjectBlobs(url)
    blobs.put([b"x"])
    blobs.put([b"x"])
    puts = [request for request in made.faults.requests if request.startswith("PUT")]
    assert len(puts) == 2, "each asks to create it"
    assert len(paths(blobs)) == 1


def test_a_value_that_may_be_on_its_way_out_is_made_again_under_a_name_of_its_own(blobs, monkeypatch):
    digest, _ = blobs.put([b"x"])
    collecting = now_us() + MINUTE
    monkeypatch.setattr(object_blobs, "wall_us", lambda: now_us() + REFRESH_US + 10 * MINUTE)
    blobs.put([b"x"])
    first, again = paths(blobs)
    assert (first, again.rpartition("/")[0]) == (
        f"{digest[:2]}/{digest[2:]}",
        f"again/{digest[:2]}/{digest[2:]}",
    )
    monkeypatch.undo()
    blobs.put([b"x"])
    assert len(paths(blobs)) == 2, "one of them is young"
    # A removal that began before it was made again knows of the first object alone.
    obstore.delete(blobs._short, first)
    assert blobs.get(digest) == b"x"
    assert [facts.digest for facts in blobs.every()] == [digest]
    assert not blobs.remove(digest, collecting - 2 * MINUTE)
    assert blobs.remove(digest, collecting)
    assert paths(blobs) == []


def test_a_value_that_is_young_is_renewed_without_being_read(blobs, monkeypatch):
    digest, _ = blobs.put([b"x"])
    with monkeypatch.context() as patch:
        patch.setattr(ObjectBlobs, "get", None)
        blobs.renew(digest)
    assert len(paths(blobs)) == 1
    monkeypatch.setattr(object_blobs, "wall_us", lambda: now_us() + REFRESH_US + 10 * MINUTE)
    blobs.renew(digest)
    assert len(paths(blobs)) == 2


def test_a_value_stays_whole_while_one_of_its_objects_is_young(blobs, monkeypatch):
    digest, _ = blobs.put([b"x"])
    facts = blobs._facts
    monkeypatch.setattr(blobs, "_facts", lambda path: (1, facts(path)[1] - 2 * GRACE_US))
    blobs.put([b"x"])
    assert len(paths(blobs)) == 2
    assert not blobs.remove(digest, now_us() - GRACE_US)
    assert len(paths(blobs)) == 2


def test_an_object_of_another_size_is_put_right(blobs):
    digest, _ = blobs.put([b"xyz"])
    obstore.put(blobs._short, f"{digest[:2]}/{digest[2:]}", b"xy")
    with pytest.raises(StoreCorrupt, match="damaged"):
        blobs.get(digest)
    blobs.put([b"xyz"])
    assert blobs.get(digest) == b"xyz"


def test_other_objects_are_left_alone(blobs):
    digest, _ = blobs.put([b"x"])
    obstore.put(blobs._short, "readme.txt", b"not ours")
    obstore.put(blobs._short, f"backup/{digest[:2]}/{digest[2:]}", b"not ours")
    assert [facts.digest for facts in blobs.every()] == [digest]


def test_more_values_than_one_answer_holds_are_listed(blobs, monkeypatch):
    put = {blobs.put([str(n).encode()])[0] for n in range(25)}
    whole = obstore.list
    monkeypatch.setattr(obstore, "list", lambda *args, **named: whole(*args, **{**named, "chunk_size": 10}))
    assert sorted(facts.digest for facts in blobs.every()) == sorted(put)


def test_the_answer_409_is_not_taken_for_a_value_that_is_there(proxy, url):
    """S3 says so when another write to the key is under way, which may yet fail."""
    proxy(seed=3, conflict=0.7)
    blobs = ObjectBlobs(url)
    for n in range(5):
        data = str(n).encode()
        assert blobs.get(blobs.put([data])[0]) == data


@pytest.mark.parametrize(
    "fault", ["reset", "unavailable", "too_many", "lost_answer", "cut_answer", "cut_quietly"]
)
def test_a_server_that_fails_at_times_costs_time_and_nothing_else(proxy, url, fault):
    made = proxy(seed=5, **{fault: 0.3})
    blobs = ObjectBlobs(url)
    for n in range(8):
        data = random.Random(n).randbytes(50_000)
        digest, _ = blobs.put([data])
        assert blobs.get(digest) == data
    assert len({facts.digest for facts in blobs.every()}) == 8
    assert made.faults.seen[fault] > 2


def test_all_faults_at_once_and_several_writers(proxy, url):
    made = proxy(**{name: getattr(Faults(), name) for name in NONE}, seed=11)
    blobs, wrong = ObjectBlobs(url), []

    def work(seed):
        numbers = random.Random(seed)
        for _ in range(15):
            data = numbers.randbytes(numbers.choice([10, 1000, 200_000]))
            if blobs.get(blobs.put([data])[0]) != data:
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed % 2,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len({facts.digest for facts in blobs.every()}) == 30
    assert sum(made.faults.seen.values()) > made.faults.seen["none"] + 20


def test_a_removal_whose_answer_is_lost_is_asked_for_once(proxy, url):
    made = proxy()
    blobs = ObjectBlobs(url)
    digest, _ = blobs.put([b"x"])
    draw = made.faults.draw
    made.faults.draw = lambda request: "lost_answer" if "delete" in request else draw(request)
    asked = len(made.faults.requests)
    assert not blobs.remove(digest, now_us() + MINUTE), "it is not known whether it was"
    assert len(made.faults.requests) - asked <= 2, "a look, and no second removal"
    assert paths(blobs) == []


def test_a_value_that_is_damaged_in_the_bucket_is_reported(blobs):
    digest, _ = blobs.put([b"xyz"])
    obstore.put(blobs._short, f"{digest[:2]}/{digest[2:]}", b"xyy")
    with pytest.raises(StoreCorrupt, match=f"{digest[2:]} is damaged"):
        blobs.get(digest)


def test_it_travels_with_what_says_where_the_bucket_is_and_without_secrets(blobs, monkeypatch):
    digest, _ = blobs.put([b"x"])
    sent = pickle.dumps(blobs)
    assert b"canary-secret" not in sent
    assert "canary" not in repr(blobs)
    assert len(sent) < 500
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert pickle.loads(sent).get(digest) == b"x"


# What the user has to mend


def refused(work):
    with pytest.raises(StoreUnavailable) as caught:
        work()
    text = str(caught.value)
    assert "canary-secret" not in text
    assert "Debug source" not in text
    assert text.endswith(".")
    return text


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there():
    blobs = ObjectBlobs("s3://nowhere/x")
    for work in (
        lambda: blobs.put([b"x"]),
        lambda: blobs.get("ab" * 32),
        lambda: list(blobs.every()),
        lambda: blobs.remove("ab" * 32, now_us()),
    ):
        assert "NoSuchBucket" in (text := refused(work))
        assert "Make the bucket" in text


@pytest.mark.usefixtures("s3")
def test_a_store_is_not_made_when_its_bucket_is_not_there(tmp_path):
    assert "Make the bucket" in refused(lambda: open_store(str(tmp_path / "s"), "s3://nowhere/x"))
    assert not (tmp_path / "s").exists()
    opened, blobs = open_store(str(tmp_path / "s"), f"s3://values/{tmp_path.name}")
    assert isinstance(blobs, ObjectBlobs)
    opened.close()


@pytest.mark.parametrize(
    ("status", "words"), [(403, "right to read, write"), (401, "not accepted"), (301, "set AWS_REGION")]
)
def test_refusals_are_told_at_once(proxy, url, status, words):
    made = proxy()
    made.faults.draw = lambda _: "refused"
    began = time.monotonic()
    STATUSES["refused"] = status
    try:
        assert words in refused(lambda: ObjectBlobs(url).put([b"x"]))
    finally:
        del STATUSES["refused"]
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://host/x", "s3://, gs://, az://"),
        ("s3://", "names no bucket"),
        ("s3:///x", "names no bucket"),
        ("s3://key:canary-secret@bucket/x", "credentials and settings come from the environment"),
        ("s3://bucket/x?secret=canary-secret", "credentials and settings come from the environment"),
        ("az://container/x", "Account must be specified"),
    ],
)
def test_urls_that_cannot_be(monkeypatch, url, words):
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    assert words in refused(lambda: ObjectBlobs(url))


def test_other_providers_are_opened_without_being_asked(monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "account")
    assert repr(ObjectBlobs("az://container/x/")) == "ObjectBlobs('az://container/x')"
    assert repr(ObjectBlobs("gs://bucket")) == "ObjectBlobs('gs://bucket')"


def test_a_server_that_is_gone_is_told_after_some_patience(monkeypatch, url):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    for name, value in s3_environment(f"http://127.0.0.1:{port}").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(object_blobs, "PATIENCE_S", 0.5)
    began = time.monotonic()
    assert "Look at the network" in refused(lambda: ObjectBlobs(url).put([b"x"]))
    assert "Look at the network" in refused(lambda: ObjectBlobs(url).get("ab" * 32))
    assert time.monotonic() - began < 5
