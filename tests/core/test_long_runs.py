"""Long and wide runs cost in proportion to what happens, and keep only what is still needed.

Work is counted in calls of Python functions, which is the same on every machine.
"""

import sys

import pytest
from stories import InlineExecutor, Story, story_of

from flowrt.core.for_each import item_of
from flowrt.encoding.values import Values
from flowrt.engine.engine import Engine
from flowrt.engine.fold import fold
from flowrt.engine.narrow import narrow
from flowrt.engine.timers import PRUNE_FROM, Timer, Timers
from flowrt.executor.attempt import make_with
from flowrt.store.blobs import MemoryBlobs
from flowrt.value import Items

FLOWS = {
    "while": """
        flow: f
        inputs: {n: int}
        steps:
          - id: i
            value: 0
          - while: i < n
            do: [{id: i, call: "s.add(i, 1)"}]
          - return: i
        """,
    "for": """
        flow: f
        inputs: {n: int}
        steps:
          - for: x in range(n)
            do: s.add(x, 1)
          - return: n
        """,
    "wide for": """
        flow: f
        inputs: {n: int}
        steps:
          - id: xs
            for: x in range(n)
            parallel: n
            do: s.add(x, 1)
          - return: len(xs)
        """,
    "sleepers, one by one": """
        flow: f
        inputs: {n: int}
        steps:
          - for: x in range(n)
            parallel: n
            do: [{sleep: "${{ duration('1s') * (x + 1) }}"}]
          - return: n
        """,
    "sleepers, all at once": """
        flow: f
        inputs: {n: int}
        steps:
          - for: x in range(n)
            parallel: n
            do: [{sleep: 5s}]
          - return: n
        """,
    "all fail": """
        flow: f
        inputs: {n: int}
        steps:
          - id: xs
            for: m in range(2)
            errors: collect
            do:
              - for: x in range(n)
                parallel: n
                do: s.fails("no")
          - return: n + len(xs.errors) - 2
        """,
    "all but one are stopped": """
        flow: f
        inputs: {n: int}
        steps:
          - for: x in range(n)
            parallel: n
            need: 1
            do: [{if: x > 0, then: [{sleep: 30d}]}]
          - return: n
        """,
    "waits": """
        events: {ping: {type: int}}
        flow: f
        inputs: {n: int}
        steps:
          - for: x in range(n)
            do:
              - emit: ping
                with: "${{ x }}"
              - wait: ping
                timeout: 30d
                else: [fail: late]
          - return: n
        """,
    "waits at once": """
        events: {ping: {key: int}}
        flow: f
        inputs: {n: int}
        steps:
          - for: x in range(n)
            parallel: n
            do:
              - emit: ping
                key: x
              - {wait: ping, key: x}
          - return: n
        """,
    "tail calls": """
        flow: f
        inputs: {n: int, m: {type: int, default: 0}}
        steps:
          - if: n == 0
            then: [return: m]
          - return: f(n - 1, m + 1)
        """,
    "results of results": """
        flow: f
        inputs: {n: int}
        steps:
          - id: xs
            value: "[n, n]"
          - for: i in range(n)
            do:
              - id: xs
                for: x in xs
                do: [{value: x}]
          - return: xs[0]
        """,
    "batches of batches": """
        flow: f
        inputs: {n: int}
        steps:
          - id: xs
            value: "[n, n]"
          - for: i in range(n)
            do:
              - for: x in xs
                batch: 9
                do: [{id: xs, value: x}]
          - return: xs[0]
        """,
}


class Counting(InlineExecutor):
    """Makes attempts with one `Values`, as a worker does."""

    def submit(self, attempts) -> None:
        self.values = getattr(self, "values", None) or Values(self._blobs)
        for attempt in attempts:
            self._report(attempt.key, make_with(attempt, self.values))


