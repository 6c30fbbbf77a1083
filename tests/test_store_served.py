"""Served runs, asked of each store: who gets them, when they are due, what wakes them."""

import dataclasses
import subprocess
import sys

import pytest

from flowrt.errors import UnknownRun
from flowrt.store.owner import this_owner
from flowrt.store.rows import Cancel, NewEvent, Park, WaitRow
from stores import KINDS, LATER, another_machine, batch, data, ended_run, new_run, owned_run, store_of

ME = this_owner()


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    opened = store_of(request.param, tmp_path)
    yield opened
    opened.close()


def parked(store, run_id="r1", wake_at=None, waits=(), **changes):
    """A served run that was let go under its first epoch."""
    epoch = owned_run(store, run_id, served=True)
    park = Park(wake_at, [WaitRow(*wait) for wait in waits])
    given = batch(run_id, epoch, 1, b"waits", status="waiting", park=park, **changes)
    assert store.append([given]) == frozenset()
    return given


def due(store, now=0, limit=10):
    return [row.run_id for row in store.claim_due(ME, now, now + LATER, limit)]


def wake_at(store, run_id="r1"):
    return store.run(run_id).wake_at


# Claims


def test_a_new_served_run_is_due_and_an_ordinary_one_is_nobodys(store):
    store.create(new_run("mine"))
    store.create(new_run("served", served=True))
    [row] = store.claim_due(ME, 5, LATER, 10)
    assert (row.run_id, row.epoch, row.owner, row.lease_until, row.wake_at) == ("served", 1, ME, LATER, LATER)
    assert row == store.run("served")
    assert due(store, 5) == []


def test_the_earliest_come_first_and_no_more_than_asked_for(store):
    for run_id, at in (("r1", 30), ("r2", 10), ("r3", 20), ("r4", 99)):
        parked(store, run_id, at)
    assert due(store, 30, limit=2) == ["r2", "r3"]
    assert due(store, 30) == ["r1"]
    assert due(store, 98) == []


def test_what_a_dead_engine_held_is_due_when_its_lease_ends(store):
    store.create(new_run(served=True))
    [row] = store.claim_due(another_machine(), 5, LATER, 10)
    store.renew({"r1": row.epoch}, 2 * LATER)
    assert due(store, 2 * LATER - 1) == []
    [again] = store.claim_due(ME, 2 * LATER, 3 * LATER, 10)
    assert again.epoch == row.epoch + 1


def test_what_will_be_due_soon_can_be_asked_for_but_not_taken_from_its_owner(store):
    parked(store, "parked", 15)
    owned_run(store, "owned", 0, served=True)
    rows = store.claim_due(ME, LATER - 5, 2 * LATER, 10, ahead=10)
    assert [row.run_id for row in rows] == ["parked"]


def test_runs_of_dead_processes_here_are_due_at_once(store):
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead = dataclasses.replace(ME, pid=child.pid)
    for run_id, owner in (("dead", dead), ("other", another_machine()), ("alive", ME)):
        store.create(new_run(run_id, served=True))
        store.claim(run_id, owner, 0, LATER)
    store.create(new_run("ordinary"))
    store.claim("ordinary", dead, 0, LATER)
    assert store.free_dead() == 1
    assert due(store) == ["dead"]
    assert store.free_dead() == 0


def test_what_an_owner_has_without_knowing_it_is_due_at_once(store):
    for run_id in ("known", "lost", "taken", "other", "mine"):
        store.create(new_run(run_id, served=run_id != "mine"))
        store.claim(run_id, another_machine() if run_id == "other" else ME, 0, LATER)
    assert store.free_unknown(ME, {"known": 1, "taken": 7, "nowhere": 1}) == 2
    assert due(store) == ["lost", "taken"]
    assert (
        store.free_unknown(ME, {run_id: store.run(run_id).epoch for run_id in ("known", "lost", "taken")})
        == 0
    )


def test_a_run_is_handed_over(store):
    store.create(new_run("r1"))
    store.serve("r1", 7)
    assert (store.run("r1").served, wake_at(store)) == (True, 7)
    owned_run(store, "r2")
    store.serve("r2", 7)
    assert wake_at(store, "r2") == LATER
    ended_run(store, "r3")
    store.serve("r3", 7)
    assert wake_at(store, "r3") is None
    with pytest.raises(UnknownRun, match="r9"):
        store.serve("r9", 7)


def test_a_run_that_is_laid_aside_is_not_due_until_somebody_takes_it(store):
    epoch = owned_run(store, served=True)
    store.release("r1", epoch, "suspended", problem="it needs \0 Ray 2.48")
    row = store.run("r1")
    assert (row.status, row.wake_at, row.problem) == ("suspended", None, "it needs \0 Ray 2.48")
    assert due(store, LATER) == []
    store.claim("r1", ME, 0, LATER)
    assert store.run("r1").problem is None


