"""Locks, asked of each store: who is next, who is woken, what is taken from whom, what is refused."""

import pytest
import sqlalchemy

from flowrt.errors import StoreCorrupt, WrongStoreKey
from flowrt.store.blobs import MemoryBlobs
from flowrt.store.owner import this_owner
from flowrt.store.rows import LockRequest, Park
from flowrt.store.seal import seals_of
from flowrt.store.sealed import SealedStore
from flowrt.upkeep.check import check_store
from stores import KINDS, LATER, another_machine, ask, batch, give_back, new_run, owned_run, store_of

ME = this_owner()


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    opened = store_of(request.param, tmp_path)
    yield opened
    opened.close()


def held(store, name="gpu"):
    return [(row.run_id, row.step) for row in store.lock_queue(name, 100) if row.granted]


def waiting(store, name="gpu"):
    return [row.run_id for row in store.lock_queue(name, 100) if not row.granted]


def test_the_first_who_asks_has_it_and_the_others_follow_in_order(store):
    epochs = {name: owned_run(store, name) for name in ("r1", "r2", "r3", "r4")}
    for name, epoch in epochs.items():
        ask(store, name, epoch)
    for name, epoch in epochs.items():
        assert held(store) == [(name, "s")]
        give_back(store, name, epoch, "s")
    assert store.all_locks(0, 10) == []


def test_as_many_have_it_as_may(store):
    epochs = {name: owned_run(store, name) for name in ("r1", "r2", "r3", "r4")}
    for name, epoch in epochs.items():
        ask(store, name, epoch, limit=2)
    assert [run for run, _ in held(store)] == ["r1", "r2"]
    give_back(store, "r2", epochs["r2"], "s")
    assert [run for run, _ in held(store)] == ["r1", "r3"]
    assert waiting(store) == ["r4"]


def test_nobody_overtakes_who_allows_fewer(store):
    epochs = {name: owned_run(store, name) for name in ("r1", "r2", "r3")}
    ask(store, "r1", epochs["r1"], limit=3)
    ask(store, "r2", epochs["r2"], limit=1)
    ask(store, "r3", epochs["r3"], limit=3)
    assert waiting(store) == ["r2", "r3"]
    give_back(store, "r1", epochs["r1"], "s")
    assert (held(store), waiting(store)) == ([("r2", "s")], ["r3"])


def test_who_asks_again_keeps_its_place_and_one_name_is_not_another(store):
    first, second = owned_run(store, "r1"), owned_run(store, "r2")
    ask(store, "r1", first)
    ask(store, "r2", second)
    ask(store, "r2", second)
    ask(store, "r2", second, "disk", "other \x00 step")
    assert waiting(store) == ["r2"]
    assert held(store, "disk") == [("r2", "other \x00 step")]
    assert [row.step for row in store.locks_of(["r2"])] == ["s", "other \x00 step"]


def test_who_is_superseded_changes_nothing(store):
    first = owned_run(store, "r1")
    ask(store, "r1", first)
    store.release("r1", first)
    second = store.claim("r1", ME, 0, LATER)
    late = batch("r1", first, 2, b"late", unlocks=["s"])
    assert store.append([late]) == {"r1"}
    assert held(store) == [("r1", "s")]
    give_back(store, "r1", second, "s")


def test_a_parked_run_is_due_when_its_lock_comes(store):
    holder = owned_run(store, "r1")
    ask(store, "r1", holder)
    waiter = owned_run(store, "r2", served=True)
    ask(store, "r2", waiter)
    head = store.run("r2").head
    parked = batch("r2", waiter, head, b"waits", status="waiting", park=Park(None, (), ["s"]))
    assert store.append([parked]) == frozenset()
    assert store.run("r2").wake_at is None
    give_back(store, "r1", holder, "s")
    assert (store.run("r2").wake_at, held(store)) == (0, [("r2", "s")])


