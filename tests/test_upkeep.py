"""Upkeep: what is deleted goes with all that only it needed; what is damaged is found; the rest stays."""

import os
import subprocess
import sys
import time
from threading import Event

import pytest
from sqlalchemy import text as sql
from sqlalchemy import update
from stories import JumpClock, story_of

from flowrt.encoding.pack import decode_record, encode_record
from flowrt.encoding.values import Values
from flowrt.errors import FlowrtError, RunNotEnded, StoreUnavailable, UnknownRun
from flowrt.record import Sleeping, digests_of
from flowrt.store.blobs import LocalBlobs, MemoryBlobs
from flowrt.store.checksum import record_checksum
from flowrt.store.content import GRACE_US
from flowrt.store.memory import MemoryStore
from flowrt.store.open import open_store
from flowrt.store.owner import this_owner
from flowrt.store.rows import BlobFacts, NewEvent
from flowrt.store.schema import runs
from flowrt.store.seal import KEY_VARIABLE, seals_of
from flowrt.store.sealed import SealedStore
from flowrt.store.sql_checksum import changed
from flowrt.upkeep.check import check_store
from flowrt.upkeep.collect import EVENTS_KEPT_US, collect_garbage
from flowrt.upkeep.delete import delete_run

LARGE = """\
flow: large
inputs: {letter: str}
steps:
  - id: big
    value: letter * 50000
  - return: big
"""
COUNTS = """\
flow: counts
inputs: {letter: str}
steps:
  - return: len(letter)
"""
WAITS = """\
flow: waits
inputs: {letter: str}
events: {go: {type: any, external: true}}
steps:
  - id: big
    value: letter * 50000
  - wait: go
  - return: big
"""
MINUTE = 60_000_000
LATER = 2 * GRACE_US


def now_us():
    return time.time_ns() // 1000


@pytest.fixture
def place(tmp_path):
    return tmp_path / "store"


@pytest.fixture
def opened(place):
    store, blobs = open_store(str(place))
    yield store, blobs
    store.close()


@pytest.fixture
def play(opened):
    """Play a story to its end, or to where it waits, under an id."""

    def run(text, run_id, letter="a"):
        story = story_of(text, store=opened[0], blobs=opened[1], clock=JumpClock(now_us()), run_id=run_id)
        story.start({"letter": letter})
        return story

    return run


def digests(blobs):
    return {facts.digest for facts in blobs.every()}


def grow_old(place):
    """Let all values have been put long ago."""
    for file in (place / "blobs").rglob("*"):
        if file.is_file():
            os.utime(file, ns=((now_us() - LATER) * 1000,) * 2)


def result_of(blobs, story):
    return Values(blobs).load(story.drive().value)


# Delete


def test_a_run_is_deleted_with_what_only_it_needed(opened, place, play):
    store, blobs = opened
    play(LARGE, "one").drive()
    play(LARGE, "other", "b").drive()
    assert len(digests(blobs)) == 2
    grow_old(place)
    done = delete_run(store, blobs, "one", now=now_us())
    assert (done.freed_count, done.left_count) == (1, 0)
    with pytest.raises(UnknownRun):
        store.run("one")
    assert len(digests(blobs)) == 1
    assert result_of(blobs, play(LARGE, "other", "b")) == "b" * 50000
    assert check_store(store, blobs).findings == ()


def test_what_another_run_needs_too_stays(opened, place, play):
    store, blobs = opened
    play(LARGE, "one").drive()
    play(LARGE, "same").drive()
    [digest] = digests(blobs)
    grow_old(place)
    assert delete_run(store, blobs, "one", now=now_us()).freed_count == 0
    assert digests(blobs) == {digest}
    assert collect_garbage(store, blobs, now=now_us()).blob_count == 0
    assert delete_run(store, blobs, "same", now=now_us()).freed_count == 1
    assert digests(blobs) == set()


def test_what_is_young_is_left_to_the_collection(opened, place, play):
    store, blobs = opened
    play(LARGE, "one").drive()
    done = delete_run(store, blobs, "one", now=now_us())
    assert (done.freed_count, done.left_count) == (0, 1)
    young = collect_garbage(store, blobs, now=now_us())
    assert (young.blob_count, young.young_count) == (0, 1)
    grow_old(place)
    old = collect_garbage(store, blobs, now=now_us())
    assert (old.blob_count, old.young_count, old.program_count) == (1, 0, 0)
    assert old.blob_bytes > 50000
    assert digests(blobs) == set()


