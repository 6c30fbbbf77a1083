"""`start` makes a run of its own, once, whatever dies in between; `sleep` waits for a slot of cron."""

import pytest
from served_stories import go_on, served, status
from stories import HOUR, NotingStore, Story, copy_first, story_of

from flowrt.encoding.pack import decode_program, decode_record
from flowrt.encoding.values import Values
from flowrt.plain.plain import run_plain
from flowrt.record import Detached, Ended, Failed
from flowrt.run_id import check_run_id
from flowrt.store.seal import seals_of
from flowrt.store.sealed import SealedStore

ONE = "flow: f\nsteps:\n  - id: c\n    start: g()\n  - return: c\n"
PARENT = """
flow: parent
steps:
  - id: many
    call: s.numbers(20000)
  - id: child
    start: child(many, n=len(many))
  - id: others
    for: i in range(3)
    parallel: 3
    do:
      - id: other
        start: child
        with: {xs: ["${{ i }}"], n: 1}
    collect: other
  - return: "[child] + others"
---
flow: child
labels: {team: core}
inputs: {xs: list, n: int, extra: {type: int, default: 5}}
steps:
  - id: twice
    call: s.add(n, sum(xs[:3]))
  - return: twice + extra
"""


def children(story: Story) -> list[str]:
    return sorted(row.run_id for row in story.store.runs() if row.run_id != "story")


def value_of(story: Story, run_id: str) -> object:
    [*_, last] = story.store.journal(run_id)
    ended = decode_record(last.data)
    assert isinstance(ended, Ended)
    return Values(story.blobs).load(ended.value)


def test_the_value_is_the_id_of_a_run_that_a_server_takes():
    story = story_of(PARENT)
    ids = story.value(story.play())
    assert len(set(ids)) == 4
    assert sorted(ids) == children(story)
    for run_id in ids:
        check_run_id(run_id)
        row = story.store.run(run_id)
        assert (row.status, row.served, row.wake_at is not None) == ("pending", True, True)
    go_on(story)
    assert value_of(story, ids[0]) == 20000 + 3 + 5
    assert sorted(value_of(story, each) for each in ids[1:]) == [6, 7, 8]


def test_a_started_run_has_the_code_the_versions_and_the_library_of_the_one_that_starts_it():
    story = story_of(PARENT)
    [run_id, *_] = story.value(story.play())
    parent, child = story.store.run("story"), story.store.run(run_id)
    assert child.flow == "child"
    assert dict(child.versions) == dict(parent.versions)
    assert child.versions
    assert (child.snapshot, tuple(child.python_path)) == (parent.snapshot, tuple(parent.python_path))
    assert dict(child.labels) == {"team": "core", "flowc.parent": "story", "flowc.step": "child"}
    assert set(decode_program(story.store.program(child.program_digest)).flows) == {"parent", "child"}


def test_a_started_run_keeps_the_large_values_that_it_was_given():
    story = story_of(PARENT)
    [run_id, *_] = story.value(story.play())
    story.store.delete("story")
    assert story.store.needed([facts.digest for facts in story.blobs.every()])
    go_on(story)
    assert value_of(story, run_id) == 20008


def test_nothing_is_started_twice_whatever_is_cut():
    whole = story_of(PARENT)
    expected = whole.value(whole.play())
    records = whole.records()
    for count in range(1, len(records)):
        made = {record.run_id for record in records[:count] if isinstance(record, Detached)}
        started = [run for run in whole.store.started if run.run_id in made]
        cut = copy_first(whole, count, started=started)
        assert children(cut) == sorted(made)
        assert cut.value(cut.drive()) == expected, f"after {count} records"
        assert children(cut) == sorted(expected)
        assert not {run.run_id for run in cut.store.started[len(started) :]} & made


def test_a_batch_whose_answer_was_lost_starts_nothing_twice():
    story = story_of(f"{ONE}---\nflow: g\nsteps: []\n")
    run_id = story.value(story.play())
    rows = list(story.store.journal("story"))
    go_on(story)
    assert story.store.run(run_id).status == "succeeded"
    [child] = story.store.started
    again = copy_first(story, len(rows), started=[child, child])
    assert children(again) == [run_id]


def test_a_run_of_the_same_id_that_is_made_after_the_other_was_deleted_starts_others():
    story = story_of(f"{ONE}---\nflow: g\nsteps: []\n")
    first = story.value(story.play())
    story.store.delete("story")
    story.clock.at += 1
    assert story.value(story.play()) != first


