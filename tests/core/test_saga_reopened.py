"""A run that failed in a saga goes on: the saga begins anew, and nothing is undone twice."""

from collections import Counter
from collections.abc import Sequence

import pytest
import saga_tasks
from saga_stories import fresh_world, tale
from stories import HOUR, NOON, HoldingExecutor, InlineExecutor, Story, copy_first

from flowrt.encoding.values import Values
from flowrt.executor.port import Attempt
from flowrt.record import Reopened, Succeeded
from flowrt.store.rows import NewEvent


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh_world(monkeypatch)


def failed(story: Story, *broken: str) -> list[str]:
    saga_tasks.BROKEN |= set(broken)
    assert story.play().status == "failed"
    return mended()


def mended() -> list[str]:
    """What was done until now; from here on all goes well."""
    log, saga_tasks.LOG = saga_tasks.LOG, []
    saga_tasks.BROKEN.clear()
    return log


TEXT = """
flow: f
steps:
  - id: before
    saga:
      - id: z
        call: g.book("z")
        undo: g.cancel(z)
  - id: trip
    saga:
      - id: price
        call: g.look("price")
      - id: a
        call: g.book("a", price)
        undo: g.cancel(a)
      - id: extra
        call: g.look(a)
      - id: b
        call: g.book("b")
        undo: g.cancel(b)
      - call: g.book("c")
        retry: never
  - return: "[z, a, b]"
"""


def test_the_saga_begins_anew_from_the_first_step_that_was_undone() -> None:
    story = tale(TEXT)
    assert failed(story, "c") == ["+z", "?price", "+a", "?<a>", "+b", "-b", "-a"]
    assert story.value(story.drive(reopen=True)) == ["<z>", "<a>", "<b>"]
    assert saga_tasks.LOG == ["+a", "?<a>", "+b", "+c"]
    [reopened] = [r for r in story.records() if isinstance(r, Reopened)]
    assert reopened.anew == ("trip.",)


def test_what_is_made_anew_has_new_idempotency_keys_each_time_and_so_have_its_undos() -> None:
    story = tale(TEXT)
    failed(story, "c")
    saga_tasks.BROKEN.add("c")
    assert story.drive(reopen=True).status == "failed"
    mended()
    assert story.drive(reopen=True).status == "succeeded"
    keys = [key.removeprefix("story/") for key in saga_tasks.KEYS]
    assert [key for key in keys if key.startswith("trip.a")] == [
        *("trip.a", "trip.a.undo", "trip.a@1", "trip.a.undo@1", "trip.a@2"),
    ]
    assert [key for key in keys if key.startswith("before")] == ["before.z"]


def test_an_undo_that_failed_is_void_as_well() -> None:
    story = tale(TEXT)
    assert failed(story, "c", "-b") == ["+z", "?price", "+a", "?<a>", "+b", "-a"]
    result = story.drive(reopen=True)
    assert (result.status, result.failure) == ("succeeded", None)


@pytest.mark.parametrize("times", [1, 2])
def test_it_is_cut_after_every_record_before_and_behind_the_reopening(times: int) -> None:
    story = tale(TEXT.replace("retry: never", "retry: 0"))
    failed(story, "c")
    if times > 1:
        saga_tasks.BROKEN.add("c")
        story.drive(reopen=True)
        mended()
    expected = story.value(story.drive(reopen=True))
    records = story.records()
    last = max(i for i, r in enumerate(records) if isinstance(r, Reopened))
    for count in range(last, len(records)):
        cut = copy_first(story, count)
        voided = {seq for r in records[:count] if isinstance(r, Reopened) for seq in r.voided}
        done = {r.step for i, r in enumerate(records[:count]) if isinstance(r, Succeeded) and i not in voided}
        assert cut.value(cut.drive(reopen=True)) == expected, f"after {count} records"
        if count > last:
            assert not {key.step for key in cut.executor.made} & done, f"after {count} records"


INSIDE = """
flow: f
steps:
  - saga:
      - graph:
          loop:
            for: n in ["i"]
            errors: collect
            do:
              - saga:
                  - id: x
                    call: g.book(n)
                    undo: g.cancel(x)
                  - call: g.book("x")
          b: {call: 'g.book("b")', undo: g.cancel(b)}
          c: {call: 'g.book("c")', after: b}
"""


class UndoLast(HoldingExecutor):
    """The undo of the inner saga is under way while the outer one fails."""

    def submit(self, attempts: Sequence[Attempt]) -> None:
        super().submit(attempts)
        for part in ("n.x", "step#1.x", "step#1.step#2", ".b", ".c"):
            for key in [key for key in self.held if key.step.endswith(part)]:
                self.let_go(key.step)
        for key in [key for key in self.held if self.made[-1].step.endswith(".c") or ".b" in key.step]:
            self.let_go(key.step)


