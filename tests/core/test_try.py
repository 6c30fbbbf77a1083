"""`try`: the first catch that names a failure deals with it, and `finally` runs whatever happened."""

import pytest
import try_tasks
from stories import HoldingExecutor, copy_first
from try_stories import cancelled, cut_everywhere, played, tale, told

from flowrt.executor.port import Lost
from flowrt.plain.plain import run_plain
from flowrt.record import CancelRequested, Reopened, Succeeded


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, fresh in (("LOG", []), ("BROKEN", {})):
        monkeypatch.setattr(try_tasks, name, fresh)
    try_tasks.COUNTS.clear()
    monkeypatch.setattr("time.sleep", lambda _: None)


WHOLE = """
flow: f
steps:
  - id: n
    value: 1
  - id: got
    try:
      - id: a
        call: g.do("a", n)
      - call: g.do("b")
    catch:
      - type: [KeyError, try_tasks:Busy]
        as: e
        do:
          - id: a
            call: g.note(e)
      - type: OSError
        do:
          - id: a
            value: '"os"'
          - call: g.do("c")
    finally:
      - id: n
        value: n + 1
      - call: g.do("end")
  - return: "[got, a, n]"
"""


def test_a_body_that_ends_well_gives_its_value_and_names_and_finally_its_own() -> None:
    assert played(WHOLE) == ["b", "a", 2]
    assert try_tasks.LOG == ["a", "b", "end"]


@pytest.mark.parametrize(
    ("raised", "given"),
    [
        (KeyError("k"), ["KeyError|'k'|got.try.b", "KeyError|'k'|got.try.b", 2]),
        (try_tasks.VeryBusy("now"), ["try_tasks.VeryBusy|now|got.try.b"] * 2 + [2]),
        (TimeoutError("late"), ["c", "os", 2]),
        (ValueError("no"), ("failed", "ValueError")),
    ],
)
def test_the_first_catch_whose_types_name_the_failure_deals_with_it(raised: Exception, given: object) -> None:
    try_tasks.BROKEN["b"] = raised
    text = WHOLE.replace('call: g.do("b")', 'id: b\n        call: g.do("b")')
    story = tale(text)
    assert told_from_start(story) == given
    assert try_tasks.LOG[-1] == "end"
    cut_everywhere(story)


def told_from_start(story):
    story.start()
    return told(story)


@pytest.mark.parametrize("what", ["", "a", "b"])
def test_it_means_the_same_in_a_plain_run(what: str) -> None:
    if what:
        try_tasks.BROKEN[what] = KeyError("k")
    text = WHOLE.replace("g.note(e)", 'g.do("note", e.type, e.message)')
    story = tale(text)
    assert run_plain(story.program, {}) == told_from_start(story)


def test_an_exit_is_caught_by_its_name_only() -> None:
    for kinds, end in (("", ("failed", "SystemExit")), ("type: SystemExit, ", "caught")):
        text = f"""
flow: f
steps:
  - try:
      - call: g.fails("exit")
    catch: {{{kinds}do: []}}
  - return: '"caught"'
"""
        assert played(text) == end


def test_the_error_of_an_expression_is_caught() -> None:
    text = """
flow: f
inputs: {n: {type: int, default: 0}}
steps:
  - id: got
    try:
      - value: 1 // n
    catch: {type: ArithmeticError, as: e, do: [{value: e.type}]}
  - id: more
    try:
      - value: from_json("{")
    catch: {type: json:JSONDecodeError, do: [{value: '"json"'}]}
  - return: "[got, more]"
"""
    assert played(text) == ["ZeroDivisionError", "json"]


OWN = {
    "flowrt:WaitTimedOut": "{wait: never, timeout: 1h}",
    "flowrt:FlowFailed": "{fail: told so}",
    "flowrt:LoopLimit": "{while: n < 1, max: 3, do: [{sleep: 1s}]}",
    "flowrt:NeedNotMet": "{for: 'i in [1]', need: 1, errors: drop, do: [{fail: told so}]}",
    "flowrt:BlockTimedOut": "{timeout: 1m, do: [{sleep: 1h}]}",
    "flowrt:RecursionLimit": "{call: deep(n)}",
}