def test_a_run_that_goes_on_is_not_deleted(opened, play):
    store, blobs = opened
    play(WAITS, "one")
    with pytest.raises(RunNotEnded, match="one"):
        delete_run(store, blobs, "one", now=now_us())
    with pytest.raises(UnknownRun):
        delete_run(store, blobs, "none", now=now_us())
    assert store.run("one").status == "pending"


# Collect


def test_what_a_crash_left_is_collected_and_what_a_run_needs_stays(opened, place, play):
    store, blobs = opened
    play(LARGE, "one").drive()
    [needed] = digests(blobs)
    orphan, _ = blobs.put([b"x" * 40000])
    unfinished = place / "blobs" / orphan[:2] / f".{orphan[2:18]}-{'0' * 32}.tmp"
    unfinished.write_bytes(b"half")
    grow_old(place)
    dry = collect_garbage(store, blobs, now=now_us(), dry_run=True)
    assert (dry.blob_count, dry.blob_bytes, dry.needed_count) == (1, 40000, 1)
    assert digests(blobs) == {needed, orphan}
    assert unfinished.exists()
    done = collect_garbage(store, blobs, now=now_us())
    assert replace_counts(done) == (1, 40000, 0, 1, 1)
    assert digests(blobs) == {needed}
    assert not unfinished.exists()


def replace_counts(garbage):
    return (
        garbage.blob_count,
        garbage.blob_bytes,
        garbage.young_count,
        garbage.needed_count,
        garbage.unfinished_count,
    )


def test_inputs_are_needed_before_the_run_has_begun(opened, place, play):
    store, blobs = opened
    story = play(COUNTS, "one", letter="long" * 10000)
    grow_old(place)
    assert collect_garbage(store, blobs, now=now_us()).needed_count == 1
    assert story.value(story.drive()) == 40000


def test_a_collection_beside_a_worker_takes_nothing_that_is_about_to_be_named(opened, place, play):
    """The value is there, old and needed by nobody; a worker finds it there and relies on it."""
    store, blobs = opened
    play(LARGE, "one").drive()
    grow_old(place)
    taken = []

    class Collecting(LocalBlobs):
        def put(self, parts):
            put = super().put(parts)
            taken.append(collect_garbage(store, blobs, now=now_us()))
            return put

    store.delete("one")
    story = play(LARGE, "two")
    story.blobs = Collecting(place / "blobs")
    assert story.value(story.drive()) == "a" * 50000
    assert [garbage.blob_count for garbage in taken] == [0]
    assert taken[0].young_count == 1
    assert check_store(store, blobs).findings == ()


def test_a_value_that_is_put_while_a_collection_is_at_work_stays(opened, place):
    store, blobs = opened
    digest, _ = blobs.put([b"x" * 40000])
    grow_old(place)

    class Slow(LocalBlobs):
        def remove(self, digest, put_before):
            LocalBlobs(place / "blobs").put([b"x" * 40000])
            return super().remove(digest, put_before)

    assert collect_garbage(store, Slow(place / "blobs"), now=now_us()).blob_count == 0
    assert digests(blobs) == {digest}