def test_a_lock_that_comes_before_its_run_is_parked_makes_it_due(store):
    waiter = owned_run(store, "r1", served=True)
    ask(store, "r1", waiter)
    head = store.run("r1").head
    store.append([batch("r1", waiter, head, b"waits", status="waiting", park=Park(None, (), ["s"]))])
    assert store.run("r1").wake_at == 0


def test_a_foreground_run_whose_lease_is_over_loses_it_if_somebody_waits(store):
    store.create(new_run("r1"))
    gone = store.claim("r1", another_machine(), 0, LATER)
    ask(store, "r1", gone)
    ask(store, "r1", gone, "disk", "t")
    assert store.free_locks(LATER + 1) == 0
    waiter = owned_run(store, "r2")
    ask(store, "r2", waiter)
    assert store.free_locks(LATER - 1) == 0
    assert store.free_locks(LATER) == 1
    assert held(store) == [("r2", "s")]
    assert held(store, "disk") == []
    row = store.run("r1")
    assert (row.status, row.owner, row.epoch) == ("suspended", None, gone + 1)
    assert row.problem
    # Whoever comes back to it after all commits nothing.
    assert store.append([batch("r1", gone, row.head, b"late")]) == {"r1"}
    assert store.free_locks(LATER) == 0


def test_a_served_run_keeps_it_for_who_takes_it_over(store):
    store.create(new_run("r1", served=True))
    [row] = store.claim_due(another_machine(), 5, LATER, 1)
    ask(store, "r1", row.epoch)
    ask(store, "r2", owned_run(store, "r2"))
    assert store.free_locks(100 * LATER) == 0
    [again] = store.claim_due(ME, 100 * LATER, 101 * LATER, 1)
    assert held(store) == [("r1", "s")]
    give_back(store, "r1", again.epoch, "s")
    assert held(store) == [("r2", "s")]


def test_what_is_suspended_holds_nothing(store):
    epoch = owned_run(store, "r1")
    ask(store, "r1", epoch)
    ask(store, "r2", owned_run(store, "r2"))
    store.release("r1", epoch, "suspended")
    assert held(store) == [("r2", "s")]
    assert store.locks_of(["r1"]) == []


def test_runs_that_wait_in_a_circle_are_told_and_others_are_not(store):
    epochs = {name: owned_run(store, name) for name in ("r1", "r2", "r3")}
    for name, lock in (("r1", "a"), ("r2", "b"), ("r3", "c")):
        ask(store, name, epochs[name], lock, "outer")
    ask(store, "r1", epochs["r1"], "b", "outer.inner")
    ask(store, "r2", epochs["r2"], "c", "outer.inner")
    assert not any(row.problem for row in store.all_locks(0, 10))
    ask(store, "r3", epochs["r3"], "a", "outer.inner")
    [told] = [row for row in store.all_locks(0, 10) if row.problem]
    assert (told.run_id, told.name) == ("r3", "a")
    assert all(word in told.problem for word in ("`a`", "`b`", "`c`", "run r1", "run r2", "this run"))
    give_back(store, "r3", epochs["r3"], "outer.inner", "outer")
    assert held(store, "c") == [("r2", "outer.inner")]


def test_two_steps_beside_each_other_wait_in_no_circle(store):
    first, second = owned_run(store, "r1"), owned_run(store, "r2")
    ask(store, "r1", first, "a", "left")
    ask(store, "r2", second, "b", "left")
    ask(store, "r1", first, "b", "right")
    ask(store, "r2", second, "a", "right")
    assert not any(row.problem for row in store.all_locks(0, 10))


def test_a_circle_needs_everybody_who_holds_a_lock(store):
    epochs = {name: owned_run(store, name) for name in ("r1", "r2", "r3")}
    ask(store, "r1", epochs["r1"], "a", "o", 2)
    ask(store, "r3", epochs["r3"], "a", "o", 2)
    ask(store, "r2", epochs["r2"], "b", "o")
    ask(store, "r1", epochs["r1"], "b", "o.i")
    ask(store, "r2", epochs["r2"], "a", "o.i", 2)
    assert not any(row.problem for row in store.all_locks(0, 10))


