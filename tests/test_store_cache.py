"""Cached values, asked of each store: whose counts, how long it lasts, what it goes with, what is refused."""

import pytest
import sqlalchemy

from flowrt.errors import StoreCorrupt, WrongStoreKey
from flowrt.store.blobs import MemoryBlobs
from flowrt.store.owner import this_owner
from flowrt.store.rows import NewCached
from flowrt.store.seal import seals_of
from flowrt.store.sealed import SealedStore
from flowrt.upkeep.check import check_store
from stores import KINDS, batch, owned_run, store_of

KEY, OTHER = "a" * 64, "b" * 64


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    opened = store_of(request.param, tmp_path)
    yield opened
    opened.close()


def make(store, run_id, epoch, *entries, **changes):
    head = store.run(run_id).head
    made = [NewCached(key, value, at, until) for key, value, at, until in entries]
    return store.append([batch(run_id, epoch, head, b"made", cached=made, **changes)])


def values(store, *keys, now=0):
    return {row.key: row.value for row in store.cached(keys, now)}


def test_what_was_made_is_found_under_its_key(store):
    epoch = owned_run(store)
    make(store, "r1", epoch, (KEY, b"one", 5, None), (OTHER, b"\x00other", 5, 9))
    assert values(store, KEY, OTHER, "c" * 64) == {KEY: b"one", OTHER: b"\x00other"}
    [row] = store.cached([OTHER], 0)
    assert (row.run_id, row.made_at, row.expires_at) == ("r1", 5, 9)
    assert [row.key for row in store.all_cached("", 10)] == [KEY, OTHER]
    assert [row.key for row in store.all_cached(KEY, 10)] == [OTHER]


def test_the_first_keeps_its_place_until_it_expires(store):
    first, second = owned_run(store, "r1"), owned_run(store, "r2")
    make(store, "r1", first, (KEY, b"one", 5, 10))
    make(store, "r2", second, (KEY, b"two", 9, 20))
    assert values(store, KEY, now=9) == {KEY: b"one"}
    assert values(store, KEY, now=10) == {}
    make(store, "r2", second, (KEY, b"two", 10, 20))
    assert values(store, KEY, now=10) == {KEY: b"two"}


def test_what_is_older_than_the_next_may_become_makes_room(store):
    first, second = owned_run(store, "r1"), owned_run(store, "r2")
    make(store, "r1", first, (KEY, b"one", 5, None))
    make(store, "r2", second, (KEY, b"two", 9, 14))
    assert values(store, KEY, now=9) == {KEY: b"one"}
    make(store, "r2", second, (KEY, b"two", 10, 15))
    assert values(store, KEY, now=10) == {KEY: b"two"}
    make(store, "r1", first, (KEY, b"three", 12, None))
    assert values(store, KEY, now=12) == {KEY: b"two"}


def test_an_entry_is_there_only_with_its_record(store):
    epoch = owned_run(store)
    store.release("r1", epoch)
    store.claim("r1", this_owner(), 0, 10)
    assert make(store, "r1", epoch, (KEY, b"late", 5, None)) == {"r1"}
    assert values(store, KEY) == {}


def test_an_entry_goes_with_its_run(store):
    epoch = owned_run(store)
    make(store, "r1", epoch, (KEY, b"one", 5, None), blobs=["d" * 64], status="succeeded", ended_at=7)
    store.release("r1", epoch)
    assert store.needed(["d" * 64]) == {"d" * 64}
    store.delete("r1")
    assert values(store, KEY) == {}
    assert store.needed(["d" * 64]) == frozenset()


def test_what_has_expired_is_swept(store):
    epoch = owned_run(store)
    make(store, "r1", epoch, (KEY, b"one", 5, 10), (OTHER, b"two", 5, None))
    store.sweep(10)
    assert len(store.all_cached("", 10)) == 2
    store.sweep(11)
    assert [row.key for row in store.all_cached("", 10)] == [OTHER]


def test_a_batch_that_is_sent_again_writes_nothing_more(store):
    epoch = owned_run(store)
    sent = batch("r1", epoch, 1, b"made", cached=[NewCached(KEY, b"one", 5, None)])
    assert store.append([sent]) == store.append([sent]) == frozenset()
    assert values(store, KEY) == {KEY: b"one"}


def change(inner, statement):
    with inner._engine.begin() as connection:
        connection.execute(sqlalchemy.text(statement))


def test_a_damaged_entry_is_told(tmp_path):
    inner = store_of("sqlite", tmp_path)
    make(inner, "r1", owned_run(inner), (KEY, b"one", 5, None))
    change(inner, "update cache set expires_at = 99")
    with pytest.raises(StoreCorrupt, match="cached value"):
        inner.cached([KEY], 0)
    found = check_store(inner, MemoryBlobs()).findings
    assert any("cached value" in finding.message for finding in found)
    inner.close()


def test_an_entry_that_was_made_or_moved_without_the_key_is_refused(tmp_path):
    inner = store_of("sqlite", tmp_path)
    store = SealedStore(inner, seals_of({"FLOWC_STORE_KEY": "k" * 40}))
    first, second = owned_run(store, "r1"), owned_run(store, "r2")
    make(store, "r1", first, (KEY, b"one", 5, None))
    assert values(store, KEY) == {KEY: b"one"}
    [sealed] = inner.cached([KEY], 0)
    make(inner, "r2", second, (OTHER, b"forged", 5, None))
    with pytest.raises(WrongStoreKey):
        store.cached([OTHER], 0)
    make(inner, "r2", second, ("c" * 64, sealed.value, 5, None))
    with pytest.raises(StoreCorrupt, match="seal"):
        store.cached(["c" * 64], 0)
    inner.close()
