"""Circles of locks, asked of each store: who waits for ever is told, and nobody else is."""

import dataclasses

import pytest
import sqlalchemy

from flowrt.store.owner import this_owner
from flowrt.store.rows import LockRequest
from stores import KINDS, LATER, another_machine, ask, batch, give_back, new_run, owned_run, store_of


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    opened = store_of(request.param, tmp_path)
    yield opened
    opened.close()


def told(store):
    return {row.run_id: row.problem for row in store.all_locks(0, 100) if row.problem}


def holders(store, name):
    return [row.run_id for row in store.lock_queue(name, 100) if row.granted]


def owned(store, *run_ids):
    return [owned_run(store, run_id) for run_id in run_ids]


def test_who_also_waits_for_a_lock_that_will_come_is_in_the_circle_all_the_same(store):
    first, second, third = owned(store, "r1", "r2", "r3")
    ask(store, "r3", third, "p", "s")
    ask(store, "r1", first, "x", "g")
    ask(store, "r2", second, "y", "g")
    ask(store, "r1", first, "p", "g.a")
    ask(store, "r1", first, "y", "g.b")
    ask(store, "r2", second, "x", "g.a")
    [(run_id, problem)] = told(store).items()
    assert run_id == "r2"
    assert "`x` is held by run r1 (step `g`), which waits for `y`" in problem
    assert "`p`" not in problem


def test_who_allows_fewer_waits_for_those_too_who_hold_it_for_ever(store):
    """r4 gives back and r2 does not: r1 waits for both of them, and r2 behind r1."""
    first, second, fourth = owned(store, "r1", "r2", "r4")
    ask(store, "r2", second, "x", "g", 2)
    ask(store, "r4", fourth, "x", "s", 2)
    ask(store, "r1", first, "x", "s", 1)
    ask(store, "r2", second, "x", "g.a", 2)
    assert list(told(store)) == ["r2"]


def test_who_allows_as_many_as_hold_it_waits_for_one_of_them(store):
    first, second, fourth = owned(store, "r1", "r2", "r4")
    ask(store, "r2", second, "x", "g", 2)
    ask(store, "r4", fourth, "x", "s", 2)
    ask(store, "r1", first, "x", "s", 2)
    ask(store, "r2", second, "x", "g.a", 2)
    assert told(store) == {}
    give_back(store, "r4", fourth, "s")
    give_back(store, "r1", first, "s")
    assert [row.step for row in store.lock_queue("x", 9) if row.granted] == ["g", "g.a"]


@pytest.mark.parametrize("gone", ["known", "over"])
def test_who_nobody_goes_on_with_is_in_no_circle(store, gone):
    """What it has would be given away within the second: whoever asks must not fail for it."""
    owner = another_machine() if gone == "over" else dataclasses.replace(this_owner(), started="never")
    store.create(new_run("r1"))
    first = store.claim("r1", owner, 0, LATER)
    second = owned_run(store, "r2")
    ask(store, "r2", second, "y", "g")
    ask(store, "r1", first, "x", "g")
    ask(store, "r1", first, "y", "g.a")
    ask(store, "r2", second, "x", "g.a", at=LATER)
    assert told(store) == {}
    assert holders(store, "x") == ["r2"]
    assert store.locks_of(["r1"]) == []
    assert store.run("r1").status == "suspended"
    assert store.append([batch("r1", first, store.run("r1").head, b"late")]) == {"r1"}


def test_who_somebody_may_still_go_on_with_is_in_it(store):
    store.create(new_run("r1"))
    first = store.claim("r1", another_machine(), 0, LATER)
    store.create(new_run("r3", served=True))
    [third] = store.claim_due(another_machine(), 5, LATER, 1)
    second = owned_run(store, "r2")
    ask(store, "r2", second, "y", "g")
    ask(store, "r1", first, "x", "g")
    ask(store, "r3", third.epoch, "z", "g")
    ask(store, "r1", first, "y", "g.a")
    ask(store, "r3", third.epoch, "y", "g.a")
    ask(store, "r2", second, "x", "g.a", at=LATER - 1)
    ask(store, "r2", second, "z", "g.b", at=9 * LATER)
    assert [row.name for row in store.all_locks(0, 100) if row.problem] == ["x", "z"]


def test_a_turn_at_an_actor_closes_no_circle(store):
    """Nothing of a run is inside of a call, whatever stands beside it and waits."""
    first, second = owned(store, "r1", "r2")
    ask(store, "r1", first, "b:A(k)", "g.x")
    ask(store, "r1", first, "y", "g.y")
    ask(store, "r2", second, "y", "h")
    ask(store, "r2", second, "b:A(k)", "h.a")
    ask(store, "r1", first, "b:A(k)", "g.xx")
    assert told(store) == {}


def test_what_is_looked_at_does_not_grow_with_what_waits_beside(tmp_path):
    """A run that calls one actor from many bodies at once asks as many times."""
    store = store_of("sqlite", tmp_path)
    epoch = owned_run(store)
    asked = [LockRequest(f"for[{n}].step", "b:A(k)", 1) for n in range(200)]
    assert store.append([batch("r1", epoch, 1, b"asks", locks=asked)]) == frozenset()
    given = []
    sqlalchemy.event.listen(store._engine, "before_cursor_execute", lambda *told: given.append(told[2:4]))
    ask(store, "r1", epoch, "b:A(k)", "for[200].step")
    with store._engine.connect() as connection:
        for statement, parameters in given:
            if "locks" in statement and statement.startswith("SELECT"):
                plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())
                assert "locks_run_step (run_no=?)" not in plan, statement
                assert "SCAN" not in plan, statement
    store.close()