def test_a_batch_that_is_sent_again_asks_once(store):
    epoch = owned_run(store, "r1")
    sent = batch("r1", epoch, 1, b"asks", locks=[LockRequest("s", "gpu", 1)])
    back = batch("r1", epoch, 2, b"gives", unlocks=["s"])
    for one in (sent, sent, back, back, sent):
        assert store.append([one]) == frozenset()
    assert store.all_locks(0, 10) == []


def test_a_deleted_run_leaves_no_place(store):
    epoch = owned_run(store, "r1")
    ask(store, "r1", epoch)
    store.append([batch("r1", epoch, 2, b"end", status="failed", ended_at=9, unlocks=["s"])])
    store.release("r1", epoch)
    store.delete("r1")
    assert store.all_locks(0, 10) == []


def test_a_place_that_an_ended_run_should_not_have_goes_with_it_to_the_next(store):
    epoch = owned_run(store, "r1")
    ask(store, "r1", epoch)
    ask(store, "r2", owned_run(store, "r2"))
    store.append([batch("r1", epoch, 2, b"end", status="failed", ended_at=9)])
    store.release("r1", epoch)
    store.delete("r1")
    assert held(store) == [("r2", "s")]


# Seals and damage


def sealed(tmp_path, key="k" * 40):
    inner = store_of("sqlite", tmp_path)
    return inner, SealedStore(inner, seals_of({"FLOWC_STORE_KEY": key}))


def change(inner, statement):
    with inner._engine.begin() as connection:
        connection.execute(sqlalchemy.text(statement))


def forge(inner, **columns):
    """Change a place as somebody does who knows the checksum and has no key."""
    from flowrt.store.schema import locks  # noqa: PLC0415
    from flowrt.store.sql_locks import _checksum  # noqa: PLC0415

    with inner._engine.begin() as connection:
        row = connection.execute(sqlalchemy.select(locks).order_by(locks.c.ticket.desc())).first()
        whole = {**row._mapping, **columns}
        this = locks.c.ticket == row.ticket
        connection.execute(sqlalchemy.update(locks).where(this).values(**columns, checksum=_checksum(whole)))


def test_a_place_that_was_made_or_changed_without_the_key_is_refused(tmp_path):
    inner, store = sealed(tmp_path)
    ask(store, "r1", owned_run(store, "r1"))
    assert held(store) == [("r1", "s")]
    forge(inner, held_max=7)
    with pytest.raises(StoreCorrupt, match="lock `gpu`"):
        store.locks_of(["r1"])
    forge(inner, held_max=1, seal="")
    with pytest.raises(WrongStoreKey):
        store.lock_queue("gpu", 5)
    inner.close()


def test_a_grant_that_was_written_over_another_is_refused(tmp_path):
    inner, store = sealed(tmp_path)
    ask(store, "r1", owned_run(store, "r1"))
    ask(store, "r2", owned_run(store, "r2"))
    forge(inner, granted=True)
    with pytest.raises(StoreCorrupt, match="held by more than 1"):
        store.locks_of(["r2"])
    inner.close()


def test_a_damaged_place_is_told(tmp_path):
    inner = store_of("sqlite", tmp_path)
    ask(inner, "r1", owned_run(inner, "r1"))
    change(inner, "update locks set step = 'other'")
    with pytest.raises(StoreCorrupt, match="queue for a lock"):
        inner.locks_of(["r1"])
    found = check_store(inner, MemoryBlobs()).findings
    assert any("queue for a lock" in finding.message for finding in found)
    inner.close()