def test_no_undo_of_a_saga_inside_is_made_twice() -> None:
    """Its step was completed before any of the outer saga's own; both are void together, or neither is."""
    story = tale(INSIDE, executor=UndoLast())
    log = failed(story, "x", "c")
    assert Counter(log) == {"+i": 1, "+b": 1, "-i": 1, "-b": 1}
    assert log.index("+i") < log.index("+b") < log.index("-i") < log.index("-b")
    story.executor = InlineExecutor()
    assert story.drive(reopen=True).status == "succeeded"
    assert sorted(saga_tasks.LOG) == ["+b", "+c", "+i", "+x"]


DEALT_WITH = """
flow: f
steps:
  - id: all
    for: n in ["a", "b"]
    errors: collect
    do:
      - saga:
          - id: x
            call: g.book(n)
            undo: g.cancel(x)
          - call: g.book("x", x)
  - call: g.book("end")
  - return: len(all.errors)
"""


def test_a_saga_whose_failure_the_flow_dealt_with_stays_undone() -> None:
    story = tale(DEALT_WITH)
    assert failed(story, "x", "end") == ["+a", "-a", "+b", "-b"]
    assert story.value(story.drive(reopen=True)) == 2
    assert saga_tasks.LOG == ["+end"]


STOPPED = """
flow: f
steps:
  - saga:
      - graph:
          a: {call: 'g.book("a")', undo: g.cancel(a)}
          once: {call: 'g.book("once")', retry: never, undo: g.cancel(once)}
          slow: {do: [{sleep: 1h}, {call: 'g.book("slow")'}]}
          c: {call: 'g.book("c")', after: a}
  - return: "[a, once]"
"""


class Faster(HoldingExecutor):
    """`once` is told to stop, and is completed nevertheless."""

    def submit(self, attempts: Sequence[Attempt]) -> None:
        super().submit(attempts)
        for key in [key for key in self.held if not key.step.endswith(".once")]:
            self.let_go(key.step)

    def stop(self, key, *, force: bool) -> None:  # noqa: ARG002
        self.let_go(key.step)


def test_what_is_completed_although_it_was_told_to_stop_is_undone_and_made_anew() -> None:
    story = tale(STOPPED, executor=Faster())
    assert failed(story, "c") == ["+a", "+once", "-once", "-a"]
    story.executor = InlineExecutor()
    assert story.value(story.drive(reopen=True)) == ["<a>", "<once>"]
    assert sorted(saga_tasks.LOG) == ["+a", "+c", "+once", "+slow"]


TALKS = """
events: {go: {type: any}, told: {type: any}}
flow: f
steps:
  - saga:
      - id: early
        wait: go
      - id: a
        call: g.book(f"a{early}")
        undo: g.cancel(a)
      - id: late
        wait: go
      - emit: told
        with: ${{ late }}
      - call: g.book("c")
  - return: "[early, late]"
"""


def test_events_that_were_taken_behind_the_cut_can_be_taken_again_and_those_sent_are_sent_again() -> None:
    story = tale(TALKS)
    story.start()
    for number in (1, 2):
        story.store.send(NewEvent("go", None, Values(story.blobs).encode(number), NOON))
    saga_tasks.BROKEN.add("c")
    assert story.drive().status == "failed"
    assert mended() == ["+a1", "-a1"]
    assert story.value(story.drive(reopen=True)) == [1, 2]
    dedupes = [event.dedupe.removeprefix(f"story@{NOON}/") for event in story.store.sent]
    assert dedupes == ["step#1.step#4", "step#1.step#4@1"]


MANY = """
flow: f
steps:
  - for: n in range(300)
    parallel: 300
    do:
      - saga:
          - id: x
            call: g.book(f"x{n}")
            undo: g.cancel(x)
          - if: n == 299
            then: [call: g.book("end")]
            else: [sleep: 1h]
"""


def test_many_sagas_that_were_undone_at_once_all_begin_anew() -> None:
    story = tale(MANY)
    assert len(failed(story, "end")) == 600
    assert story.drive(reopen=True).status == "succeeded"
    assert sorted(saga_tasks.LOG) == sorted(["+end", *(f"+x{n}" for n in range(300))])


BOUNDED = """
flow: f
steps:
  - saga:
      - do:
          - call: g.look(0)
          - id: a
            call: g.book("a")
            undo: g.cancel(a)
          - sleep: 10m
        timeout: 1h
      - call: g.book("c")
"""


def test_a_block_in_a_saga_that_begins_anew_has_all_its_time() -> None:
    story = tale(BOUNDED)
    assert failed(story, "c") == ["?0", "+a", "-a"]
    story.clock.at += 10 * HOUR
    result = story.drive(reopen=True)
    assert result.status == "succeeded", result
    assert saga_tasks.LOG == ["+a", "+c"]
