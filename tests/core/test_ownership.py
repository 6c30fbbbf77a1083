"""G5: one epoch can write a run; whoever was superseded commits nothing."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import pytest
from served_stories import PACE, SECOND, go_on, served
from stories import InlineExecutor, JumpClock, NotingStore, Story, story_of

from flowrt.errors import BadInput, RunMismatch, RunOwned, UnknownRun
from flowrt.store.owner import this_owner

TEXT = """
flow: f
inputs: {n: {type: int, default: 1}}
steps:
  - id: a
    call: s.add(n, 1)
  - id: b
    call: s.add(a, 1)
  - return: b
"""


class TakenOver(InlineExecutor):
    """While the first attempt is made, another engine takes the run."""

    def __init__(self, story_store) -> None:
        super().__init__()
        self.store = story_store

    def submit(self, attempts) -> None:
        if not self.made:
            other = replace(this_owner(), host="elsewhere", token="other")
            late = 2_000_000_000_000_000
            self.epoch = self.store.claim("story", other, late, late + 60_000_000)
        super().submit(attempts)


def test_a_superseded_engine_commits_nothing_and_says_so() -> None:
    story = story_of(TEXT)
    executor = TakenOver(story.store)
    story.executor = executor
    story.start()
    with pytest.raises(RunOwned, match="taken over"):
        story.drive()
    assert [row.epoch for row in story.store.journal("story") if row.epoch not in (0, executor.epoch)] == []
    assert len(story.records()) == 1
    assert story.store.run("story").epoch == executor.epoch


def test_a_run_with_a_live_owner_is_refused() -> None:
    story = story_of(TEXT)
    story.start()
    now = story.clock.now()
    story.store.claim("story", replace(this_owner(), token="another engine here"), now, now + 10**9)
    with pytest.raises(RunOwned):
        story.drive()
    assert len(story.records()) == 1


def test_the_same_id_with_the_same_program_and_inputs_is_the_same_run() -> None:
    story = story_of(TEXT)
    assert story.value(story.play({"n": 5})) == 7
    made = len(story.executor.made)
    assert story.value(story.play({"n": 5})) == 7
    assert len(story.executor.made) == made


@pytest.mark.parametrize(
    ("text", "inputs", "says"),
    [(TEXT, {"n": 6}, "other inputs"), (TEXT.replace("a, 1", "a, 2"), {"n": 5}, "another program")],
)
def test_the_same_id_with_something_else_is_refused(text: str, inputs: dict, says: str) -> None:
    story = story_of(TEXT)
    story.play({"n": 5})
    other: Story = story_of(text, store=story.store, blobs=story.blobs)
    with pytest.raises(RunMismatch, match=says):
        other.start(inputs)


@pytest.mark.parametrize(
    ("text", "inputs", "says"),
    [
        ("flow: f\ninputs: {n: int}\nsteps: [return: n]\n", {}, "needs its input `n`"),
        (
            "flow: f\ninputs: {n: int}\nsteps: [return: n]\n",
            {"n": 1, "m": 2},
            "has no input `m`.*Its inputs: `n`",
        ),
    ],
)
def test_a_run_without_its_inputs_is_not_created(text: str, inputs: dict, says: str) -> None:
    story = story_of(text)
    with pytest.raises(BadInput, match=says):
        story.start(inputs)
    with pytest.raises(UnknownRun):
        story.store.run("story")


class SlowClock(JumpClock):
    """A clock by which every look takes a tenth of a second: so does whatever looks at it."""

    def now(self) -> int:
        self.at += SECOND // 10
        return self.at


class Renewals(NotingStore):
    """Notes when leases are renewed."""

    def __init__(self) -> None:
        super().__init__()
        self.until: list[int] = []

    def renew(self, held: Mapping[str, int], lease_until: int) -> frozenset[str]:
        self.until.append(lease_until)
        return super().renew(held, lease_until)


def test_leases_are_renewed_however_much_a_run_has_to_compute() -> None:
    text = "flow: f\nsteps:\n  - for: n in range(900)\n    parallel: 900\n    do: [{value: now()}]\n"
    story = served(text, store=Renewals(), clock=SlowClock())
    go_on(story)
    gaps = [later - earlier for earlier, later in pairwise(story.store.until)]
    assert max(gaps) < PACE.lease_us // 2, max(gaps) / SECOND
