"""`retry: never`: at most one attempt, whatever happens; what nobody knows the end of fails as unknown."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event

import pytest
import saga_tasks
from saga_stories import fresh_world, tale
from stories import HoldingExecutor, InlineExecutor, PatientClock, Story, copy_first, story_of

from flowrt.core.once import UNKNOWN
from flowrt.executor.port import Attempt, Halted, Lost
from flowrt.record import Begun, Failed, Reopened, Succeeded

TEXT = """
flow: f
steps:
  - id: a
    call: s.add(1, 2)
  - id: pay
    call: s.add(a, 4)
    retry: never
  - return: pay
"""


def begun_and_held() -> tuple[Story, Event]:
    """A story whose one attempt of `pay` is with the executor."""
    interrupt = Event()

    class Holds(HoldingExecutor):
        def submit(self, attempts):
            super().submit(attempts)
            if any(attempt.key.step == "a" for attempt in attempts):
                self.let_go("a")
            else:
                interrupt.set()

    return story_of(TEXT, executor=Holds()), interrupt


def test_the_intent_is_durable_before_the_attempt_is_made():
    class Looks(InlineExecutor):
        def submit(self, attempts):
            if attempts[0].key.step == "pay":
                assert any(isinstance(record, Begun) for record in story.records())
            super().submit(attempts)

    story = story_of(TEXT, executor=Looks())
    assert story.value(story.play()) == 7
    kinds = [type(record) for record in story.records() if getattr(record, "step", "") == "pay"]
    assert kinds == [Begun, Succeeded]


def test_a_run_that_was_killed_behind_the_intent_does_not_make_the_attempt_again():
    story = story_of(TEXT)
    story.play()
    behind = next(n for n, record in enumerate(story.records(), 1) if isinstance(record, Begun))
    other = copy_first(story, behind)
    result = other.drive()
    assert result.status == "failed"
    assert result.failure.type == UNKNOWN
    assert [key.step for key in other.executor.made] == []


def test_a_run_that_was_killed_before_the_intent_makes_the_attempt():
    story = story_of(TEXT)
    story.play()
    behind = next(n for n, record in enumerate(story.records(), 1) if isinstance(record, Begun))
    other = copy_first(story, behind - 1)
    assert other.value(other.drive()) == 7
    assert [key.step for key in other.executor.made] == ["pay"]


def test_a_suspended_run_does_not_make_it_again_and_a_person_can_have_it_made():
    story, interrupt = begun_and_held()
    story.start()
    assert story.drive(interrupt=interrupt).status == "suspended"
    story.executor = InlineExecutor()
    assert story.drive().failure.type == UNKNOWN
    assert story.executor.made == []
    assert story.value(story.drive(reopen=True)) == 7
    assert [key.step for key in story.executor.made] == ["pay"]
    assert sum(isinstance(record, Begun) for record in story.records()) == 2


@pytest.mark.parametrize("outcome", [Lost("its worker died."), Halted()])
def test_a_lost_or_halted_attempt_is_not_made_again(outcome: Lost | Halted):
    class Loses(InlineExecutor):
        def submit(self, attempts):
            for attempt in attempts:
                if attempt.key.step == "pay":
                    self.made.append(attempt.key)
                    self._report(attempt.key, outcome)
                else:
                    super().submit([attempt])

    story = story_of(TEXT, executor=Loses())
    result = story.play()
    assert result.failure.type == UNKNOWN
    assert [key.step for key in story.executor.made] == ["a", "pay"]


def test_an_attempt_that_raises_fails_the_step_as_any_other():
    story = story_of("flow: f\nsteps:\n  - call: s.fails('no')\n    retry: never\n")
    result = story.play()
    assert result.failure.type == "RuntimeError"
    [failed] = [record for record in story.records() if isinstance(record, Failed)]
    assert failed.attempt == 1


def test_defaults_may_say_it_for_every_call():
    calls = "  - call: s.add(1, 1)\n  - call: s.add(1, 1)\n    retry: 2\n"
    story = story_of(f"flow: f\ndefaults: {{retry: never}}\nsteps:\n{calls}")
    story.play()
    assert sum(isinstance(record, Begun) for record in story.records()) == 1


IN_SAGA = """
flow: f
steps:
  - saga:
      - id: hold
        call: g.book("hold")
        undo: g.cancel(hold)
      - graph:
          pay: {call: 'g.book("pay")', retry: never}
          ship: {call: 'g.book("ship")'}
"""


class LetsGo(HoldingExecutor):
    """Makes what has other names than these."""

    def __init__(self, *held: str) -> None:
        super().__init__()
        self.names = held

    def submit(self, attempts: Sequence[Attempt]) -> None:
        super().submit(attempts)
        for key in list(self.held):
            if key.step.rpartition(".")[2] not in self.names:
                self.let_go(key.step)


@dataclass
class Ending(PatientClock):
    """Has `ship` made when nothing else is to be done, and only then time go by."""

    story: Story | None = None

    def timeout_s(self, until: int) -> float:
        held = [key.step for key in self.story.executor.held if key.step.endswith("ship")]
        if held:
            self.story.executor.let_go(held[0])
            return 0.0
        return super().timeout_s(until)


def test_what_was_stopped_in_an_undone_saga_is_not_made_again_unknown(monkeypatch: pytest.MonkeyPatch):
    fresh_world(monkeypatch)
    story = tale(IN_SAGA, executor=LetsGo("pay", "ship"))
    saga_tasks.BROKEN.add("ship")
    story.start()
    story.clock = Ending(story=story)
    assert story.drive().status == "failed"
    saga_tasks.BROKEN.clear()
    assert saga_tasks.LOG == ["+hold", "-hold"]
    # The attempt at `pay` was under way when it was stopped.
    story.executor = InlineExecutor()
    assert story.drive(reopen=True).failure.type == UNKNOWN
    assert "+pay" not in saga_tasks.LOG
    records = story.records()
    first = next(n for n, record in enumerate(records, 1) if isinstance(record, Reopened))
    for count in range(first, len(records)):
        copy_first(story, count).drive()
        assert "+pay" not in saga_tasks.LOG, count
    result = story.drive(reopen=True)
    assert result.status == "succeeded", result
    assert saga_tasks.LOG.count("+pay") == 1