@pytest.mark.parametrize("name", OWN)
def test_failures_that_flowrt_finds_itself_are_caught_by_name_and_by_what_they_are(name: str) -> None:
    step = OWN[name]
    late = "TimedOut" in name
    text = """
events: {{never: {{external: true}}}}
flow: f
inputs: {{n: {{type: int, default: 0}}}}
steps:
  - id: got
    try: [{step}]
    catch:
      - {{type: {first}, do: [{{value: '"first"'}}]}}
      - {{type: {second}, as: e, do: [{{value: e.type}}]}}
  - return: got
---
flow: deep
inputs: {{n: int}}
steps:
  - id: x
    call: deep(n)
  - return: x
"""
    first = "RecursionError" if late else "TimeoutError"
    second = "TimeoutError" if late else {"flowrt:RecursionLimit": "RecursionError"}.get(name, name)
    assert played(text.format(step=step, first=first, second=second)) == name.replace(":", ".")
    assert played(text.format(step=step, first="flowrt:WorkerLost", second=name)) == name.replace(":", ".")


def test_a_lost_worker_is_caught() -> None:
    class Loses(HoldingExecutor):
        def submit(self, attempts):
            for attempt in attempts:
                self._report(attempt.key, Lost("gone"))

    text = """
flow: f
steps:
  - id: got
    try:
      - call: g.do("a")
    catch: {type: flowrt:WorkerLost, as: e, do: [{value: e.type}]}
  - return: got
"""
    assert told_from_start(tale(text, executor=Loses())) == "flowrt.WorkerLost"


# Leaving


def test_finally_runs_on_return_break_and_continue() -> None:
    text = """
flow: f
steps:
  - id: n
    value: 0
  - for: i in range(9)
    do:
      - try:
          - if: i == 1
            then: [continue]
          - if: i == 3
            then: [break]
          - call: g.do(str(i))
        finally:
          - id: n
            value: n + 1
          - call: g.do("end")
  - try:
      - return: n
    finally:
      - call: g.do("last")
"""
    story = tale(text)
    assert told_from_start(story) == 4
    assert try_tasks.LOG == ["0", "end", "end", "2", "end", "end", "last"]
    assert run_plain(story.program, {}) == 4
    cut_everywhere(story)


def test_a_flow_that_is_returned_runs_inside_the_try() -> None:
    text = """
flow: f
steps:
  - try:
      - return: other()
    catch: {as: e, do: [{return: e.step}]}
    finally: [{call: 'g.do("end")'}]
---
flow: other
steps:
  - id: x
    call: g.fails()
  - return: x
"""
    assert played(text) == "step#1.try.step#1/return.0.x"
    assert try_tasks.LOG == ["end"]


# Nesting


NESTED = """
flow: f
steps:
  - try:
      - try:
          - call: g.do("in")
        catch: {type: KeyError, as: e, do: [{call: 'g.do("catch", e)'}, {raise: e}]}
        finally: [{call: 'g.do("end in")'}]
      - call: g.do("not reached")
    catch:
      - {type: KeyError, as: e, do: [{return: e.message}]}
    finally: [{call: 'g.do("end out")'}]
"""


def test_a_failure_that_is_raised_again_goes_to_the_try_around_it() -> None:
    try_tasks.BROKEN["in"] = KeyError("k")
    story = tale(NESTED)
    assert told_from_start(story) == "'k'"
    assert try_tasks.LOG == ["!in", "catch", "end in", "end out"]
    cut_everywhere(story)


