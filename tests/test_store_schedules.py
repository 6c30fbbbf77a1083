"""Schedules in a store: a slot is dealt with once, by whoever comes first."""

import pytest

from flowrt.errors import SlotTaken, UnknownRun
from flowrt.store.rows import Slot
from stores import new_deployment, new_run, store_of


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    opened = store_of(request.param, tmp_path)
    opened.deploy(new_deployment("nightly", cursor=100))
    yield opened
    opened.close()


def cursor(store):
    return store.deployments()[0].cursor


def test_the_cursor_moves_from_where_it_stands(store):
    assert not store.move_cursor("nightly", 99, 120)
    assert cursor(store) == 100
    assert store.move_cursor("nightly", 100, 120)
    assert not store.move_cursor("nightly", 100, 140)
    assert cursor(store) == 120


def test_a_schedule_that_is_not_there_does_not_move(store):
    assert not store.move_cursor("weekly", 100, 120)


def test_a_run_is_made_for_a_slot_once(store):
    slot = Slot("nightly", 100, 120)
    store.create(new_run("first"), slot)
    assert cursor(store) == 120
    with pytest.raises(SlotTaken):
        store.create(new_run("second"), slot)
    with pytest.raises(UnknownRun):
        store.run("second")
    assert cursor(store) == 120


def test_who_deploys_again_keeps_the_cursor_unless_it_is_ahead_of_the_time(store):
    store.move_cursor("nightly", 100, 120)
    store.deploy(new_deployment("nightly", cursor=150))
    assert cursor(store) == 120
    store.deploy(new_deployment("nightly", cursor=110))
    assert cursor(store) == 110
