"""Sagas: what was completed is undone, in reverse order, durably, and nothing of it is hidden."""

import pytest
import saga_tasks
from saga_stories import fresh_world, tale
from stories import HoldingExecutor, InlineExecutor

from flowrt.plain.plain import run_plain
from flowrt.record import Failed, Retrying, Succeeded


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh_world(monkeypatch)


LIST = """
flow: f
steps:
  - saga:
      - id: a
        call: g.book("a")
        undo: g.cancel(a)
      - id: b
        call: g.book("b", a)
        undo: g.cancel(b, a)
      - call: g.look(b)
      - id: c
        call: g.book("c")
        undo: g.cancel(c)
  - return: "[a, b, c]"
"""


def test_a_saga_that_ends_well_undoes_nothing_and_gives_its_names() -> None:
    story = tale(LIST)
    assert story.value(story.play()) == ["<a>", "<b>", "<c>"]
    assert saga_tasks.LOG == ["+a", "+b", "?<b>", "+c"]


def test_a_failure_undoes_what_is_completed_the_newest_first() -> None:
    saga_tasks.BROKEN.add("c")
    story = tale(LIST)
    result = story.play()
    assert (result.status, result.failure.message) == ("failed", "no c left")
    assert saga_tasks.LOG == ["+a", "+b", "?<b>", "-b <a>", "-a"]
    undone = [r.step for r in story.records() if isinstance(r, Succeeded) and r.step.endswith("undo")]
    assert undone == ["step#1.b.undo", "step#1.a.undo"]


# The order


GRAPH = """
flow: f
steps:
  - saga:
      - graph:
          a: {call: 'g.book("a")', undo: g.cancel(a)}
          b: {call: 'g.book("b")', undo: g.cancel(b)}
          c: {call: 'g.book("c")', undo: g.cancel(c)}
      - fail: no
"""


@pytest.mark.parametrize("order", ["abc", "cab", "bca"])
def test_the_order_is_that_of_the_records(order: str) -> None:
    class InOrder(HoldingExecutor):
        def submit(self, attempts) -> None:
            super().submit(attempts)
            for name in order if len(self.held) > 1 else [next(iter(self.held)).step[-1:]]:
                ends = (f".{name}", ".undo")
                self.let_go(next(key.step for key in self.held if key.step.endswith(ends)))

    saga_tasks.BROKEN.clear()
    story = tale(GRAPH, executor=InOrder())
    assert story.play().status == "failed"
    assert [f"+{n}" for n in order] + [f"-{n}" for n in reversed(order)] == saga_tasks.LOG


MEMBERS = """
flow: f
steps:
  - saga:
      - graph:
          rooms:
            for: n in range(3)
            parallel: 3
            do:
              - {id: room, call: 'g.book(f"room{n}")', undo: g.cancel(room)}
          car: {call: 'g.book("car")', undo: g.cancel(car)}
          trip:
            saga:
              - {id: bus, call: 'g.book("bus")', undo: g.cancel(bus)}
              - {id: seat, call: 'g.book("seat")', undo: g.cancel(seat)}
      - fail: no
"""
AT = {
    "room0": "rooms[0].room",
    "room1": "rooms[1].room",
    "room2": "rooms[2].room",
    "car": ".car",
    "bus": "trip.bus",
    "seat": "trip.seat",
}


@pytest.mark.parametrize(
    "order",
    ["room2 bus car room0 seat room1", "bus seat room1 car room2 room0", "car room0 bus seat room1 room2"],
)
def test_undo_order_with_parallel_members(order: str) -> None:
    """Bodies of a parallel `for`, nodes of a graph, and a saga of its own beside them: one line of undos."""
    names = order.split()
    left = [AT[name] for name in names]

    class InOrder(HoldingExecutor):
        def submit(self, attempts) -> None:
            super().submit(attempts)
            while left and any(key.step.endswith(left[0]) for key in self.held):
                end = left.pop(0)
                self.let_go(next(key.step for key in self.held if key.step.endswith(end)))
            for key in [key for key in self.held if key.step.endswith(".undo")]:
                self.let_go(key.step)

    story = tale(MEMBERS, executor=InOrder())
    assert story.play().status == "failed"
    assert [f"+{name}" for name in names] + [f"-{name}" for name in reversed(names)] == saga_tasks.LOG


