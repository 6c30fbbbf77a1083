"""What every store promises, asked of each of them."""

import dataclasses
import socket
import subprocess
import sys

import pytest

from flowrt.errors import BadRunId, RunExists, RunOwned, StoreCorrupt, UnknownRun
from flowrt.store.owner import alive, this_owner
from flowrt.store.rows import Cancel, NewEvent
from stores import KINDS, LATER, SECOND, another_machine, batch, data, new_run, owned_run, store_of


@pytest.fixture(params=KINDS)
def store(request, tmp_path):
    opened = store_of(request.param, tmp_path)
    yield opened
    opened.close()


# Creation


def test_a_created_run_is_what_was_given(store):
    store.create(new_run())
    row = store.run("r1")
    assert (row.run_id, row.flow, row.status) == ("r1", "hello", "pending")
    assert (row.program_digest, row.inputs_digest) == ("p" * 64, "i" * 64)
    assert (dict(row.labels), dict(row.versions)) == ({"team": "ä"}, {"flowc": "0.1.0"})
    assert tuple(row.python_path) == ("/a", "/b c")
    assert (row.created_at, row.started_at, row.ended_at) == (5, None, None)
    assert (row.head, row.epoch, row.owner, row.lease_until, row.cancel_reason) == (1, 0, None, 0, None)
    assert [(r.seq, r.epoch, r.data) for r in store.journal("r1")] == [(0, 0, b"started")]
    assert store.program("p" * 64) == b"program"
    assert store.code("c" * 64) == b"code"


def test_a_run_is_created_once(store):
    store.create(new_run())
    with pytest.raises(RunExists, match="r1"):
        store.create(new_run(program_digest="q" * 64, program=b"other", first=b"other"))
    assert store.run("r1").program_digest == "p" * 64
    assert data(store) == [b"started"]
    with pytest.raises(StoreCorrupt):
        store.program("q" * 64)


def test_two_runs_share_a_program(store):
    store.create(new_run("r1"))
    store.create(new_run("r2"))
    assert store.program("p" * 64) == b"program"


@pytest.mark.parametrize("run_id", ["../up", "", "a/b", "a..b", ".hidden", "x" * 129, "ä"])
def test_an_id_with_a_path_in_it_is_refused(store, run_id):
    with pytest.raises(BadRunId):
        store.create(new_run(run_id))
    assert store.runs() == []


@pytest.mark.parametrize(
    "ask",
    [
        lambda s: s.run("r9"),
        lambda s: s.journal("r9"),
        lambda s: s.claim("r9", this_owner(), 0, 1),
        lambda s: s.request_cancel("r9", "x"),
        lambda s: s.send(NewEvent("e", None, b"", 1, run_id="r9")),
    ],
)
def test_an_unknown_run_is_named(store, ask):
    with pytest.raises(UnknownRun, match="r9"):
        ask(store)


def test_missing_programs_and_code_are_damage(store):
    with pytest.raises(StoreCorrupt, match="missing"):
        store.program("x")
    with pytest.raises(StoreCorrupt, match="missing"):
        store.code("x")


# Ownership


def test_each_claim_raises_the_epoch(store):
    me = this_owner()
    store.create(new_run())
    assert store.claim("r1", me, 0, LATER) == 1
    row = store.run("r1")
    assert (row.owner, row.lease_until, row.epoch) == (me, LATER, 1)
    assert store.claim("r1", me, 1, LATER) == 2


def test_a_run_of_a_living_process_is_refused_and_its_holder_named(store):
    store.create(new_run())
    holder = this_owner()
    store.claim("r1", holder, 0, 90 * SECOND)
    with pytest.raises(RunOwned) as caught:
        store.claim("r1", this_owner(), 1, LATER)
    message = str(caught.value)
    for part in ("r1", str(holder.pid), socket.gethostname(), "1970-01-01 00:01:30"):
        assert part in message
    assert store.run("r1").epoch == 1


def test_a_lease_that_ran_out_is_passed_over(store):
    store.create(new_run())
    store.claim("r1", another_machine(), 0, LATER)
    with pytest.raises(RunOwned):
        store.claim("r1", this_owner(), LATER - 1, 2 * LATER)
    assert store.claim("r1", this_owner(), LATER, 2 * LATER) == 2


def test_a_dead_process_of_this_machine_is_passed_over_at_once(store):
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    dead = dataclasses.replace(this_owner(), pid=child.pid)
    assert alive(dead) is False
    store.create(new_run())
    store.claim("r1", dead, 0, LATER)
    assert store.claim("r1", this_owner(), 1, LATER) == 2


def test_a_process_id_that_was_given_out_again_is_not_the_old_process(store):
    store.create(new_run())
    store.claim("r1", dataclasses.replace(this_owner(), started="1"), 0, LATER)
    assert store.claim("r1", this_owner(), 1, LATER) == 2


