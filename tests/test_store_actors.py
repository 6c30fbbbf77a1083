"""States of actors, asked of each store: what a change begins from, whom it outlives, what is refused."""

import pytest
import sqlalchemy

from flowrt.encoding import flat_form
from flowrt.errors import ActorBusy, StoreCorrupt, UnknownActor, WrongStoreKey
from flowrt.store.blobs import MemoryBlobs
from flowrt.store.owner import this_owner
from flowrt.store.rows import ActorChange, LockRequest
from flowrt.store.seal import seals_of
from flowrt.store.sealed import SealedStore
from flowrt.upkeep.check import check_store
from flowrt.value import Blob, Inline
from stores import KINDS, batch, owned_run, store_of

ANN, BOB = "bank:Account(ann)", "bank:Account(b\x00b \udc80)"
STATE = flat_form.to_bytes(Inline(b"\x11\x05"))


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    opened = store_of(request.param, tmp_path)
    yield opened
    opened.close()


def make(store, run_id, epoch, *changes, **parts):
    head = store.run(run_id).head
    made = [
        ActorChange(name, version, state, parts.pop("blob", None), "s", 7) for name, version, state in changes
    ]
    return store.append([batch(run_id, epoch, head, b"made", actors=made, **parts)])


def states(store, *names):
    return {row.name: (row.version, row.state) for row in store.actors.found(names)}


def test_a_state_is_found_under_its_name_with_who_made_it(store):
    epoch = owned_run(store)
    make(store, "r1", epoch, (BOB, 0, b"\x00two"), (ANN, 0, b"one"))
    assert states(store, ANN, BOB, "bank:Account") == {ANN: (1, b"one"), BOB: (1, b"\x00two")}
    [row] = store.actors.found([BOB])
    assert (row.run_id, row.step, row.at, row.blob) == ("r1", "s", 7, None)
    [first] = store.actors.every("", 1)
    [second] = store.actors.every(first.name, 10)
    assert {first.name, second.name} == {ANN, BOB}
    assert store.actors.every(second.name, 10) == []


def test_each_change_begins_from_the_newest(store):
    first, second = owned_run(store, "r1"), owned_run(store, "r2")
    make(store, "r1", first, (ANN, 0, b"one"))
    make(store, "r2", second, (ANN, 1, b"two"), (ANN, 2, b"three"))
    assert states(store, ANN) == {ANN: (3, b"three")}


@pytest.mark.parametrize("version", [0, 2])
def test_a_change_of_another_version_is_refused_with_its_records(store, version):
    epoch = owned_run(store)
    make(store, "r1", epoch, (ANN, 0, b"one"))
    with pytest.raises(StoreCorrupt, match="is not the one that the step `s` of run r1"):
        make(store, "r1", epoch, (BOB, 0, b"other"), (ANN, version, b"late"))
    assert states(store, ANN, BOB) == {ANN: (1, b"one")}
    assert store.run("r1").head == 2


def test_who_is_superseded_changes_nothing(store):
    epoch = owned_run(store)
    store.release("r1", epoch)
    store.claim("r1", this_owner(), 0, 10)
    assert make(store, "r1", epoch, (ANN, 0, b"late")) == {"r1"}
    assert states(store, ANN) == {}


def test_a_batch_that_is_sent_again_changes_nothing_more(store):
    epoch = owned_run(store)
    sent = batch("r1", epoch, 1, b"made", actors=[ActorChange(ANN, 0, b"one", None, "s", 7)])
    assert store.append([sent]) == store.append([sent]) == frozenset()
    assert states(store, ANN) == {ANN: (1, b"one")}


def test_a_state_outlives_its_run_and_keeps_its_blob(store):
    digest = "d" * 64
    state = flat_form.to_bytes(Blob(digest, 5))
    epoch = owned_run(store)
    make(store, "r1", epoch, (ANN, 0, state), blob=digest)
    make(store, "r1", epoch, status="succeeded", ended_at=9, blobs=[digest])
    store.release("r1", epoch)
    assert store.delete("r1") == frozenset()
    assert states(store, ANN) == {ANN: (1, state)}
    assert store.needed([digest, "e" * 64]) == {digest}
    store.check_references()
    store.sweep(10**15)
    assert store.actors.remove(ANN) == {digest}
    assert store.needed([digest]) == frozenset()
    with pytest.raises(UnknownActor, match="ann"):
        store.actors.remove(ANN)


def test_a_state_that_somebody_has_a_turn_at_is_not_removed(store):
    epoch = owned_run(store)
    make(store, "r1", epoch, (ANN, 0, b"one"), locks=[LockRequest("t", ANN, 1)])
    with pytest.raises(ActorBusy, match=r"run r1 \(step `t`\)"):
        store.actors.remove(ANN)
    make(store, "r1", epoch, unlocks=["t"])
    assert store.actors.remove(ANN) == frozenset()
    make(store, "r1", epoch, (ANN, 0, b"anew"))
    assert states(store, ANN) == {ANN: (1, b"anew")}


def change(inner, statement):
    with inner._engine.begin() as connection:
        connection.execute(sqlalchemy.text(statement))


@pytest.mark.parametrize(
    "what", ["version = 7", "name = 'bank:Account(eve)'", "blob = 'e'", "state = x'00'", "step = 't'"]
)
def test_a_damaged_state_is_told(tmp_path, what):
    inner = store_of("sqlite", tmp_path)
    make(inner, "r1", owned_run(inner), (ANN, 0, STATE))
    assert not any(finding.place == "actor" for finding in check_store(inner, MemoryBlobs()).findings)
    change(inner, f"update actors set {what}")
    with pytest.raises(StoreCorrupt, match=r"state of the actor .* flowc actors --remove 'bank:Account\("):
        inner.actors.every("", 10)
    with pytest.raises(StoreCorrupt, match="state of the actor"):
        inner.check_references()
    found = check_store(inner, MemoryBlobs()).findings
    assert any(finding.place == "actor" and "damaged" in finding.message for finding in found)
    inner.close()


def test_a_state_in_a_blob_that_is_gone_is_told(tmp_path):
    inner = store_of("sqlite", tmp_path)
    digest = "d" * 64
    make(inner, "r1", owned_run(inner), (ANN, 0, flat_form.to_bytes(Blob(digest, 5))), blob=digest)
    assert any(digest in finding.message for finding in check_store(inner, MemoryBlobs()).findings)
    inner.close()


def test_a_state_that_was_made_or_moved_without_the_key_is_refused(tmp_path):
    inner = store_of("sqlite", tmp_path)
    store = SealedStore(inner, seals_of({"FLOWC_STORE_KEY": "k" * 40}))
    epoch = owned_run(store)
    make(store, "r1", epoch, (ANN, 0, b"one"))
    assert states(store, ANN) == {ANN: (1, b"one")}
    [sealed] = inner.actors.found([ANN])
    make(inner, "r1", epoch, (BOB, 0, b"forged"), (ANN, 1, sealed.state))
    with pytest.raises(WrongStoreKey):
        store.actors.found([BOB])
    with pytest.raises(StoreCorrupt, match="seal"):
        store.actors.found([ANN])
    inner.close()
