"""Races: who wins, what becomes of the others, and how one is left, fails and goes on behind a failure."""

from collections.abc import Sequence

import pytest
import saga_tasks
import story_tasks
from saga_stories import cancelled, fresh_world, tale
from stories import HOUR, HoldingExecutor, Story, copy_first, story_of

from flowrt.encoding.values import Values
from flowrt.engine.drive import RunResult, drive
from flowrt.engine.pace import Pace
from flowrt.executor.port import Attempt
from flowrt.record import Failed, Received, Reopened, Stopped, Succeeded
from flowrt.store.rows import NewEvent
from flowrt.why.why import why_step


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh_world(monkeypatch)


class InOrder(HoldingExecutor):
    """Lets attempts go in the order of the ends of their paths, as far as they are there; holds others."""

    def __init__(self, *ends: str) -> None:
        super().__init__()
        self.ends = ends

    def submit(self, attempts: Sequence[Attempt]) -> None:
        super().submit(attempts)
        for end in self.ends:
            for key in [key for key in self.held if key.step.endswith(end)]:
                self.let_go(key.step)


def steps(story: Story, kind: type) -> list[str]:
    return [record.step for record in story.records() if isinstance(record, kind)]


THREE = """
flow: f
steps:
  - id: w
    race:
      - {id: a, do: [{id: x, call: "s.add(1, 0)"}]}
      - {id: b, do: [{id: y, call: "s.add(2, 0)"}]}
      - {id: c, do: [{id: z, call: "s.add(3, 0)"}]}
  - return: w
"""


@pytest.mark.parametrize(("first", "value"), [("x", 1), ("y", 2), ("z", 3)])
def test_the_first_branch_gives_the_value_and_the_others_are_stopped(first: str, value: int) -> None:
    story = story_of(THREE, executor=InOrder(first))
    assert story.value(story.play()) == value
    assert len(steps(story, Stopped)) == 2
    assert not story.executor.held


@pytest.mark.parametrize("order", ["xy", "zx", "yz"])
def test_need_gives_the_first_values_in_their_order_and_cancels_the_rest(order: str) -> None:
    story = story_of(THREE.replace("  - return", "    need: 2\n  - return"), executor=InOrder(*order))
    assert story.value(story.play()) == [1 + "xyz".index(each) for each in order]
    (stopped,) = steps(story, Stopped)
    assert stopped[-1] not in order


@pytest.mark.parametrize(("need", "value"), [("1", 1), ("len('a')", [1]), ("3", [1, 2, 3])])
def test_a_need_that_is_computed_gives_a_list_whatever_it_comes_to(need: str, value: object) -> None:
    story = story_of(THREE.replace("  - return", f"    need: {need}\n  - return"), executor=InOrder(*"xyz"))
    assert story.value(story.play()) == value


@pytest.mark.parametrize(
    ("need", "kind", "said"),
    [
        ("4", "NeedNotMet", "needs 4 of its branches to end well, and it has 3"),
        ("0 * 1", "ValueError", "need"),
    ],
)
def test_a_need_that_cannot_be_met_fails_before_anything_starts(need: str, kind: str, said: str) -> None:
    story = story_of(THREE.replace("  - return", f"    need: {need}\n  - return"))
    failure = story.play().failure
    assert failure.type.endswith(kind)
    assert said in failure.message
    assert failure.step == "w"
    assert story.executor.made == []


def test_what_ends_too_late_is_recorded_and_does_not_count() -> None:
    class TooLate(InOrder):
        def stop(self, key, *, force: bool) -> None:  # noqa: ARG002
            self.let_go(key.step)

    story = story_of(THREE, executor=TooLate("y"))
    assert story.value(story.play()) == 2
    assert set(steps(story, Succeeded)) == {"w.a.x", "w.b.y", "w.c.z"}


EVENT_OR_TIMER = """
events: {go: {type: any}}
flow: f
steps:
  - id: w
    race:
      - {id: event, do: [{id: got, wait: go}]}
      - {id: timer, do: [{sleep: 2h}, {value: "'late'"}]}
  - id: next
    wait: go
    timeout: 5h
    else: [{id: next, value: "'nothing'"}]
  - return: "[w, next]"
"""


def sends(story: Story, *at: int) -> None:
    """Have events arrive at these hours, numbered."""
    clock, todo = story.clock, list(enumerate(at))

    class Sends(type(clock)):
        def timeout_s(self, until: int) -> float:
            if todo and clock_start + todo[0][1] * HOUR <= until:
                number, hour = todo.pop(0)
                self.at = clock_start + hour * HOUR
                payload = Values(story.blobs).encode(number)
                story.store.send(NewEvent("go", None, payload, self.at))
                return 0.0
            return super().timeout_s(until)

    clock_start = clock.at
    story.clock = Sends(clock.at)