@pytest.mark.parametrize(
    ("catch", "end"),
    [("type: KeyError", ("failed", "OSError")), ("type: LookupError", ("failed", "OSError"))],
)
def test_an_error_in_a_catch_is_no_matter_of_the_other_catches(catch: str, end: object) -> None:
    text = f"""
flow: f
steps:
  - try:
      - call: g.fails("key")
    catch:
      - {{{catch}, do: [{{call: 'g.do("catch")'}}]}}
      - {{type: OSError, do: [{{call: 'g.do("other")'}}]}}
    finally: [{{call: 'g.do("end")'}}]
"""
    try_tasks.BROKEN["catch"] = OSError("in the catch")
    story = tale(text)
    assert told_from_start(story) == end
    assert try_tasks.LOG == ["!catch", "end"]
    cut_everywhere(story)


def test_an_error_in_finally_names_the_first_failure_too() -> None:
    text = """
flow: f
steps:
  - try: [{id: a, call: g.fails()}]
    finally: [{id: b, call: 'g.do("end")'}]
"""
    try_tasks.BROKEN["end"] = OSError("the disk is full")
    story = tale(text)
    result = story.play()
    assert result.failure.type == "OSError"
    assert result.failure.step == "step#1.finally.b"
    assert result.failure.message.splitlines() == [
        "the disk is full",
        "Before `finally` failed, this failed in step `step#1.try.a`: ValueError: no value",
    ]
    cut_everywhere(story)


def test_a_try_in_each_parallel_body_deals_with_its_own() -> None:
    text = """
flow: f
steps:
  - id: xs
    for: i in range(4)
    parallel: 4
    do:
      - id: x
        try:
          - if: i % 2 == 1
            then: [{call: g.fails("key")}]
          - value: i
        catch: {type: KeyError, as: e, do: [{value: e.step}]}
        finally: [{call: g.do(str(i))}]
  - return: xs
"""
    story = tale(text)
    odd = [f"xs[{i}].x.try.step#1.then.step#1" for i in (1, 3)]
    assert told_from_start(story) == [0, odd[0], 2, odd[1]]
    assert sorted(try_tasks.LOG) == ["0", "1", "2", "3"]
    cut_everywhere(story)


def test_a_catch_around_a_called_flow_is_asked_for_inside_it() -> None:
    text = """
flow: f
steps:
  - id: got
    try: [{id: sub, call: other()}]
    catch: {type: try_tasks:Busy, as: e, do: [{value: e.step}]}
  - return: got
---
flow: other
graph:
  a: g.fails("busy")
"""
    story = tale(text)
    assert told_from_start(story) == "got.try.sub.a"
    cut_everywhere(story)


def test_what_fails_while_a_body_is_stopped_is_stopped_and_its_finally_runs() -> None:
    text = """
flow: f
steps:
  - graph:
      a: g.fails()
      b:
        try: [{sleep: 1d}]
        catch: {do: [{call: 'g.do("not reached")'}]}
        finally: [{call: 'g.do("end b")'}, {sleep: 1h}, {call: 'g.do("end c")'}]
"""
    story = tale(text)
    assert told_from_start(story) == ("failed", "ValueError")
    assert try_tasks.LOG == ["end b", "end c"]
    cut_everywhere(story)


# Cancelling


CANCELLED = """
flow: f
steps:
  - id: t
    try: [{id: a, call: 'g.do("a")'}, {call: 'g.do("b")'}]
    catch: {do: [{call: 'g.do("not reached")'}]}
    finally: [{call: 'g.do("end")'}, {id: z, call: 'g.do("last")'}]
  - call: g.do("not reached")
"""


def test_finally_runs_on_cancel() -> None:
    _, result = cancelled(CANCELLED, "t.try.a")
    assert (result.status, result.failure) == ("cancelled", None)
    assert try_tasks.LOG == ["a", "end", "last"]


def test_a_cancel_does_not_stop_finally() -> None:
    story, result = cancelled(CANCELLED, "t.finally.step#1")
    assert result.status == "cancelled"
    assert try_tasks.LOG == ["a", "b", "end", "last"]
    asked = next(i for i, record in enumerate(story.records()) if isinstance(record, CancelRequested))
    cut_everywhere(story, lambda story: story.drive().status, asked + 1)