def test_a_released_run_can_be_claimed(store):
    epoch = owned_run(store)
    store.release("r1", epoch, "suspended")
    row = store.run("r1")
    assert (row.owner, row.lease_until, row.status) == (None, 0, "suspended")
    assert store.claim("r1", another_machine(), 1, LATER) == epoch + 1


def test_a_release_under_an_old_epoch_does_nothing(store):
    epoch = owned_run(store)
    other = another_machine()
    store.claim("r1", other, LATER, 2 * LATER)
    store.release("r1", epoch, "failed")
    assert (store.run("r1").owner, store.run("r1").status) == (other, "pending")
    store.release("r9", 1, "failed")


def test_a_run_that_has_ended_stays_so_when_it_is_released(store):
    epoch = owned_run(store)
    store.append([batch("r1", epoch, 1, b"ended", status="succeeded", ended_at=7)])
    store.release("r1", epoch, "suspended")
    row = store.run("r1")
    assert (row.status, row.owner, row.wake_at) == ("succeeded", None, None)


def test_renewal_tells_which_runs_are_lost(store):
    kept, taken, released = (owned_run(store, name) for name in ("kept", "taken", "released"))
    store.claim("taken", another_machine(), LATER, 2 * LATER)
    store.release("released", released)
    held = {"kept": kept, "taken": taken, "released": released, "unknown": 1}
    assert store.renew(held, 7 * LATER) == {"taken", "released", "unknown"}
    assert store.run("kept").lease_until == 7 * LATER
    assert store.run("taken").lease_until == 2 * LATER
    assert store.renew({}, 1) == frozenset()


# Journals


def test_records_come_back_in_order(store):
    epoch = owned_run(store)
    assert store.append([batch("r1", epoch, 1, b"a", b"b")]) == frozenset()
    assert store.append([batch("r1", epoch, 3, b"c", b"")]) == frozenset()
    assert [(r.seq, r.epoch, r.data) for r in store.journal("r1")] == [
        (0, 0, b"started"),
        (1, 1, b"a"),
        (2, 1, b"b"),
        (3, 1, b"c"),
        (4, 1, b""),
    ]
    assert data(store, first_seq=3) == [b"c", b""]
    assert data(store, first_seq=5) == []
    assert store.run("r1").head == 5


def test_a_long_journal_comes_back_whole(store):
    epoch = owned_run(store)
    records = [str(n).encode() for n in range(2_345)]
    store.append([batch("r1", epoch, 1, *records)])
    assert data(store, first_seq=1) == records


def test_a_batch_sets_status_and_instants(store):
    epoch = owned_run(store)
    store.append([batch("r1", epoch, 1, b"a", status="running", started_at=7)])
    row = store.run("r1")
    assert (row.status, row.started_at, row.ended_at) == ("running", 7, None)
    store.append([batch("r1", epoch, 2, b"b")])
    assert (store.run("r1").status, store.run("r1").started_at) == ("running", 7)
    store.append([batch("r1", epoch, 3, b"c", status="failed", ended_at=9)])
    assert (store.run("r1").status, store.run("r1").ended_at) == ("failed", 9)
    store.append([batch("r1", epoch, 4, b"d", status="running")])
    assert (store.run("r1").status, store.run("r1").ended_at) == ("running", None)


def test_a_batch_without_records_sets_the_status(store):
    epoch = owned_run(store)
    store.append([batch("r1", epoch, 1, status="waiting")])
    assert (store.run("r1").status, store.run("r1").head) == ("waiting", 1)


def test_a_superseded_owner_commits_nothing_and_the_others_do(store):
    old = owned_run(store, "taken")
    mine = owned_run(store, "mine")
    new = store.claim("taken", another_machine(), LATER, 2 * LATER)
    event = NewEvent("shipped", None, b"x", 1)
    batches = [
        batch("taken", old, 1, b"late", status="succeeded", ended_at=3, events=[event]),
        batch("mine", mine, 1, b"in time"),
        batch("gone", 1, 1, b"nowhere"),
    ]
    assert store.append(batches) == {"taken", "gone"}
    assert data(store, "taken") == [b"started"]
    assert (store.run("taken").status, store.run("taken").ended_at) == ("pending", None)
    assert data(store, "mine") == [b"started", b"in time"]
    assert store.news([], 0).last_event_id == 0
    assert store.append([batch("taken", new, 1, b"new")]) == frozenset()


def test_a_batch_at_the_wrong_place_changes_nothing(store):
    epoch = owned_run(store)
    other = owned_run(store, "r2")
    with pytest.raises(StoreCorrupt, match="r1"):
        store.append([batch("r2", other, 1, b"x"), batch("r1", epoch, 5, b"hole")][1:])
    assert data(store) == [b"started"]
    store.append([batch("r1", epoch, 1, b"a")])
    with pytest.raises(StoreCorrupt, match="r1"):
        store.append([batch("r1", epoch, 1, b"b")])
    assert data(store) == [b"started", b"a"]