@pytest.mark.parametrize(
    ("at", "value"),
    [((), ["late", "nothing"]), ((1,), [0, "nothing"]), ((3,), ["late", 0]), ((1, 4), [0, 1])],
)
def test_a_race_of_an_event_and_a_timer(at: tuple[int, ...], value: list[object]) -> None:
    """What comes after the timer has won is left to the next wait."""
    story = story_of(EVENT_OR_TIMER)
    sends(story, *at)
    story.start()
    assert story.value(looked_often(story)) == value


def looked_often(story: Story) -> RunResult:
    """Drive a run with an engine that looks for events every ten minutes."""
    pace = Pace(renew_us=HOUR, news_us=HOUR // 6)
    return drive(story.store, story.blobs, story.executor, ["story"], clock=story.clock, pace=pace)["story"]


SAGAS = """
events: {never: {type: any}}
flow: f
steps:
  - id: w
    race:
      - id: loses
        do:
          - saga:
              - {id: a, call: 'g.book("a")', undo: g.cancel(a)}
              - {id: b, call: 'g.book("b")', undo: g.cancel(b)}
              - wait: never
      - id: ended
        do:
          - saga:
              - {id: c, call: 'g.book("c")', undo: g.cancel(c)}
          - wait: never
      - {id: wins, do: [{sleep: 1h}, {call: 'g.look("won")'}]}
  - call: g.look("after")
  - return: w
"""


def test_the_sagas_of_losers_are_undone_before_the_race_ends() -> None:
    """A saga that had ended well in a loser stays, as it does when a run is cancelled."""
    story = tale(SAGAS)
    assert story.value(story.play()) == "won"
    assert saga_tasks.LOG[-4:] == ["?won", "-b", "-a", "?after"]
    assert sorted(saga_tasks.LOG[:3]) == ["+a", "+b", "+c"]


def test_the_sagas_of_losers_are_undone_after_every_cut() -> None:
    whole = tale(SAGAS)
    whole.play()
    count = len(whole.records())
    for cut in range(1, count):
        done = {r.step for r in whole.records()[:cut] if isinstance(r, Succeeded)}
        saga_tasks.LOG.clear()
        story = copy_first(whole, cut)
        assert story.value(story.drive()) == "won"
        again = {key.step for key in story.executor.made} & done
        assert not again, f"after {cut} records these ran again: {again}"
        undone = [r.step for r in story.records() if isinstance(r, Succeeded) and r.step.endswith(".undo")]
        booked = [r.step for r in story.records() if isinstance(r, Succeeded) and r.step[-1] in "ab"]
        assert sorted(undone) == sorted(f"{step}.undo" for step in booked), f"after {cut} records"


def test_a_run_that_is_cancelled_undoes_what_all_branches_have_done() -> None:
    _, result = cancelled(SAGAS.replace("sleep: 1h", "wait: never"), "w.loses.step#1.b")
    assert result.status == "cancelled"
    booked = {each[1:] for each in saga_tasks.LOG if each[0] == "+"} - {"c"}
    assert {"a", "b"} >= booked >= {"a"}
    assert {each[1:] for each in saga_tasks.LOG if each[0] == "-"} - {"c"} == booked


NESTED = """
events: {never: {type: any}}
flow: f
steps:
  - id: w
    race:
      - id: outer
        do:
          - id: inner
            race:
              - {id: x, do: [{sleep: 3h}, {call: 's.text("x")'}]}
              - {id: y, do: [{wait: never}]}
          - call: s.text(inner)
      - {id: slow, do: [{sleep: SLOW}, {value: "'slow'"}]}
  - return: w
"""


@pytest.mark.parametrize(("slow", "value", "tasks"), [("4h", "x", 2), ("2h", "slow", 0)])
def test_a_race_in_a_race(slow: str, value: str, tasks: int) -> None:
    """The inner one is over when its first branch is, or when the outer one is."""
    story = story_of(NESTED.replace("SLOW", slow))
    assert story.value(story.play()) == value
    assert len(story.executor.made) == tasks


def test_return_out_of_a_race_ends_the_flow_when_the_others_have_stopped() -> None:
    story = tale(
        SAGAS.replace("""{call: 'g.look("won")'}""", """{return: "'early'"}""").replace(
            "steps:\n", "steps:\n  - id: before\n    value: 1\n", 1
        )
    )
    assert story.value(story.play()) == "early"
    assert saga_tasks.LOG[-2:] == ["-b", "-a"]


def test_a_tail_call_out_of_a_race() -> None:
    story = story_of(
        """
        events: {never: {type: any}}
        flow: f
        inputs: {n: {type: int, default: 0}}
        steps:
          - race:
              - {id: goes, do: [{sleep: 1m}, {if: n < 3, then: [{return: f(n + 1)}]}]}
              - {id: waits, do: [{wait: never}]}
          - return: n
        """
    )
    assert story.value(story.play()) == 3


ERRORS = """
events: {never: {type: any}}
flow: f
steps:
  - id: w
    race:
      - {id: bad, do: [{id: x, call: s.needs_world(7)}]}
      - {id: waits, do: [{wait: never, timeout: 1d, else: [{fail: nothing came}]}]}
      - {id: slow, do: [{sleep: 2h}, {id: y, call: "s.text('slow')"}]}
    errors: POLICY
    need: NEED
  - return: w
"""


def race_of(policy: str, need: int, monkeypatch: pytest.MonkeyPatch) -> Story:
    monkeypatch.setattr(story_tasks, "BROKEN", {7})
    return story_of(ERRORS.replace("POLICY", policy).replace("NEED", str(need)))


def test_a_branch_that_fails_fails_the_race_and_stops_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    story = race_of("fail", 1, monkeypatch)
    result = story.play()
    assert (result.status, result.failure.step) == ("failed", "w.bad.x")
    assert [key.step for key in story.executor.made] == ["w.bad.x"]
    monkeypatch.setattr(story_tasks, "BROKEN", set())
    assert story.value(story.drive(reopen=True)) == 7


def test_a_branch_that_fails_is_out_when_errors_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    story = race_of("drop", 1, monkeypatch)
    assert story.value(story.play()) == "slow"


def test_when_too_few_branches_are_left_the_race_fails_and_names_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = race_of("drop", 2, monkeypatch)
    result = story.play()
    assert (result.failure.type, result.failure.step) == ("flowrt.NeedNotMet", "w")
    assert result.failure.message == (
        "The race needs 2 of its 3 branches to end well: 1 did, 2 failed.\n"
        "`bad` failed: OSError: the world is broken for 7\n"
        "`waits` failed: flowrt.FlowFailed: nothing came"
    )
    # Who reopens the run has the branches that failed run on, and only those.
    monkeypatch.setattr(story_tasks, "BROKEN", set())
    made = len(story.executor.made)
    assert story.value(story.drive(reopen=True)) == ["slow", 7]
    assert [key.step for key in story.executor.made[made:]] == ["w.bad.x"]


@pytest.mark.parametrize(("policy", "need"), [("fail", 1), ("drop", 2)])
def test_a_failed_race_that_is_cut_after_any_record(
    policy: str, need: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = race_of(policy, need, monkeypatch)
    failure = whole.play().failure
    for cut in range(1, len(whole.records())):
        story = copy_first(whole, cut)
        again = story.drive().failure
        assert (again.type, again.step) == (failure.type, failure.step), f"after {cut} records"
        monkeypatch.setattr(story_tasks, "BROKEN", set())
        assert story.drive(reopen=True).status == "succeeded", f"after {cut} records"
        monkeypatch.setattr(story_tasks, "BROKEN", {7})


def test_a_failure_behind_a_race_does_not_run_the_race_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story_tasks, "BROKEN", {7})
    text = THREE.replace("  - return: w", "  - id: last\n    call: s.needs_world(7)\n  - return: w + last")
    story = story_of(text, executor=InOrder("y", "last"))
    assert story.play().status == "failed"
    monkeypatch.setattr(story_tasks, "BROKEN", set())
    story.executor.ends = ("last",)
    assert story.value(story.drive(reopen=True)) == 9


def test_a_race_that_is_stopped_stops_its_branches() -> None:
    story = story_of(
        """
        events: {never: {type: any}}
        flow: f
        steps:
          - graph:
              bad: {do: [{sleep: 1h}, {fail: no}]}
              w: {race: [{id: a, do: [{wait: never}]}, {id: b, do: [{sleep: 2h}]}], need: 2}
        """
    )
    result = story.play()
    assert (result.status, result.failure.message) == ("failed", "no")
    assert story.clock.at < story.records()[0].at + 2 * HOUR


def test_two_waits_for_one_event_leave_the_next_to_others() -> None:
    story = story_of(
        """
        events: {go: {type: any}}
        flow: f
        steps:
          - id: w
            race:
              - {id: a, do: [{id: x, wait: go}]}
              - {id: b, do: [{id: y, wait: go}]}
          - {id: next, wait: go}
          - return: "[w, next]"
        """
    )
    for number in (1, 2):
        story.store.send(NewEvent("go", None, Values(story.blobs).encode(number), story.clock.at + number))
    story.clock.at += HOUR
    story.start()
    for number in (3, 4):
        story.store.send(NewEvent("go", None, Values(story.blobs).encode(number), story.clock.at))
    assert story.value(story.drive()) == [3, 4]
    assert steps(story, Received)[0] == "w.a.x"


def test_why_tells_of_branches_and_cases() -> None:
    story = story_of(THREE.replace("  - return", "    need: len('ab')\n  - return"), executor=InOrder(*"xy"))
    story.play()

    def why(step: str) -> str:
        return "\n".join(why_step(story.store, "story", step, story.clock.now()))

    assert "2 of its branches are enough" in why("w")
    assert "it was told to stop" in why("w.c.z")
    assert "succeeded" in why("w.a.x")


SWITCH = """
flow: f
inputs: {kind: str}
steps:
  - switch: kind
    cases:
      - {is: a, do: [{id: x, call: "s.add(1, 0)"}]}
      - {is: [b, c], do: [{id: y, call: "s.add(2, 0)"}]}
    else: [{id: z, value: "3"}]
"""


def test_why_tells_which_case_was_chosen() -> None:
    story = story_of(SWITCH)
    story.play({"kind": "c"})

    def why(step: str) -> str:
        return "\n".join(why_step(story.store, "story", step, story.clock.now()))

    assert "its case 2 was the one that fits" in why("step#1")
    assert "succeeded" in why("step#1.case#2.y")
    assert "case 2 of `step#1` was chosen" in why("step#1.case#1.x")
    assert "case 2 of `step#1` was chosen" in why("step#1.else.z")


def test_why_tells_that_no_case_fits() -> None:
    story = story_of(SWITCH)
    story.play({"kind": "?"})
    told = "\n".join(why_step(story.store, "story", "step#1.case#1.x", story.clock.now()))
    assert "no case of `step#1` fits" in told
    assert steps(story, Failed) == []


@pytest.mark.parametrize("subject", ["1 // n", "n.x"])
def test_a_subject_that_cannot_be_computed_fails_the_step(subject: str) -> None:
    story = story_of(SWITCH.replace("kind: str", "n: any").replace("switch: kind", f"switch: {subject}"))
    result = story.play({"n": 0})
    assert (result.status, result.failure.step) == ("failed", "step#1")


BODIES = """
flow: f
steps:
  - id: xs
    for: n in range(4)
    parallel: 4
    errors: {policy}
    do:
      - id: g
        graph:
          a: s.even_only(n)
          b: {{wait: never, timeout: 1h, else: [{{value: 0}}]}}
      - value: n * 10
  - return: {result}
events: {{never: {{type: any}}}}
"""


@pytest.mark.parametrize(
    ("policy", "result", "value"),
    [
        ("fail", "xs", None),
        ("collect", '"[xs.values, [e.index for e in xs.errors]]"', [[0, 20], [1, 3]]),
        ("drop", "xs", [0, 20]),
    ],
)
def test_errors_inside_parallel_bodies(policy: str, result: str, value: object) -> None:
    story = story_of(BODIES.format(policy=policy, result=result))
    ended = story.play()
    if policy == "fail":
        assert (ended.status, ended.failure.type) == ("failed", "ValueError")
        assert story.clock.at < story.records()[0].at + HOUR, "the other bodies are stopped at once"
    else:
        assert story.value(ended) == value


BREAKS = """
flow: f
steps:
  - {id: log, value: "[]"}
  - for: i in range(4)
    do:
      - {id: j, value: 0}
      - while: true
        do:
          - {id: j, value: j + 1}
          - until: j > 100
            do:
              - {id: j, value: j + 1}
              - if: j > i + 2
                then: break
          - {id: log, value: "log + [[i, j]]"}
          - if: j > 4
            then: [break]
      - if: i == 2
        then: [break]
  - return: log
"""


def test_break_in_nested_loops_ends_the_nearest() -> None:
    expected: list[list[int]] = []
    for i in range(4):
        j = 0
        while True:
            j += 1
            while True:
                j += 1
                if j > i + 2:
                    break
            expected.append([i, j])
            if j > 4:
                break
        if i == 2:
            break
    whole = story_of(BREAKS)
    assert whole.value(whole.play()) == expected
    for cut in range(1, len(whole.records())):
        story = copy_first(whole, cut)
        assert story.value(story.drive()) == expected


NEEDS = """
flow: f
steps:
  - id: xs
    for: n in [7, 1, 8, 2, 9, 3]
    parallel: PARALLEL
    errors: POLICY
    need: 5
    do:
      - id: a
        call: s.add(n, 0)
      - sleep: 1m
      - id: b
        call: s.needs_world(n)
    collect: a + b
  - return: RESULT
"""


@pytest.mark.parametrize("parallel", [1, 2, 3, 6])
@pytest.mark.parametrize(("policy", "result"), [("drop", "sorted(xs)"), ("collect", "sorted(xs.values)")])
def test_who_goes_on_behind_a_need_that_was_not_met_has_the_dropped_bodies_run_on(
    parallel: int, policy: str, result: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story_tasks, "BROKEN", {7, 8, 9})
    story = story_of(
        NEEDS.replace("PARALLEL", str(parallel)).replace("POLICY", policy).replace("RESULT", result)
    )
    assert story.play().failure.type == "flowrt.NeedNotMet"
    before = len(story.executor.made)
    monkeypatch.setattr(story_tasks, "BROKEN", {9})
    assert story.value(story.drive(reopen=True)) == [2, 4, 6, 14, 16]
    again = [key.step for key in story.executor.made[before:]]
    assert sorted(set(again)) in (["xs[0].b", "xs[2].b"], ["xs[0].b", "xs[2].b", "xs[4].b"])
    assert len(again) == len(set(again))
    records = story.records()
    last = max(i for i, r in enumerate(records) if isinstance(r, Reopened))
    for count in range(last + 1, len(records)):
        cut = copy_first(story, count)
        assert cut.value(cut.drive()) == [2, 4, 6, 14, 16], f"after {count}"
        done = {r.step for r in records[:count] if isinstance(r, Succeeded)}
        assert not {key.step for key in cut.executor.made} & done, f"after {count}"


CARRIES = """
flow: f
steps:
  - {id: sum, value: 0}
  - for: n in [1, 7, 2, 8, 3]
    errors: drop
    need: 4
    do:
      - id: x
        call: s.needs_world(n)
      - id: sum
        value: sum * 10 + x
  - return: sum
"""


def test_in_a_loop_that_carries_all_is_made_anew_from_the_first_dropped_body_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(story_tasks, "BROKEN", {7, 8})
    story = story_of(CARRIES)
    assert story.play().failure.type == "flowrt.NeedNotMet"
    before = len(story.executor.made)
    monkeypatch.setattr(story_tasks, "BROKEN", {8})
    assert story.value(story.drive(reopen=True)) == 1723
    again = [key.step for key in story.executor.made[before:]]
    assert again == [f"step#2[{index}].x" for index in (1, 2, 3, 4)]
    records = story.records()
    last = max(i for i, r in enumerate(records) if isinstance(r, Reopened))
    for count in range(last + 1, len(records)):
        cut = copy_first(story, count)
        assert cut.value(cut.drive()) == 1723, f"after {count}"


LEFT = """
events: {never: {type: any}}
flow: f
inputs: {how: {type: str, default: need}}
steps:
  - id: xs
    for: n in [7, 8, 1]
    errors: drop
    need: 2
    do:
      - id: a
        call: s.needs_world(n)
      - if: how == "break"
        then: [break]
      - if: how == "return"
        then: [{return: "'left'"}]
      - value: n
  - return: xs
"""


@pytest.mark.parametrize(("how", "value"), [("need", [7, 1]), ("break", []), ("return", "left")])
def test_bodies_that_were_laid_aside_are_stopped_when_the_loop_is_over(
    how: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two were let fail; the first to go on ends the loop, so the other never does."""
    text = LEFT.replace("[7, 8, 1]", "[7, 8]") if how != "need" else LEFT
    monkeypatch.setattr(story_tasks, "BROKEN", {7, 8})
    story = story_of(text)
    assert story.play({"how": how}).failure.type == "flowrt.NeedNotMet"
    before = len(story.executor.made)
    monkeypatch.setattr(story_tasks, "BROKEN", set())
    assert story.value(story.drive(reopen=True)) == value
    assert [key.step for key in story.executor.made[before:]] == ["xs[0].a"]
    assert steps(story, Stopped) == ["xs[1].a"]
    records = story.records()
    last = max(i for i, r in enumerate(records) if isinstance(r, Reopened))
    for count in range(last + 1, len(records)):
        cut = copy_first(story, count)
        assert cut.value(cut.drive()) == value, f"after {count}"