def test_a_finally_that_fails_on_cancel_is_told() -> None:
    try_tasks.BROKEN["last"] = OSError("no disk")
    _, result = cancelled(CANCELLED, "t.try.a")
    assert result.status == "cancelled"
    assert result.failure.type == "flowrt.FinallyFailed"
    assert "The `finally` of `t` failed: OSError: no disk" in result.failure.message


# Going on behind a failure


def reopened(story, **broken: object) -> tuple[list[str], list[str]]:
    """What was done until a run failed, and after it was reopened in a world that is whole."""
    try_tasks.BROKEN.update(broken)
    assert story.play().status == "failed"
    before, try_tasks.LOG = try_tasks.LOG, []
    try_tasks.BROKEN.clear()
    assert story.drive(reopen=True).status == "succeeded"
    records = story.records()
    last = max(i for i, r in enumerate(records) if isinstance(r, Reopened))
    after = list(try_tasks.LOG)
    expected = told(story)
    for count in range(last + 1, len(records)):
        assert told(copy_first(story, count)) == expected, f"after {count}"
    voided = {seq for record in records if isinstance(record, Reopened) for seq in record.voided}
    done = [r.step for seq, r in enumerate(records) if isinstance(r, Succeeded) and seq not in voided]
    assert len(done) == len(set(done)), "what is made anew counts once"
    return before, after


REOPENED = """
flow: f
steps:
  - try: [{call: 'g.do("a")'}, {call: 'g.do("b")'}]
    catch: {type: KeyError, as: e, do: [{call: 'g.do("c")'}, {call: 'g.do("d")'}]}
    finally: [{call: 'g.do("y")'}, {call: 'g.do("z")'}]
  - call: g.do("after")
"""


def test_an_uncaught_failure_reopens_inside_the_body_and_finally_runs_anew() -> None:
    before, after = reopened(tale(REOPENED), b=OSError())
    assert before == ["a", "!b", "y", "z"]
    assert after == ["b", "y", "z", "after"]


def test_a_failure_in_a_catch_reopens_inside_the_catch() -> None:
    before, after = reopened(tale(REOPENED), b=KeyError(), d=OSError())
    assert before == ["a", "!b", "c", "!d", "y", "z"]
    assert after == ["d", "y", "z", "after"]


@pytest.mark.parametrize("end", ["raise: e", 'raise: ValueError("told")', "fail: told"])
def test_a_failure_that_a_catch_passes_on_reopens_inside_the_body(end: str) -> None:
    text = REOPENED.replace("{call: 'g.do(\"d\")'}", f"{{{end}}}")
    before, after = reopened(tale(text), b=KeyError())
    assert before == ["a", "!b", "c", "y", "z"]
    assert after == ["b", "y", "z", "after"]


def test_a_failure_in_finally_reopens_inside_finally() -> None:
    before, after = reopened(tale(REOPENED), z=OSError())
    assert before == ["a", "b", "y", "!z"]
    assert after == ["z", "after"]


def test_a_failure_in_finally_after_one_of_the_body_reopens_both() -> None:
    before, after = reopened(tale(REOPENED), b=OSError(), z=OSError())
    assert before == ["a", "!b", "y", "!z"]
    assert after == ["b", "y", "z", "after"]


def test_a_failure_behind_the_try_leaves_it_as_it_is() -> None:
    before, after = reopened(tale(REOPENED), b=KeyError(), after=OSError())
    assert before == ["a", "!b", "c", "d", "y", "z", "!after"]
    assert after == ["after"]


def test_a_try_that_was_stopped_by_the_failure_of_another_goes_on() -> None:
    text = """
flow: f
steps:
  - graph:
      a: g.do("a")
      b:
        try: [{call: 'g.do("b")'}, {sleep: 1d}, {call: 'g.do("c")'}]
        finally: [{call: 'g.do("z")'}]
"""
    before, after = reopened(tale(text), a=OSError())
    assert before == ["!a", "b", "z"]
    assert after == ["a", "c", "z"]