def test_what_a_release_looks_at_does_not_grow_with_the_queue(tmp_path):
    inner = store_of("sqlite", tmp_path)
    epochs = {f"r{n}": owned_run(inner, f"r{n}") for n in range(3)}
    for run_id, epoch in epochs.items():
        ask(inner, run_id, epoch)
    statements = []

    def note(_, __, statement, parameters, *___):
        if "locks" in statement and not statement.startswith(("INSERT", "EXPLAIN")):
            statements.append((statement, parameters))

    sqlalchemy.event.listen(inner._engine, "before_cursor_execute", note)
    give_back(inner, "r0", epochs["r0"], "s")
    sqlalchemy.event.remove(inner._engine, "before_cursor_execute", note)
    assert len(statements) >= 4
    with inner._engine.connect() as connection:
        for statement, parameters in statements:
            plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all())
            assert "SCAN" not in plan, statement
            assert "TEMP B-TREE" not in plan, statement
    inner.close()


def test_who_looks_for_holders_does_not_look_at_all_who_wait(tmp_path):
    """It is done every second, by every engine, and thousands may wait."""
    store = store_of("sqlite", tmp_path)
    told = []
    sqlalchemy.event.listen(store._engine, "before_cursor_execute", lambda *given: told.append(given[2:4]))
    store.free_locks(0)
    [(statement, parameters)] = [one for one in told if "locks" in one[0]]
    with store._engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    steps = [row[3] for row in rows]
    assert [step for step in steps if step.startswith("SCAN")] == ["SCAN locks USING INDEX locks_answered"]
    store.close()


def test_a_look_for_what_has_come_does_not_look_at_all_who_wait(tmp_path):
    store = store_of("sqlite", tmp_path)
    told = []
    sqlalchemy.event.listen(store._engine, "before_cursor_execute", lambda *given: told.append(given[2:4]))
    store.locks_of(["r1", "r2"], answered=True)
    [(statement, parameters)] = [one for one in told if "locks" in one[0]]
    with store._engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    assert any("locks USING INDEX locks_answered" in row[3] for row in rows), rows
    store.close()


def test_what_has_come_are_those_who_have_it_and_those_who_never_will(store):
    first, second = owned_run(store, "r1"), owned_run(store, "r2")
    ask(store, "r1", first, "a", "o")
    ask(store, "r2", second, "b", "o")
    ask(store, "r1", first, "b", "o.i")
    ask(store, "r2", second, "c", "p")
    ask(store, "r1", first, "c", "q")
    ask(store, "r2", second, "a", "o.i")
    rows = store.locks_of(["r1", "r2"], answered=True)
    assert [(row.run_id, row.step, row.granted) for row in rows] == [
        ("r1", "o", True),
        ("r2", "o", True),
        ("r2", "p", True),
        ("r2", "o.i", False),
    ]
    assert rows[-1].problem


def test_a_step_inside_of_a_lock_and_one_whose_name_only_begins_alike(store):
    """A place closes a circle only when it keeps its run from giving something back."""
    first, second = owned_run(store, "r1"), owned_run(store, "r2")
    ask(store, "r1", first, "a", "%o")
    ask(store, "r2", second, "b", "o")
    ask(store, "r1", first, "b", "%o2.i")
    ask(store, "r2", second, "a", "o.i")
    assert not any(row.problem for row in store.all_locks(0, 10))
    ask(store, "r1", first, "b", "%o.x.i")
    assert [row.step for row in store.all_locks(0, 10) if row.problem] == ["%o.x.i"]


def test_a_run_may_be_parked_that_waits_for_more_than_a_statement_has_parameters(store):
    epoch = owned_run(store, "r1", served=True)
    steps = [f"s{n}" for n in range(70_000)]
    parked = batch("r1", epoch, 1, b"waits", status="waiting", park=Park(None, (), steps))
    assert store.append([parked]) == frozenset()
    assert store.run("r1").wake_at is None


def test_a_step_that_asks_twice_in_one_batch_has_one_place(store):
    epoch = owned_run(store)
    request = LockRequest("s", "gpu", 1)
    assert store.append([batch("r1", epoch, 1, b"asks", locks=[request, request])]) == frozenset()
    assert [(row.step, row.granted) for row in store.lock_queue("gpu", 10)] == [("s", True)]
