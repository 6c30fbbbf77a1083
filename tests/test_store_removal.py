"""What is removed, and what is served by name, asked of each store."""

from contextlib import suppress

import pytest

from flowrt.errors import RunExists, RunNotEnded, SlotTaken, StoreCorrupt, UnknownRun
from flowrt.store import sql_remove
from flowrt.store.rows import NewEvent, Slot, Unused
from stores import (
    KINDS,
    LATER,
    another_machine,
    batch,
    ended_run,
    new_deployment,
    new_run,
    owned_run,
    store_of,
)

A, B, C = ("a" * 64, "b" * 64, "c" * 64)


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    opened = store_of(request.param, tmp_path)
    yield opened
    opened.close()


# Deletion


def test_blobs_are_needed_as_long_as_a_run_or_a_deployment_refers_to_them(store):
    ended_run(store, "r1", blobs=[A], snapshot=B)
    epoch = owned_run(store, "r2")
    store.append([batch("r2", epoch, 1, b"x", blobs=[A, C])])
    store.deploy(new_deployment(snapshot="d" * 64))
    assert store.needed([A, B, C, "d" * 64, "e" * 64]) == {A, B, C, "d" * 64}
    assert store.delete("r1") == {B}
    assert store.needed([A, B, C]) == {A, C}
    assert store.needed([]) == frozenset()


def test_other_code_of_a_run_is_needed(store):
    epoch = owned_run(store, snapshot=A)
    store.reopen("r1", epoch, ["/new"], B, b"seal")
    store.reopen("r1", epoch + 1, ["/late"], C, b"late")
    row = store.run("r1")
    assert (tuple(row.python_path), row.snapshot, row.seal) == (("/new",), B, b"seal")
    assert store.needed([A, B, C]) == {A, B}


def test_a_deleted_run_is_gone_and_its_id_is_free(store):
    ended_run(store, "r1", served=True)
    store.send(NewEvent("e", None, b"", 1, run_id="r1", dedupe="d"))
    kept = store.send(NewEvent("e", None, b"", 1))
    store.delete("r1")
    for ask in (store.run, store.journal, store.delete):
        with pytest.raises(UnknownRun, match="r1"):
            ask("r1")
    assert [event.event_id for event in store.events("e", None, "r1", 0, 9)] == [kept]
    store.create(new_run("r1"))
    row = store.run("r1")
    assert (row.head, row.epoch, row.events_after, row.wake_at) == (1, 0, kept, None)
    assert store.send(NewEvent("e", None, b"", 1, run_id="r1", dedupe="d")) > kept


def test_a_run_that_has_not_ended_is_not_deleted(store):
    owned_run(store)
    with pytest.raises(RunNotEnded, match="r1 is pending"):
        store.delete("r1")
    assert store.run("r1").head == 1


def test_an_owner_of_a_deleted_run_commits_nothing(store):
    ended_run(store, status="failed")
    epoch = store.claim("r1", another_machine(), 0, LATER)
    store.delete("r1")
    assert store.append([batch("r1", epoch, 2, b"reopened", status="running")]) == {"r1"}
    assert store.renew({"r1": epoch}, LATER) == {"r1"}


def test_a_journal_that_is_deleted_while_it_is_read_is_no_damage(store):
    ended_run(store)
    journal = store.journal("r1")
    store.delete("r1")
    with suppress(UnknownRun):
        assert [row.data for row in journal] == [b"started", b"end"]


def test_programs_that_nothing_refers_to_are_swept(store):
    ended_run(store, "r1", program_digest=A, code={A: b"1", B: b"2"})
    ended_run(store, "r2", program_digest=B, code={B: b"2"})
    store.deploy(new_deployment(program_digest=C, code={C: b"3"}))
    assert store.sweep(0) == Unused(programs=0, events=0)
    store.delete("r1")
    assert store.sweep(0).programs == 2
    with pytest.raises(StoreCorrupt, match="missing"):
        store.program(A)
    assert (store.program(B), store.code(B), store.code(C)) == (b"program", b"2", b"3")
    store.undeploy("hello")
    assert store.sweep(0).programs == 2
    store.create(new_run("r3", program_digest=A, code={A: b"1"}))
    assert store.code(A) == b"1"