NESTED = """
flow: f
steps:
  - id: trip
    saga:
      - id: a
        call: g.book("a")
        undo: g.cancel(a)
      - saga:
          - id: b
            call: g.book("b")
            undo: g.cancel(b)
          - id: c
            call: g.book("c")
            undo: g.cancel(c)
      - id: d
        call: g.book("d")
        undo: g.cancel(d)
      - call: g.book("e")
"""


@pytest.mark.parametrize(
    ("broken", "log"),
    [("c", ["+a", "+b", "-b", "-a"]), ("e", ["+a", "+b", "+c", "+d", "-d", "-c", "-b", "-a"])],
)
def test_a_saga_that_ended_well_is_undone_by_the_one_around_it(broken: str, log: list[str]) -> None:
    saga_tasks.BROKEN.add(broken)
    assert tale(NESTED).play().status == "failed"
    assert log == saga_tasks.LOG


BESIDE = """
flow: f
steps:
  - saga:
      - graph:
          inner:
            saga:
              - id: x
                call: g.book("x")
                undo: g.cancel(x)
              - id: y
                call: g.book("y")
                undo: g.cancel(y)
          z: {call: 'g.book("z")', undo: g.cancel(z)}
      - fail: no
"""


def test_what_a_saga_inside_did_has_its_place_among_what_was_done_beside_it() -> None:
    class Alternately(HoldingExecutor):
        def submit(self, attempts) -> None:
            super().submit(attempts)
            for end in (".x", ".z", ".y", ".undo"):
                for key in [key for key in self.held if key.step.endswith(end)]:
                    self.let_go(key.step)

    assert tale(BESIDE, executor=Alternately()).play().status == "failed"
    assert saga_tasks.LOG == ["+x", "+z", "+y", "-y", "-z", "-x"]


def test_a_task_is_not_sent_what_only_its_undo_reads() -> None:
    class Looks(InlineExecutor):
        def submit(self, attempts) -> None:
            for attempt in attempts:
                sent[attempt.key.step] = set(attempt.env)
            super().submit(attempts)

    sent: dict[str, set[str]] = {}
    saga_tasks.BROKEN.add("c")
    text = LIST.replace("g.cancel(b, a)", "g.cancel(b, a, n)")
    text = text.replace("flow: f", "flow: f\ninputs: {n: {type: int, default: 1}}")
    tale(text, executor=Looks()).play()
    assert sent["step#1.b"] == {"a"}
    assert sent["step#1.b.undo"] == {"a", "b", "n"}


LOOPS = """
flow: f
steps:
  - saga:
      - for: n in ["a", "b", "c"]
        do:
          - id: x
            call: g.book(n)
            undo: g.cancel(x, n)
      - id: count
        value: 0
      - while: count < 2
        do:
          - if: count < 1
            then:
              - id: y
                call: g.book("w")
                undo: g.cancel(y, count)
          - id: count
            value: count + 1
      - id: x
        call: g.book("x")
        undo: g.cancel(x)
      - id: x
        call: g.book("x2", x)
        undo: g.cancel(x, count)
      - call: g.book("z")
"""
LOOPS_LOG = ["+a", "+b", "+c", "+w", "+x", "+x2", "-x2 2", "-x", "-w 0", "-c c", "-b b", "-a a"]


def test_bodies_of_loops_and_names_that_are_assigned_again() -> None:
    saga_tasks.BROKEN.add("z")
    assert tale(LOOPS).play().status == "failed"
    assert saga_tasks.LOG == LOOPS_LOG


@pytest.mark.parametrize(
    ("text", "broken"), [(LIST, "c"), (NESTED, "c"), (NESTED, "e"), (LOOPS, "z"), (GRAPH, "")]
)
def test_the_plain_executor_undoes_the_same(text: str, broken: str) -> None:
    saga_tasks.BROKEN.add(broken)
    story = tale(text)
    assert story.play().status == "failed"
    durable, saga_tasks.LOG = saga_tasks.LOG, []
    with pytest.raises(Exception, match=r"left|no"):
        run_plain(story.program, {})
    assert durable == saga_tasks.LOG


LEAVES = """
flow: f
inputs: {how: str}
steps:
  - for: n in ["a", "b"]
    do:
      - saga:
          - id: x
            call: g.book(n)
            undo: g.cancel(x)
          - if: how == "continue"
            then: [continue]
          - if: how == "break"
            then: [break]
          - if: how == "return"
            then: [return: x]
          - if: how == "tail"
            then: [return: other(x)]
  - fail: the end
---
flow: other
inputs: {x: str}
result: x
"""


