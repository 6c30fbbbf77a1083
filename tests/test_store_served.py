"""Runs that are served: what makes a parked one due, and who moves a schedule."""

import pytest

from flowrt.store.open import open_store
from flowrt.store.owner import this_owner
from flowrt.store.port import Batch, NewEvent, Park, WaitRow
from stores import new_deployment, new_run

LEASE = 1_000
NEVER = 10**15


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    opened, _ = open_store("memory:" if request.param == "memory" else str(tmp_path / ".flowc"))
    yield opened
    opened.close()


def event(name="e", key="k", run_id=None):
    return NewEvent(name, key, b"x", 0, run_id)


def parked(store, looked=0, wake_at=NEVER, between=lambda: None):
    """A run that waits for the event `e` with the key `k`; `between` happens after its last look."""
    store.create(new_run("r1", served=True))
    [row] = store.claim_due(this_owner(), 10, 10 + LEASE, 5)
    between()
    park = Park(wake_at, (WaitRow("e", "k", looked),))
    assert not store.append([Batch("r1", row.epoch, 1, [b"waits"], status="waiting", park=park)])
    assert store.run("r1").owner is None
    return row.epoch


def due(store, now=100):
    return [row.run_id for row in store.claim_due(this_owner(), now, now + LEASE, 5)]


def test_a_parked_run_is_due_at_its_instant_and_not_before(store):
    parked(store, wake_at=500)
    assert due(store, 499) == []
    assert due(store, 500) == ["r1"]


def test_an_event_makes_it_due(store):
    parked(store)
    assert due(store) == []
    store.send(event())
    assert due(store) == ["r1"]


@pytest.mark.parametrize("other", [{"name": "f"}, {"key": "l"}, {"key": None}, {"run_id": "r2"}])
def test_an_event_that_it_does_not_wait_for_does_not(store, other):
    parked(store)
    store.create(new_run("r2"))
    store.send(event(**other))
    assert due(store) == []


def test_an_event_between_the_last_look_and_the_park_makes_it_due(store):
    parked(store, between=lambda: store.send(event()))
    assert due(store) == ["r1"]


def test_an_event_that_it_has_looked_at_does_not(store):
    store.send(event())
    parked(store, looked=1)
    assert due(store) == []


def test_a_park_that_is_sent_again_is_the_same_park(store):
    epoch = parked(store)
    park = Park(NEVER, (WaitRow("e", "k", 0),))
    assert not store.append([Batch("r1", epoch, 1, [b"waits"], status="waiting", park=park)])
    assert not store.append([Batch("r1", epoch, 2, [], park=park)])
    assert not store.append([Batch("r1", epoch, 2, [], park=park)])
    assert due(store) == []
    store.send(event())
    assert due(store) == ["r1"]


def test_a_request_to_cancel_makes_it_due(store):
    parked(store)
    store.request_cancel("r1", "enough")
    assert due(store) == ["r1"]


def test_a_request_to_cancel_before_the_park_makes_it_due(store):
    parked(store, between=lambda: store.request_cancel("r1", "enough"))
    assert due(store) == ["r1"]


def test_a_run_that_is_held_is_due_when_its_lease_ends_and_not_ahead_of_it(store):
    store.create(new_run("r1", served=True))
    [row] = store.claim_due(this_owner(), 10, 10 + LEASE, 5)
    assert store.claim_due(this_owner(), 9 + LEASE, 5_000, 5, LEASE) == []
    [again] = store.claim_due(this_owner(), 10 + LEASE, 5_000, 5)
    assert again.epoch == row.epoch + 1


def test_a_schedule_is_moved_from_where_it_stands(store):
    store.deploy(new_deployment(schedule="{}", cursor=5))
    [deployed] = store.deployments()
    assert not store.move_cursor(deployed.name, 4, 7)
    assert store.move_cursor(deployed.name, 5, 7)
    assert not store.move_cursor(deployed.name, 5, 9)
    assert store.deployments()[0].cursor == 7
