"""Values that runs take over from one another: by key or by source and arguments, as long as they last."""

import pytest
from stories import HOUR, PatientClock, Story, copy_first, story_of

from flowrt.noun import replace
from flowrt.record import Succeeded
from flowrt.snapshot.source_text import source_of
from flowrt.store.blobs import MemoryBlobs
from flowrt.store.memory import MemoryStore
from flowrt.store.seal import seals_of
from flowrt.store.sealed import SealedStore
from flowrt.upkeep.check import check_store
from flowrt.upkeep.collect import collect_garbage
from flowrt.upkeep.delete import delete_run

FLOW = """
flow: f
inputs: {n: int, day: {type: int, default: 0}}
steps:
  - id: a
    call: s.add(n, 1)
    cache: true
  - id: b
    call: s.add(n + day, 2)
    cache: {key: n, ttl: 2h}
  - id: many
    call: s.numbers(20000)
    cache: true
  - return: "[a, b, len(many)]"
"""


def again(story: Story, run_id: str, text: str = "", **inputs: object) -> tuple[object, list[str]]:
    """Another run in the same store: its value, and the steps that were made."""
    other = story_of(text, store=story.store, blobs=story.blobs, clock=story.clock) if text else story
    run = Story(other.program, store=story.store, blobs=story.blobs, clock=story.clock, run_id=run_id)
    value = run.value(run.play(inputs))
    return value, sorted({key.step for key in run.executor.made})


def test_a_call_that_was_made_is_not_made_again():
    story = story_of(FLOW)
    first = story.value(story.play({"n": 1}))
    assert again(story, "r2", n=1) == (first, [])
    # Another argument is another call; by its key it may be the same.
    assert again(story, "r3", n=2) == ([3, 4, 20000], ["a", "b"])
    assert again(story, "r4", n=1, day=9) == (first, [])


def test_a_value_lasts_as_long_as_both_say():
    story = story_of(FLOW)
    story.play({"n": 1})
    story.clock.at += 2 * HOUR - 1
    assert again(story, "r2", n=1)[1] == []
    assert again(story, "r3", FLOW.replace("ttl: 2h", "ttl: 1h"), n=1)[1] == ["b"]
    story.clock.at += HOUR
    assert again(story, "r4", n=1)[1] == ["b"]
    assert again(story, "r5", n=1)[1] == []


def test_who_finds_a_value_too_old_makes_one_for_the_next():
    eternal = FLOW.replace(", ttl: 2h", "")
    story = story_of(eternal)
    story.play({"n": 1})
    story.clock.at += 3 * HOUR
    assert again(story, "r2", FLOW, n=1)[1] == ["b"]
    assert again(story, "r3", FLOW, n=1)[1] == []


def test_what_is_taken_over_is_a_record_and_makes_no_entry():
    story = story_of(FLOW)
    story.play({"n": 1})
    keys = {row.key for row in story.store.all_cached("", 10)}
    assert len(keys) == 3
    assert {row.run_id for row in story.store.all_cached("", 10)} == {"story"}
    run = Story(story.program, store=story.store, blobs=story.blobs, clock=story.clock, run_id="r2")
    run.play({"n": 1})
    assert [one.attempt for one in run.records() if isinstance(one, Succeeded)] == [0, 0, 0]
    assert {row.run_id for row in story.store.all_cached("", 10)} == {"story"}


def test_an_entry_goes_with_the_run_that_made_it_and_the_value_of_others_stays():
    story = story_of(FLOW)
    first = story.value(story.play({"n": 1}))
    assert again(story, "r2", n=1)[1] == []
    gone = story.store.delete("story")
    assert gone == frozenset()
    assert story.store.all_cached("", 10) == []
    run = Story(story.program, store=story.store, blobs=story.blobs, clock=story.clock, run_id="r2")
    assert run.value(run.drive()) == first
    assert again(story, "r3", n=1)[1] == ["a", "b", "many"]


def test_other_source_is_another_call(tmp_path, monkeypatch):
    module = tmp_path / "cached_tasks.py"
    text = "flow: f\nsteps:\n  - id: a\n    call: cached_tasks:one()\n    cache: true\n  - return: a\n"
    monkeypatch.syspath_prepend(str(tmp_path))
    module.write_text("def one():\n    return 1\n\n\ndef other():\n    return 2\n")
    story = story_of(text)
    story.play()
    module.write_text(
        "# Another comment elsewhere.\ndef one():\n    return 1\n\n\ndef other():\n    return 3\n"
    )
    assert again(story, "r2")[1] == []
    module.write_text("def one():\n    return 1 + 0\n")
    assert again(story, "r3")[1] == ["a"]