@pytest.mark.parametrize("how", ["continue", "break", "return", "tail"])
def test_to_leave_a_saga_is_to_end_it_well(how: str) -> None:
    story = tale(LEAVES)
    assert story.play({"how": how}).status == ("succeeded" if how in {"return", "tail"} else "failed")
    assert (["+a", "+b"] if how == "continue" else ["+a"]) == saga_tasks.LOG


FLOWS = """
flow: f
steps:
  - saga:
      - id: a
        call: g.book("a")
        undo: g.cancel(a)
      - call: part("p")
      - call: part("q")
---
flow: part
inputs: {name: str}
steps:
  - saga:
      - id: x
        call: g.book(name)
        undo: g.cancel(x)
      - call: g.book(f"{name}2")
"""


def test_a_called_flow_undoes_its_own_and_nobody_else_does() -> None:
    saga_tasks.BROKEN.add("q2")
    assert tale(FLOWS).play().status == "failed"
    assert saga_tasks.LOG == ["+a", "+p", "+p2", "+q", "-q", "-a"]


RETURNS = """
flow: f
inputs: {again: {type: int, default: 0}}
steps:
  - saga:
      - id: a
        call: g.book(f"a{again}")
        undo: g.cancel(a)
      - if: again < 1
        then: [{return: f(again + 1)}]
      - return: part(a)
---
flow: part
inputs: {of: str}
steps:
  - saga:
      - id: x
        call: g.book("x")
        undo: g.cancel(x)
      - call: g.book("y", of)
  - return: x
"""


def test_a_flow_that_is_returned_runs_inside_the_saga() -> None:
    story = tale(RETURNS)
    assert story.value(story.play()) == "<x>"
    assert saga_tasks.LOG == ["+a0", "+a1", "+x", "+y"]
    saga_tasks.LOG.clear()
    saga_tasks.BROKEN.add("y")
    story = tale(RETURNS)
    assert story.play().status == "failed"
    assert saga_tasks.LOG == ["+a0", "+a1", "+x", "-x", "-a1", "-a0"]
    saga_tasks.LOG.clear()
    with pytest.raises(Exception, match="no y left"):
        run_plain(story.program, {})
    assert saga_tasks.LOG == ["+a0", "+a1", "+x", "-x", "-a1", "-a0"]


# Undos that fail, and that are tried again


def test_an_undo_that_fails_stops_no_other_and_is_told() -> None:
    saga_tasks.BROKEN |= {"c", "-b"}
    story = tale(LIST)
    result = story.play()
    assert saga_tasks.LOG == ["+a", "+b", "?<b>", "-a"]
    assert result.failure.message == (
        "no c left\nThe undo of `step#1.b` failed: RuntimeError: b cannot be undone"
    )
    assert [r.step for r in story.records() if isinstance(r, Failed)] == ["step#1.c", "step#1.b.undo"]


def test_undos_that_fail_are_told_of_a_failure_that_the_flow_deals_with() -> None:
    saga_tasks.BROKEN |= {"x", "-b"}
    story = tale(
        """
        flow: f
        steps:
          - id: all
            for: n in ["a", "b"]
            errors: collect
            do:
              - saga:
                  - id: one
                    call: g.book(n)
                    undo: g.cancel(one)
                  - call: g.book("x")
          - return: "[error.message for error in all.errors]"
        """
    )
    assert story.value(story.play()) == [
        "no x left",
        "no x left\nThe undo of `all[1].step#1.one` failed: RuntimeError: b cannot be undone",
    ]


RETRIED = LIST.replace(
    "undo: g.cancel(b, a)", "undo: {call: 'g.cancel(b)', with: {}, retry: {max: 2, delay: 1h, jitter: none}}"
)


@pytest.mark.parametrize(("failures", "status"), [(2, ["-b", "-a"]), (3, ["-a"])])
def test_an_undo_is_tried_again_by_its_own_policy(failures: int, status: list[str]) -> None:
    saga_tasks.BROKEN.add("c")
    saga_tasks.FLAKY["b"] = failures
    story = tale(RETRIED)
    assert story.play().status == "failed"
    assert saga_tasks.LOG[3:] == status
    tried = [r.step for r in story.records() if isinstance(r, Retrying)]
    assert tried == ["step#1.b.undo"] * 2
