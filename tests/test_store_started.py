"""Runs that steps start, asked of each store: made once, with the record or not, by who has the run."""

import pytest

from flowrt.store.owner import this_owner
from stores import KINDS, LATER, batch, data, new_run, owned_run, store_of


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    opened = store_of(request.param, tmp_path)
    yield opened
    opened.close()


def children(count, **changes):
    return [new_run(f"c{n}", served=True, **changes) for n in range(count)]


def names(store):
    return {row.run_id for row in store.runs()}


def test_all_runs_of_a_batch_are_made_with_their_programs_and_values(store):
    epoch = owned_run(store)
    made = [
        *children(3),
        *children(0),
        new_run("other", program_digest="q" * 64, program=b"other", blobs=["d" * 64]),
    ]
    assert not store.append([batch("r1", epoch, 1, b"started", creates=made)])
    assert names(store) == {"r1", "c0", "c1", "c2", "other"}
    assert [data(store, run) for run in ("c0", "c2", "other")] == [[b"started"]] * 3
    assert store.program("q" * 64) == b"other"
    assert store.program("p" * 64) == b"program"
    assert store.code("c" * 64) == b"code"
    assert store.needed(["d" * 64]) == {"d" * 64}
    assert {row.run_id for row in store.claim_due(this_owner(), 10, LATER, 9)} == {"c0", "c1", "c2"}


def test_an_engine_that_has_lost_its_run_starts_none(store):
    epoch = owned_run(store)
    store.release("r1", epoch)
    other = store.claim("r1", this_owner(), 0, LATER)
    lost = batch("r1", epoch, 1, b"started", creates=children(2))
    kept = batch("r1", other, 1, b"started", creates=children(1))
    assert store.append([lost]) == {"r1"}
    assert names(store) == {"r1"}
    assert not store.append([kept])
    assert store.append([lost]) == {"r1"}
    assert names(store) == {"r1", "c0"}


def test_who_sends_a_batch_again_starts_nothing_twice(store):
    epoch = owned_run(store)
    sent = batch("r1", epoch, 1, b"started", creates=children(2))
    assert not store.append([sent])
    [row] = store.claim_due(this_owner(), 10, LATER, 1)
    assert not store.append([batch(row.run_id, row.epoch, 1, b"goes on")])
    assert not store.append([sent])
    assert data(store, row.run_id) == [b"started", b"goes on"]


def test_one_whose_id_is_taken_is_left_as_it_is(store):
    store.create(new_run("c1", flow="taken"))
    epoch = owned_run(store)
    assert not store.append([batch("r1", epoch, 1, b"started", creates=children(3))])
    assert store.run("c1").flow == "taken"
    assert names(store) == {"r1", "c0", "c1", "c2"}
    assert data(store, "c1") == [b"started"]