def test_a_run_that_is_given_back_is_due_when_it_says(store):
    epoch = owned_run(store, served=True)
    store.release("r1", epoch, wake_at=3)
    assert wake_at(store) == 3
    store.release("r1", epoch, wake_at=9)  # Nobody holds it any more.
    assert wake_at(store) == 3


def test_an_ended_run_is_never_due(store):
    epoch = owned_run(store, served=True)
    end = batch("r1", epoch, 1, b"end", status="failed", ended_at=1, park=Park(4, [WaitRow("e", None, 0)]))
    store.append([end])
    row = store.run("r1")
    assert (row.owner, row.lease_until, row.wake_at) == (None, 0, None)
    store.send(NewEvent("e", None, b"", 1))
    store.request_cancel("r1", "late")
    assert due(store, 10 * LATER) == []


def test_a_run_that_goes_on_behind_its_end_is_due_again_when_its_lease_ends(store):
    ended_run(store, status="failed", served=True)
    epoch = store.claim("r1", another_machine(), 0, LATER)
    store.renew({"r1": epoch}, LATER + 1)
    store.append([batch("r1", epoch, 2, b"reopened", status="running")])
    assert wake_at(store) == LATER + 1


# Parking


def test_a_parked_run_has_no_owner_and_keeps_its_epoch(store):
    given = parked(store, wake_at=50, waits=[("e", None, 0)])
    row = store.run("r1")
    assert (row.owner, row.lease_until, row.wake_at, row.epoch, row.status) == (None, 0, 50, 1, "waiting")
    assert store.renew({"r1": given.epoch}, LATER) == {"r1"}


def test_an_ordinary_run_that_is_parked_is_let_go_and_never_due(store):
    epoch = owned_run(store)
    store.append([batch("r1", epoch, 1, b"x", park=Park(3, [WaitRow("e", None, 0)]))])
    store.send(NewEvent("e", None, b"", 1))
    assert (store.run("r1").owner, wake_at(store)) == (None, None)


def test_parking_that_is_sent_again_is_known_again(store):
    given = parked(store, wake_at=50, waits=[("e", None, 0)])
    assert store.append([given]) == frozenset()
    assert (wake_at(store), data(store)) == (50, [b"started", b"waits"])
    store.send(NewEvent("e", None, b"", 1))
    assert store.append([given]) == frozenset()
    assert wake_at(store) == 0
    # Somebody else has gone on from there: what was written stays written.
    [row] = store.claim_due(another_machine(), 0, LATER, 1)
    store.append([batch("r1", row.epoch, 2, b"taken")])
    assert store.append([given]) == frozenset()
    assert store.run("r1").owner == row.owner


def test_parking_without_a_record_that_is_sent_again_forgets_nothing(store):
    epoch = owned_run(store, served=True)
    given = batch("r1", epoch, 1, status="waiting", park=Park(50, [WaitRow("e", None, 0)]))
    store.append([given])
    store.request_cancel("r1", "why")
    store.append([given])
    assert wake_at(store) == 0


def test_a_superseded_owner_parks_nothing(store):
    epoch = owned_run(store, served=True)
    other = store.claim("r1", another_machine(), LATER, 2 * LATER)
    late = batch("r1", epoch, 1, b"x", park=Park(1, [WaitRow("e", None, 0)]))
    assert store.append([late]) == {"r1"}
    row = store.run("r1")
    assert (row.epoch, row.wake_at, row.owner is None) == (other, 2 * LATER, False)


@pytest.mark.parametrize(
    ("event", "wakes"),
    [
        (NewEvent("e", "k", b"", 1), {"keyed"}),
        (NewEvent("e", None, b"", 1), {"plain"}),
        (NewEvent("f", "k", b"", 1), set()),
        (NewEvent("e", "k", b"", 1, run_id="keyed"), {"keyed"}),
        (NewEvent("e", "k", b"", 1, run_id="plain"), set()),
    ],
)
def test_an_event_wakes_who_waits_for_it(store, event, wakes):
    parked(store, "keyed", 99, [("e", "k", 0), ("g", None, 0)])
    parked(store, "plain", None, [("e", None, 0)])
    owned_run(store, "owned", served=True)
    store.send(event)
    assert set(due(store, 1)) == wakes


def test_an_event_of_another_run_wakes_too(store):
    parked(store, "waits", None, [("e", "k", 0)])
    epoch = owned_run(store, "sends")
    store.append([batch("sends", epoch, 1, b"x", events=[NewEvent("e", "k", b"", 1)])])
    assert due(store) == ["waits"]


def test_a_run_that_sends_to_itself_as_it_parks_is_due(store):
    parked(store, waits=[("e", "k", 0)], events=[NewEvent("e", "k", b"", 1)])
    assert wake_at(store) == 0