def calls_of(name: str, n: int) -> int:
    """How many functions are called to run a flow to its end, and to fold its journal."""
    story = story_of(FLOWS[name], executor=Counting())
    story.start({"n": n})
    count = 0

    def called(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(called)
    try:
        result = story.drive()
        fold(story.store, "story", story.program)
    finally:
        sys.setprofile(None)
    assert story.value(result) == n
    return count


@pytest.mark.parametrize("name", FLOWS)
def test_twice_as_much_costs_twice_as_much(name: str) -> None:
    first, second = calls_of(name, 150), calls_of(name, 600)
    assert second < 4.4 * first


@pytest.mark.parametrize("name", ["while", "for", "waits", "tail calls", "results of results"])
def test_a_long_run_keeps_only_what_is_still_needed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps, commands, waits and timers of rounds that are over are gone."""
    most: dict[str, int] = {}
    flush = Engine._flush

    def looking(self) -> None:
        flush(self)
        for conductor in self.runs:
            machine = conductor.run.state._machine
            sizes = {
                "steps": len(machine.steps),
                "commands": len(machine._open),
                "waits": len(conductor.inbox.waits)
                + len(conductor.inbox.taken)
                + len(conductor.inbox.passed),
                "attempts": len(conductor.run.in_flight) + len(conductor.ready),
                "timers": len(self.timers),
            }
            most.update({what: max(most.get(what, 0), size) for what, size in sizes.items()})

    monkeypatch.setattr(Engine, "_flush", looking)
    story = story_of(FLOWS[name], executor=Counting())
    assert story.value(story.play({"n": 2500})) == 2500
    assert most["timers"] <= 2 * PRUNE_FROM
    assert max(size for what, size in most.items() if what != "timers") <= 12, most


def test_timers_that_nobody_wants_are_let_go_of() -> None:
    timers = Timers()
    for at in range(10 * PRUNE_FROM):
        timers.set(Timer(at, "r", f"s{at}", "fire"))
        timers.prune(lambda timer: timer.at % 100 == 0)
        assert len(timers) <= 2 * PRUNE_FROM
    assert [timer.at for timer in timers.due(350)] == [0, 100, 200, 300]


def test_flows_may_call_each_other_deep() -> None:
    text = """
    flow: f
    inputs: {n: int}
    steps:
      - if: n == 0
        then: [return: 0]
      - id: below
        call: f(n - 1)
      - return: below + 1
    """
    deep = story_of(text)
    assert deep.value(deep.play({"n": 999})) == 999
    deeper: Story = story_of(text)
    assert deeper.play({"n": 1001}).failure.type == "flowrt.RecursionLimit"


def test_a_result_of_many_items_of_a_large_value_is_recorded_item_by_item() -> None:
    story = story_of(
        """
        flow: f
        steps:
          - id: many
            call: s.numbers(3000)
          - id: same
            for: x in many
            do: [{value: x}]
          - return: same
        """
    )
    assert story.value(story.play()) == list(range(3000))
    assert len(list(story.store.journal("story"))[-1].data) < 100_000


@pytest.mark.parametrize("batch", [0, 1, 2, 3, 7, 9])
@pytest.mark.parametrize("inner", [0, 1, 2, 3, 7, 9])
def test_items_of_items_are_those_of_lists(batch: int, inner: int) -> None:
    """A handle of an item, or of a batch of a batch, stands for what Python's lists give."""
    values = Values(MemoryBlobs())
    numbers = [[n, -n] * 3 for n in range(7)]
    for whole in (values.record(numbers), Items(tuple(values.record(n) for n in numbers))):
        for index, part in enumerate(parts(numbers, batch)):
            handle = item_of(whole, index, batch)
            assert values.load(handle) == part
            for at, smaller in enumerate(parts(part, inner)):
                assert values.load(item_of(handle, at, inner)) == smaller
                assert values.load(narrow(item_of(handle, at, inner), values)) == smaller


def parts(value: list, batch: int) -> list:
    return [value[start : start + batch] for start in range(0, len(value), batch)] if batch else value


def test_a_value_is_dropped_when_its_last_reader_has_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = "".join(f"  - {{id: x, call: 's.add(x, {n})'}}\n" for n in range(40))
    story = story_of(f"flow: f\nsteps:\n  - {{id: x, value: 0 + 0}}\n{steps}  - return: x\n")
    held: list[int] = []
    flush = Engine._flush

    def looking(self) -> None:
        flush(self)
        held.extend(len(conductor.run.state._root.done) for conductor in self.runs)

    monkeypatch.setattr(Engine, "_flush", looking)
    assert story.value(story.play()) == sum(range(40))
    assert max(held) <= 2