def test_parent_and_child_end_without_each_other():
    story = served("""
flow: f
steps:
  - id: c
    start: g()
  - fail: the child is ${{ c }}
---
flow: g
steps:
  - sleep: 3h
  - fail: as told
""")
    go_on(story)
    [child] = children(story)
    assert (status(story), status(story, child)) == ("failed", "failed")


def test_sealed_children_are_taken_by_who_has_the_key():
    seals = seals_of({"FLOWC_STORE_KEY": "k" * 40})
    story = story_of(PARENT, store=SealedStore(NotingStore(), seals))
    ids = story.value(story.play())
    go_on(story)
    assert value_of(story, ids[0]) == 20008


def test_a_plain_run_starts_it_here_and_now():
    story = story_of(f"{ONE}---\nflow: g\nsteps: [{{fail: no}}]\n")
    assert str(run_plain(story.program, {})).startswith("plain-")


@pytest.mark.parametrize(
    ("sleep", "told"),
    [
        ('{cron: "${{ x }}"}', "ValueError: `cron` of a sleep, `9 9`, has 2 fields, not five."),
        ('{cron: "0 9 * * *", tz: "${{ x }}"}', "ValueError: `tz` of a sleep, `9 9`, is not a time zone."),
        ('{cron: "${{ len(x) }}"}', "TypeError: `cron` of a sleep is a text, not int."),
    ],
)
def test_a_slot_that_cannot_be_computed_fails_the_step(sleep: str, told: str):
    story = story_of(f'flow: f\ninputs: {{x: {{type: str, default: "9 9"}}}}\nsteps:\n  - sleep: {sleep}\n')
    failure = story.play().failure
    assert f"{failure.type}: {failure.message}" == told
    assert any(isinstance(record, Failed) for record in story.records())


def test_a_slot_is_the_next_one_in_the_time_of_the_zone():
    story = story_of("""
flow: f
inputs: {zone: {type: str, default: Europe/Berlin}}
steps:
  - sleep: {cron: "30 9 * * *"}
  - id: first
    value: now()
  - sleep: {cron: "0 9 1 * *", tz: "${{ zone }}"}
  - return: "[str(first)[11:19], str(now())[8:19]]"
""")
    assert story.value(story.play()) == ["09:30:00", "01 08:00:00"]


def test_who_is_parked_until_a_slot_is_due_then():
    story = served('flow: f\nsteps:\n  - sleep: {cron: "0 12 * * *"}\n  - return: str(now())[11:13]\n')
    go_on(story)
    assert value_of(story, "story") == "12"
    assert story.store.run("story").epoch == 2


MANY = """
flow: f
steps:
  - id: ids
    for: i in range(1000)
    parallel: 20
    do:
      - id: c
        start: g(i)
  - return: ids
---
flow: g
inputs: {n: int}
steps: []
"""


class Dying(NotingStore):
    """Lets the process die at some appends, before or behind the transaction."""

    def __init__(self, *deaths: tuple[int, str]) -> None:
        super().__init__()
        self.deaths = dict(deaths)
        self.appends = 0
        self.most = 0
        self.dead = False

    def append(self, batches):
        if self.dead:
            raise KeyboardInterrupt
        self.appends += 1
        self.most = max(self.most, *(len(batch.creates) for batch in batches))
        death = self.deaths.get(self.appends)
        self.dead = death is not None
        lost = frozenset() if death == "before" else super().append(batches)
        if self.dead:
            raise KeyboardInterrupt
        return lost

    def release(self, *_, **__):
        """Who has died releases nothing, and who is done has no need to."""


def test_a_thousand_runs_are_started_once_each_though_the_process_dies_in_the_middle():
    deaths = (9, "before"), (23, "behind"), (41, "before"), (42, "behind")
    store = Dying(*deaths)
    story = story_of(MANY, store=store)
    story.start()
    for _ in deaths:
        with pytest.raises(KeyboardInterrupt):
            story.drive()
        store.dead = False
        story.clock.at += HOUR
    ids = story.value(story.drive())
    assert len(set(ids)) == 1000
    assert sorted(ids) == children(story)
    started = [decode_record(row.data) for row in store.journal("story")]
    assert [one.run_id for one in started if isinstance(one, Detached)] == [
        run.run_id for run in store.started
    ]
    assert 1 < store.most <= 20