def test_a_small_grace_is_refused_while_a_run_is_at_work(opened, play):
    store, blobs = opened
    play(LARGE, "one")
    blobs.put([b"x"])
    epoch = store.claim("one", this_owner(), now_us(), now_us() + MINUTE)
    with pytest.raises(FlowrtError, match="run one is at work"):
        collect_garbage(store, blobs, now=now_us() + MINUTE // 2, grace_us=0)
    store.release("one", epoch)
    assert collect_garbage(store, blobs, now=now_us() + MINUTE, grace_us=0).blob_count == 1


def test_events_stay_a_week(opened):
    store, blobs = opened
    now = now_us()
    for age in (EVENTS_KEPT_US + MINUTE, EVENTS_KEPT_US - MINUTE, 0):
        store.send(NewEvent("go", None, b"\x11\xc0", now - age))
    assert collect_garbage(store, blobs, now=now).event_count == 1
    assert len(store.all_events(0, 10)) == 2


def test_many_values_take_little_memory(opened, monkeypatch):
    """References are asked for page by page."""
    store, _ = opened
    asked = []
    monkeypatch.setattr(store, "needed", lambda page: (asked.append(len(page)), frozenset())[1])

    class Many:
        def every(self):
            for number in range(12_345):
                yield replace_digest(number)

        def remove(self, digest, put_before):  # noqa: ARG002
            return True

        def sweep(self, before):  # noqa: ARG002
            return 0

    assert collect_garbage(store, Many(), now=now_us()).blob_count == 12_345
    assert max(asked) <= 1000
    assert sum(asked) == 12_345


def replace_digest(number):
    return BlobFacts(f"{number:064x}", 1, 0)


CRASH = """
import os, sys, time
from flowrt.store.memory import MemoryStore
from flowrt.store.open import open_store
from flowrt.upkeep.collect import collect_garbage
from flowrt.upkeep.delete import delete_run
store, blobs = open_store(sys.argv[1], create=False)
if sys.argv[2] == "delete":
    delete_run(store, blobs, "one", now=time.time_ns() // 1000)
else:
    collect_garbage(store, blobs, now=time.time_ns() // 1000)
"""


@pytest.mark.parametrize(
    ("what", "point"),
    [("delete", "delete.done"), ("delete", "gc.found"), ("collect", "gc.found"), ("collect", "gc.removed")],
)
def test_a_crash_at_any_point_leaves_what_the_next_collection_finds(opened, place, play, what, point):
    store, blobs = opened
    play(LARGE, "one").drive()
    play(LARGE, "other", "b").drive()
    for letter in (b"x", b"y", b"z"):
        blobs.put([letter * 40000])
    grow_old(place)
    environment = {**os.environ, "FLOWC_FAILPOINT": point}
    died = subprocess.run(
        [sys.executable, "-c", CRASH, str(place), what], env=environment, capture_output=True, check=False
    )
    assert died.returncode == 137, died.stderr
    assert check_store(store, blobs).findings == ()
    collect_garbage(store, blobs, now=now_us())
    runs = {row.run_id for row in store.runs()}
    assert runs == ({"other"} if what == "delete" else {"one", "other"})
    assert len(digests(blobs)) == len(runs)
    assert check_store(store, blobs).findings == ()


# Check


def damage(store, statement, **values):
    with store._engine.begin() as connection:
        assert connection.execute(sql(statement), values).rowcount >= 1


def places(checked):
    return [(finding.place, finding.run_id, finding.record) for finding in checked.findings]


def test_a_sound_store_has_no_findings_and_is_read_whole(opened, play):
    store, blobs = opened
    play(LARGE, "one").drive()
    play(WAITS, "two", "b").drive(interrupt=set_event())
    store.send(NewEvent("go", None, b"\x11\xc0", now_us()))
    checked = check_store(store, blobs)
    assert checked.findings == ()
    assert (checked.run_count, checked.event_count) == (2, 1)
    assert checked.record_count == store.run("one").head + store.run("two").head
    assert checked.blob_count >= 1
    assert checked.blob_bytes > 50000


@pytest.mark.parametrize("sealed", [False, True], ids=["memory", "sealed"])
def test_other_stores_are_checked_too(sealed):
    key = "a key of more than thirty-two characters"
    store, blobs = MemoryStore(), MemoryBlobs()
    kept = SealedStore(store, seals_of({KEY_VARIABLE: key})) if sealed else store
    story = story_of(LARGE, store=kept, blobs=blobs, clock=JumpClock(now_us()), run_id="one")
    story.start({"letter": "a"})
    story.drive()
    for _ in range(3):
        kept.send(NewEvent("go", None, b"\x11\xc0", now_us()))
    checked = check_store(kept, blobs)
    assert (checked.findings, checked.event_count, checked.blob_count) == ((), 3, 1)
    if sealed:
        store.send(NewEvent("go", None, b"\x11\xc0", now_us()))
        assert [finding.place for finding in check_store(kept, blobs).findings] == ["event"]


def set_event():
    event = Event()
    event.set()
    return event


def test_a_damaged_record_is_named_and_the_other_runs_are_checked(opened, play):
    store, blobs = opened
    for run_id in ("one", "two", "three"):
        play(LARGE, run_id).drive()
    damage(store, "UPDATE records SET data = CAST(x'00' || data AS BLOB) WHERE run_no = 2 AND seq = 1")
    checked = check_store(store, blobs)
    assert ("journal", "two", 1) in places(checked)
    assert {finding.run_id for finding in checked.findings} == {"two"}
    assert places(check_store(store, blobs, ["one"])) == []
    assert check_store(store, blobs, ["one"]).run_count == 1


def test_a_missing_record_is_told(opened, play):
    store, blobs = opened
    play(LARGE, "one").drive()
    damage(store, "DELETE FROM records WHERE seq = 1")
    assert places(check_store(store, blobs))[0][:2] == ("journal", "one")


def test_records_that_do_not_follow_from_the_program_are_told(opened, play):
    store, blobs = opened
    play(LARGE, "one").drive()
    play(WAITS, "two", "b").drive(interrupt=set_event())
    data = encode_record(Sleeping("big", 1))
    damage(
        store,
        "UPDATE records SET data = :data, checksum = :checksum WHERE run_no = 1 AND seq = 1",
        data=data,
        checksum=record_checksum("one", 1, 1, data),
    )
    [finding] = check_store(store, blobs).findings
    assert (finding.place, finding.run_id) == ("journal", "one")
    assert "do not follow from its program" in finding.message


def test_a_status_that_the_journal_does_not_bear_out_is_told(opened, play):
    store, blobs = opened
    play(LARGE, "one").drive()
    with store._engine.begin() as connection:
        connection.execute(update(runs).values(changed({"status": "cancelled"})))
    assert places(check_store(store, blobs)) == [("run", "one", None)]


def test_a_damaged_row_hides_no_other_run_from_the_check(opened, play):
    store, blobs = opened
    play(LARGE, "one").drive()
    play(LARGE, "two").drive()
    damage(store, "UPDATE runs SET started_at = 1 WHERE run_id = 'one'")
    damage(store, "UPDATE records SET data = x'00' WHERE run_no = 2 AND seq = 1")
    found = places(check_store(store, blobs))
    assert {("journal", "two", 1), ("run", "one", None)} <= set(found)


def test_a_damaged_program_is_told_for_each_run(opened, play):
    store, blobs = opened
    play(LARGE, "one").drive()
    play(LARGE, "two").drive()
    damage(store, "UPDATE programs SET data = x'00'")
    assert {(place, run) for place, run, _ in places(check_store(store, blobs))} == {
        ("program", "one"),
        ("program", "two"),
    }


@pytest.mark.parametrize("how", ["altered", "cut", "gone"])
def test_a_damaged_value_is_told_with_the_record_that_names_it(opened, place, play, how):
    store, blobs = opened
    play(LARGE, "one").drive()
    play(LARGE, "two", "b").drive()
    record = next(
        row.seq for row in store.journal("one") if (digest := digest_in(row.data)) in digests(blobs)
    )
    digest = next(digest_in(row.data) for row in store.journal("one") if row.seq == record)
    file = place / "blobs" / digest[:2] / digest[2:]
    match how:
        case "altered":
            file.write_bytes(b"?" + file.read_bytes()[1:])
        case "cut":
            os.truncate(file, 10)
        case _:
            file.unlink()
    checked = check_store(store, blobs)
    assert places(checked)[0] == ("blob", "one", record)
    assert {finding.run_id for finding in checked.findings} == {"one"}
    assert digest[2:] in checked.findings[0].message


def digest_in(data):
    return next(iter(digests_of(decode_record(data))), None)


def test_a_reference_that_the_store_forgot_is_told_before_the_collection_takes_the_value(opened, play):
    store, blobs = opened
    play(LARGE, "one").drive()
    damage(store, "DELETE FROM blob_refs")
    [finding] = check_store(store, blobs).findings
    assert (finding.place, finding.run_id) == ("blob", "one")
    assert "flowc store gc` would remove it" in finding.message


def test_damaged_events_are_told_one_by_one(opened):
    store, blobs = opened
    for number in range(20):
        store.send(NewEvent("go", str(number), b"\x11\xc0", now_us()))
    damage(store, "UPDATE events SET payload = x'00' WHERE event_id = 3")
    damage(store, "UPDATE events SET name = x'ff' WHERE event_id = 7")
    checked = check_store(store, blobs)
    assert [finding.message.partition(" is")[0].partition(" (")[0] for finding in checked.findings] == [
        "Event 3",
        "Event 7",
    ]
    assert checked.event_count == 18


def test_a_run_that_is_not_there_is_no_finding(opened):
    with pytest.raises(UnknownRun):
        check_store(*opened, ["none"])


def test_a_run_that_is_deleted_meanwhile_gives_no_finding(opened, place, play, monkeypatch):
    store, blobs = opened
    play(LARGE, "one").drive()
    play(LARGE, "two", "b").drive()
    grow_old(place)
    get = blobs.get

    def delete_first(digest):
        if "one" in {row.run_id for row in store.runs()}:
            delete_run(store, blobs, "one", now=now_us())
            delete_run(store, blobs, "two", now=now_us())
        return get(digest)

    monkeypatch.setattr(blobs, "get", delete_first)
    assert check_store(store, blobs).findings == ()


def test_a_place_that_cannot_be_reached_ends_the_check(opened, play, monkeypatch):
    store, blobs = opened
    for letter in "abcde":
        play(LARGE, letter, letter).drive()
    asked = []

    def get(digest):
        asked.append(digest)
        raise StoreUnavailable("The bucket is gone.")

    monkeypatch.setattr(blobs, "get", get)
    with pytest.raises(StoreUnavailable, match="gone"):
        check_store(store, blobs)
    assert len(asked) == 3