def test_events_that_no_run_can_take_are_swept(store):
    old = store.send(NewEvent("e", None, b"", 1))
    ended_run(store, "failed", status="failed")
    seen = store.send(NewEvent("e", None, b"", 1))
    ended_run(store, "over", status="succeeded")
    store.send(NewEvent("e", None, b"", 1, run_id="over"))
    last = store.send(NewEvent("e", None, b"", 50))
    assert store.sweep(50).events == 2  # The old one, and the one to a run that is over.
    assert [event.event_id for event in store.all_events(0, 9)] == [seen, last]
    assert old < seen
    store.delete("failed")
    assert store.sweep(50).events == 1
    assert store.sweep(51).events == 1
    assert store.send(NewEvent("e", None, b"", 1)) > last


def test_a_sweep_goes_through_all_events_a_few_at_a_time(store, monkeypatch):
    monkeypatch.setattr(sql_remove, "_SLICE", 3)
    ats = (1, 1, 1, 9, 9, 9, 9, 1, 9, 1)
    store.send_all([NewEvent("e", None, b"", at) for at in ats])
    assert store.sweep(5).events == 5
    assert [event.event_id for event in store.all_events(0, 99)] == [4, 5, 6, 7, 9]
    assert store.sweep(10).events == 5
    assert store.sweep(10).events == 0


# Deployments


def test_deployments_are_listed_by_name_without_their_programs(store):
    for name in ("b", "a\0"):
        store.deploy(new_deployment(name))
    one, two = store.deployments()
    assert (one.name, two.name, one.program, dict(one.code)) == ("a\0", "b", b"", {})
    assert (dict(one.labels), dict(one.versions), tuple(one.python_path)) == (
        {"team": "ä"},
        {"flowc": "0.1.0"},
        ("/a",),
    )
    assert (one.schedule, one.cursor, one.deployed_at, one.seal) == (
        '{"cron": "* * * * *"}',
        100,
        7,
        b"seal",
    )
    assert (store.program(one.program_digest), store.code(C)) == (b"program", b"code")


def test_a_cursor_stays_when_the_schedule_is_the_same(store):
    store.deploy(new_deployment())
    assert store.move_cursor("hello", 100, 160)
    store.deploy(new_deployment(cursor=500, program_digest=A))
    [one] = store.deployments()
    assert (one.cursor, one.program_digest) == (160, A)
    store.deploy(new_deployment(cursor=500, schedule="another"))
    assert store.deployments()[0].cursor == 500
    store.deploy(new_deployment(cursor=600, schedule=None))
    store.deploy(new_deployment(cursor=700, schedule=None))
    assert store.deployments()[0].cursor == 700


def test_what_is_served_no_more(store):
    assert store.undeploy("hello") is False
    store.deploy(new_deployment())
    assert store.undeploy("hello") is True
    assert store.deployments() == []
    assert store.move_cursor("hello", 100, 160) is False


def test_a_slot_is_taken_once(store):
    store.deploy(new_deployment())
    store.create(new_run("r1", served=True), Slot("hello", 100, 160))
    assert store.deployments()[0].cursor == 160
    with pytest.raises(SlotTaken, match="hello"):
        store.create(new_run("r2"), Slot("hello", 100, 160))
    with pytest.raises(SlotTaken):
        store.create(new_run("r2"), Slot("unknown", 100, 160))
    with pytest.raises(UnknownRun):
        store.run("r2")
    with pytest.raises(RunExists):
        store.create(new_run("r1"), Slot("hello", 160, 220))
    assert store.deployments()[0].cursor == 160


def test_a_sound_store_has_no_faults(store):
    ended_run(store)
    assert store.faults() == []