def test_an_event_that_came_before_the_parking_is_not_missed(store):
    first = store.send(NewEvent("e", "k", b"", 1))
    other = store.send(NewEvent("e", None, b"", 1))
    store.create(new_run("addressed"))
    third = store.send(NewEvent("e", "k", b"", 1, run_id="addressed"))
    parked(store, "seen", None, [("e", "k", first)])
    parked(store, "missed", None, [("e", "k", first - 1)])
    parked(store, "plain", None, [("e", None, other - 1)])
    parked(store, "third", None, [("e", "k", third)])
    assert set(due(store)) == {"missed", "plain"}


def test_an_event_that_was_accepted_before_wakes_nobody_again(store):
    number = store.send(NewEvent("e", None, b"", 1, dedupe="d"))
    parked(store, waits=[("e", None, number)])
    assert store.send(NewEvent("e", None, b"", 1, dedupe="d")) == number
    assert due(store) == []


def test_what_was_claimed_waits_no_more(store):
    parked(store, wake_at=5, waits=[("e", None, 0)])
    [row] = store.claim_due(ME, 5, LATER, 1)
    store.release("r1", row.epoch, wake_at=70)
    store.send(NewEvent("e", None, b"", 1))
    assert wake_at(store) == 70


# Cancels


def test_a_cancel_makes_a_parked_run_due_and_is_told_once_it_is_claimed(store):
    parked(store, wake_at=99)
    store.request_cancel("r1", "why")
    [row] = store.claim_due(ME, 0, LATER, 1)
    assert (row.cancel_reason, row.cancel_force) == ("why", False)
    # The owner knows: what it parks now stays so.
    store.append([batch("r1", row.epoch, 2, b"undone", park=Park(88, []))])
    assert wake_at(store) == 88
    store.request_cancel("r1", "at once", force=True)
    [row] = store.claim_due(ME, 0, LATER, 1)
    assert (row.cancel_reason, row.cancel_force) == ("why", True)


def test_a_cancel_that_came_while_a_run_was_held_is_not_parked_away(store):
    epoch = owned_run(store, served=True)
    store.request_cancel("r1", "why", force=True)
    assert store.news(["r1"], 0).cancels == {"r1": Cancel("why", force=True)}
    store.append([batch("r1", epoch, 1, b"x", park=Park(99, []))])
    assert wake_at(store) == 0


def test_a_suspended_run_can_be_cancelled(store):
    epoch = owned_run(store, served=True)
    store.release("r1", epoch, "suspended")
    assert due(store, LATER) == []
    store.request_cancel("r1", "why")
    assert due(store, LATER) == ["r1"]


# Bulk


def test_journals_come_together(store):
    first = owned_run(store, "r1")
    store.append([batch("r1", first, 1, b"a", b"b")])
    store.create(new_run("r2"))
    second = owned_run(store, "long")
    store.append([batch("long", second, 1, *[b"x"] * 250)])
    found = store.journals(["r1", "r2", "long", "unknown"])
    assert {run_id: [row.data for row in rows] for run_id, rows in found.items()} == {
        "r1": [b"started", b"a", b"b"],
        "r2": [b"started"],
    }
    assert list(found["r1"]) == list(store.journal("r1"))


def test_a_thousand_runs_at_once(store):
    for n in range(100):
        store.create(new_run(f"r{n}", served=True))
    rows = store.claim_due(ME, 5, LATER, 1_000)
    assert len({row.run_id for row in rows}) == 100
    assert store.renew({row.run_id: row.epoch for row in rows} | {"r9": 7}, LATER) == {"r9"}
    waits = [WaitRow("e", f"k{n}", 0) for n in range(3)]
    batches = [batch(row.run_id, row.epoch, 1, b"x", park=Park(None, waits)) for row in rows]
    assert store.append(batches) == frozenset()
    sent = store.send_all([NewEvent("e", f"k{n % 5}", b"", 1) for n in range(50)])
    assert sent == sorted(sent)
    assert len(store.claim_due(ME, 0, LATER, 1_000)) == 100


def test_two_batches_of_a_run_follow_one_another(store):
    epoch = owned_run(store)
    store.append([batch("r1", epoch, 1, b"a"), batch("r1", epoch, 2, b"b")])
    assert data(store) == [b"started", b"a", b"b"]


def test_news_tells_the_places_of_new_events_while_they_are_few(store):
    numbers = store.send_all([NewEvent("e", str(n % 3), b"", 1) for n in range(9)])
    news = store.news([], numbers[-3])
    assert (news.last_event_id, news.places) == (numbers[-1], {("e", "1"), ("e", "2")})
    assert store.news([], numbers[-1]).places == frozenset()
    store.send_all([NewEvent("f", None, b"", 1) for _ in range(1_001)])
    assert store.news([], 0).places is None