def test_a_batch_that_was_written_already_is_not_written_again(store):
    epoch = owned_run(store)
    same = batch("r1", epoch, 1, b"a", b"b", events=[NewEvent("e", None, b"", 1)])
    assert store.append([same]) == frozenset()
    assert store.append([same]) == frozenset()
    assert data(store) == [b"started", b"a", b"b"]
    assert store.news([], 0).last_event_id == 1


def test_runs_are_listed_newest_first(store):
    for number, flow in enumerate(["a", "b", "a", "b"]):
        store.create(new_run(f"r{number}", flow=flow, created_at=10 + number // 2))
    epoch = store.claim("r2", this_owner(), 0, 1)
    store.append([batch("r2", epoch, 1, b"", status="failed")])

    def ids(**query):
        return [row.run_id for row in store.runs(**query)]

    assert ids() == ["r3", "r2", "r1", "r0"]
    assert ids(limit=2) == ["r3", "r2"]
    assert ids(flow="a") == ["r2", "r0"]
    assert ids(status=["failed"]) == ["r2"]
    assert ids(status={"pending", "failed"}, flow="b", limit=1) == ["r3"]
    assert ids(status=[]) == []


# Events


def found(store, **changes):
    query = {"name": "e", "key": None, "run_id": "r1", "after_id": 0, "limit": 100}
    return [row.event_id for row in store.events(**{**query, **changes})]


def test_events_are_numbered_in_order_and_kept(store):
    store.create(new_run())
    first = store.send(NewEvent("e", "k", b"one", 3))
    second = store.send(NewEvent("e", "k", b"two", 4))
    assert first < second
    [one, two] = store.events("e", "k", "r1", 0, 10)
    assert (one.event_id, one.name, one.key, one.payload, one.at, one.run_id) == (
        first, "e", "k", b"one", 3, None,
    )  # fmt: skip
    assert (two.event_id, two.payload) == (second, b"two")


def test_events_are_chosen_by_name_key_run_and_number(store):
    store.create(new_run("r1"))
    store.create(new_run("r2"))
    plain = store.send(NewEvent("e", None, b"", 10))
    keyed = store.send(NewEvent("e", "k", b"", 10))
    other = store.send(NewEvent("f", None, b"", 10))
    for_r1 = store.send(NewEvent("e", None, b"", 10, run_id="r1"))
    for_r2 = store.send(NewEvent("e", None, b"", 10, run_id="r2"))
    late = store.send(NewEvent("e", None, b"", 20))
    assert found(store) == [plain, for_r1, late]
    assert found(store, run_id="r2") == [plain, for_r2, late]
    assert found(store, key="k") == [keyed]
    assert found(store, name="f") == [other]
    assert found(store, after_id=plain) == [for_r1, late]
    assert found(store, limit=1) == [plain]
    assert found(store, name="nothing") == []


def test_an_event_with_a_known_dedupe_id_is_acknowledged_and_dropped(store):
    store.create(new_run())
    first = store.send(NewEvent("e", None, b"one", 1, dedupe="d"))
    assert store.send(NewEvent("e", None, b"two", 2, dedupe="d")) == first
    second = store.send(NewEvent("e", None, b"three", 3, dedupe="d2"))
    assert [row.payload for row in store.events("e", None, "r1", 0, 9)] == [b"one", b"three"]
    assert second == first + 1


def test_events_of_a_batch_are_sent_with_it(store):
    epoch = owned_run(store)
    events = [NewEvent("e", None, b"1", 1), NewEvent("e", None, b"2", 1, dedupe="d")]
    store.append([batch("r1", epoch, 1, b"a", events=events)])
    store.append([batch("r1", epoch, 2, b"b", events=events[1:])])
    assert [row.payload for row in store.events("e", None, "r1", 0, 9)] == [b"1", b"2"]


def test_texts_that_are_not_utf_8_do_no_harm(store):
    store.create(new_run())
    store.send(NewEvent("e", "\udcff", b"x", 1, dedupe="\udcff"))
    assert found(store, key="\udcff") != []
    store.request_cancel("r1", "\udcff")
    assert store.news(["r1"], 0).cancels.keys() == {"r1"}


# News


def test_news_names_the_newest_event_and_the_runs_to_cancel(store):
    for name in ("r1", "r2", "r3"):
        store.create(new_run(name))
    assert (store.news(["r1"], 0).last_event_id, dict(store.news(["r1"], 0).cancels)) == (0, {})
    number = store.send(NewEvent("e", None, b"", 1))
    store.request_cancel("r1", "why")
    store.request_cancel("r1", "because")
    store.request_cancel("r2", "not asked about")
    news = store.news(["r1", "r3", "unknown"], 0)
    assert (news.last_event_id, dict(news.cancels)) == (number, {"r1": Cancel("why")})
    assert store.run("r1").cancel_reason == "why"


def test_a_run_that_has_ended_is_not_cancelled(store):
    epoch = owned_run(store)
    store.append([batch("r1", epoch, 1, b"end", status="succeeded", ended_at=2)])
    store.request_cancel("r1", "too late")
    assert store.run("r1").cancel_reason is None
    assert dict(store.news(["r1"], 0).cancels) == {}
