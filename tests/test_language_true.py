"""What the reference of the language says of values, paths and resumed runs is so."""

import re
from pathlib import Path

import pytest
from stories import HOUR, NOON, story_of

from flowrt.encoding.values import Values
from flowrt.record import Computed, Failed, Fired, Sleeping
from flowrt.store.rows import NewEvent

HERE = Path(__file__).resolve().parent.parent / "docs" / "language"
EVENTS = "events: {e: {type: any}}\n"

VALUES = {
    "`if`": ("- {id: x, if: True, then: [{value: 1}, {value: 2}]}", 2),
    "`switch`": ("- {id: x, switch: 3, cases: [{is: 4, do: [{value: 1}]}]}", None),
    "`do`": ("- {id: x, do: [{value: 1}, {value: 2}]}", 2),
    "`lock`": ("- {id: x, lock: desk, do: [{value: 1}, {value: 2}]}", 2),
    "`saga`": ("- {id: x, saga: [{value: 1}, {value: 2}]}", 2),
    "`try`": ("- {id: x, try: [{fail: no}], catch: {do: [{value: 7}]}, finally: [{value: 8}]}", 7),
    "`graph`": ("- {id: x, graph: {a: 1, b: a + 1}}", {"a": 1, "b": 2}),
    "`for`": ('- {id: x, for: "i in [3, 1, 2]", parallel: 3, do: [{value: i}]}', [3, 1, 2]),
    "`while`": ("- {id: n, value: 0}\n- {id: x, while: n < 2, do: [{id: n, value: n + 1}]}", 2),
    "`until`": ("- {id: x, until: True, do: [{value: 5}]}", 5),
    "`wait`": ("- {emit: e, with: 9}\n- {id: x, wait: e}", 9),
    "`race`": ("- {id: x, race: [{id: a, do: [{value: 1}]}, {id: b, do: [{sleep: 1h}]}]}", 1),
    "`sleep`": ("- {id: x, sleep: 1s}", None),
    "`emit`": ("- {id: x, emit: e}", None),
}


def flow(steps):
    body = "\n".join(f"  {line}" for line in steps.splitlines())
    return f"{EVENTS}flow: f\nsteps:\n{body}\n"


@pytest.mark.parametrize("kind", VALUES)
def test_the_value_of_a_step_is_as_told(kind):
    steps, value = VALUES[kind]
    story = story_of(flow(f"{steps}\n- return: x"))
    assert story.value(story.play()) == value
    told = re.findall(r"^\| (`.*?) \|", (HERE / "types.md").read_text(), re.MULTILINE)
    assert any(kind in row for row in told)


def test_the_paths_are_as_told():
    """Every path of the table that a run without a failure can have; only the names are others."""
    story = story_of(
        flow(
            "- {id: clean, value: now()}\n"
            "- {id: loads, for: 'i in [1]', do: [{id: clean, value: now()}]}\n"
            "- {if: True, then: [{id: charge, value: now()}]}\n"
            "- {switch: 1, cases: [{is: 1, do: [{id: charge, value: now()}]}]}\n"
            "- {id: first, race: [{id: timer, do: [{id: nap, value: now()}]}]}\n"
            "- {id: pay, try: [{id: charge, value: now()}], finally: [{id: close, value: now()}]}\n"
            "- {id: fetch, do: [{id: page, value: now()}, {if: page < page, then: [{fail: no}]}], retry: 1}\n"
        )
    )
    assert story.play().status == "succeeded"
    made = {record.step for record in story.records() if isinstance(record, Computed)}
    paths = {
        "clean",
        "loads[0].clean",
        "step#3.then.charge",
        "step#4.case#1.charge",
        "first.timer.nap",
        "pay.try.charge",
        "pay.finally.close",
        "fetch.page",
    }
    assert paths <= made


FAIL_AGAIN = {
    "value": "- {id: x, value: 1 / 0}",
    "fail": "- fail: no",
    "raise": "- raise: ValueError('no')",
    "max": "- {id: n, value: 0}\n- {while: n < 5, max: 2, do: [{id: n, value: n + 1}]}",
    "need": "- {for: 'i in [0, 1]', need: 2, errors: drop, do: [{value: 1 / i}]}",
}


@pytest.mark.parametrize("what", FAIL_AGAIN)
def test_what_is_told_to_fail_again_fails_again(what):
    story = story_of(flow(FAIL_AGAIN[what]))
    first = story.play()
    assert first.status == "failed"
    again = story.drive(reopen=True)
    assert (again.status, again.failure) == ("failed", first.failure)


def test_a_wait_that_timed_out_looks_once_more():
    """Its time stays over: it takes what has come since, or fails again."""
    story = story_of(flow("- {id: x, wait: e, timeout: 1h}\n- return: x"))
    assert story.play().status == "failed"
    at = story.clock.now()
    assert story.drive(reopen=True).status == "failed"
    assert story.clock.now() == at
    story.store.send(NewEvent(name="e", key=None, payload=Values(story.blobs).encode(4), at=at))
    assert story.value(story.drive(reopen=True)) == 4


def test_a_sleep_that_was_dropped_keeps_its_instant():
    story = story_of(flow("- graph: {a: {sleep: 2h}, b: {do: [{sleep: 1h}, {value: 1 / 0}]}}"))
    assert story.play().status == "failed"
    assert story.clock.now() == NOON + HOUR
    story.drive(reopen=True)
    slept = [record for record in story.records() if isinstance(record, Sleeping)]
    assert len(slept) == 2


def test_a_block_goes_on_inside_of_its_last_attempt():
    """The pause that had ended before the bound was over is not made again."""
    story = story_of(
        flow("- do: [{id: a, sleep: 1h}, {id: b, sleep: 2h}, {value: 1}]\n  timeout: 150m\n  retry: {max: 1}")
    )
    assert story.play().status == "failed"
    assert story.drive(reopen=True).status == "succeeded"
    naps = [record.step for record in story.records() if isinstance(record, Fired) and "." in record.step]
    assert naps == ["step#1.a", "step#1~r2.a", "step#1~r2.b"]
    assert any(isinstance(record, Failed) for record in story.records())