def test_a_name_that_is_imported_has_the_source_of_where_it_comes_from(tmp_path):
    package = tmp_path / "shelf"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("from .deep import work as job\nfrom nowhere import lost\n")
    (package / "deep" / "__init__.py").write_text("from ..rows import work\n")
    (package / "rows.py").write_text("X = 1\n\ndef work():\n    return 1\n")
    (package / "circle.py").write_text("from shelf.circle import me\n")
    folders = [str(tmp_path)]
    assert source_of("shelf:job", folders) == "def work():\n    return 1"
    assert source_of("shelf:lost", folders).startswith("from .deep")
    assert source_of("shelf.rows:X", folders).startswith("X = 1")
    assert source_of("shelf.circle:me", folders) == "from shelf.circle import me\n"


def test_a_failure_is_not_cached_and_neither_is_what_is_not_said_to_be():
    story = story_of("""
flow: f
inputs: {n: int}
steps:
  - call: s.even_only(n)
    cache: true
  - call: s.add(1, 1)
    cache: false
""")
    assert story.play({"n": 1}).status == "failed"
    assert story.store.all_cached("", 10) == []
    assert again(story, "r2", n=2)[1] == ["step#1", "step#2"]
    assert len(story.store.all_cached("", 10)) == 1


def test_a_key_that_cannot_be_computed_fails_the_step():
    story = story_of("flow: f\ninputs: {n: int}\nsteps:\n  - call: s.add(1, 1)\n    cache: {key: 1 // n}\n")
    assert story.play({"n": 0}).failure.type == "ZeroDivisionError"


@pytest.mark.parametrize("is_second", [False, True])
def test_cut_after_every_record(*, is_second: bool):
    whole = story_of(FLOW)
    if is_second:
        again(whole, "before", n=1)
    expected = whole.value(whole.play({"n": 1}))
    for count in range(1, len(whole.records())):
        cut = copy_first(whole, count)
        done = {one.step for one in whole.records()[:count] if isinstance(one, Succeeded)}
        assert cut.value(cut.drive()) == expected
        assert not {key.step for key in cut.executor.made} & done


def test_entries_are_sealed():
    inner = MemoryStore()
    story = story_of(FLOW, store=SealedStore(inner, seals_of({"FLOWC_STORE_KEY": "k" * 40})))
    story.play({"n": 1})
    assert again(story, "r2", n=1)[1] == []
    rows = inner._cache._rows
    first, second, *_ = sorted(rows)
    rows[first] = replace(rows[second], key=first)
    run = Story(story.program, store=story.store, blobs=story.blobs, clock=story.clock, run_id="r3")
    run.start({"n": 1})
    with pytest.raises(Exception, match="seal on the cached value"):
        run.drive()


MINUTE = 60_000_000


class Deleting(MemoryStore):
    """Deletes the run that made a value, once, in the middle of what another one does with it."""

    def __init__(self, when: str) -> None:
        super().__init__()
        self.when = when
        self.delete_now = lambda: None

    def _at(self, when: str) -> None:
        if when == self.when:
            now, self.delete_now = self.delete_now, lambda: None
            now()

    def cached(self, keys, now):
        self._at("before it is looked up")
        rows = super().cached(keys, now)
        if rows:
            self._at("when it is looked up")
        return rows

    def append(self, batches):
        if any(batch.blobs for batch in batches):
            self._at("before the record is there")
        lost = super().append(batches)
        if any(batch.blobs for batch in batches):
            self._at("when the record is there")
        return lost


LARGE = "flow: f\nsteps:\n  - id: many\n    call: s.numbers(20000)\n    cache: true\n  - return: many\n"


@pytest.mark.parametrize("age", [1, 11, 29, 31, 59, 61, 600], ids=lambda minutes: f"{minutes}m")
@pytest.mark.parametrize(
    "when",
    [
        "before it is looked up",
        "when it is looked up",
        "before the record is there",
        "when the record is there",
    ],
)
def test_the_run_that_made_a_value_is_deleted_while_another_takes_it_over(when: str, age: int):
    """Whatever comes first: the other one has the value, and nothing that it refers to is missing."""
    clock = PatientClock()
    store, blobs = Deleting(when), MemoryBlobs(clock.now)
    story = story_of(LARGE, store=store, blobs=blobs, clock=clock)
    expected = story.value(story.play())
    clock.at += age * MINUTE
    deleted: list[str] = []

    def delete():
        deleted.append(delete_run(store, blobs, "story", now=clock.now()).run_id)
        collect_garbage(store, blobs, now=clock.now())

    store.delete_now = delete
    run = Story(story.program, store=store, blobs=blobs, clock=clock, run_id="other")
    assert run.value(run.play()) == expected
    assert deleted == ["story"]
    assert check_store(store, blobs).findings == ()
    needed = {facts.digest for facts in blobs.every()}
    assert store.needed(needed)
    clock.at += 600 * MINUTE
    collect_garbage(store, blobs, now=clock.now())
    assert run.value(run.drive()) == expected
