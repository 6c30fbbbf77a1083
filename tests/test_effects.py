"""The checker of the campaigns: what is in order has no violation, and each breach is named."""

from dataclasses import replace

import pytest
from effects import Effect, Line, makers, plain, violations

from flowrt.record import (
    Begun,
    Computed,
    Ended,
    Failed,
    Failure,
    Received,
    Reopened,
    Retrying,
    Started,
    Succeeded,
)
from flowrt.value import Inline

NOTHING = Inline(b"")


def start(step: str, at: int, *inputs: tuple[str, str], attempt: int = 1, epoch: int = 1) -> Effect:
    return Effect("start", "r", step, attempt, epoch, at, 1, inputs)


def end(step: str, at: int, output: str, attempt: int = 1, epoch: int = 1) -> Effect:
    return Effect("end", "r", step, attempt, epoch, at, 1, (), output)


def done(seq: int, step: str, at: int, value: str, attempt: int = 1, epoch: int = 1) -> Line:
    return Line(seq, epoch, Succeeded(step, NOTHING, attempt, at - 5, at), value)


EFFECTS = [start("a", 10), end("a", 12, "A"), start("b", 20, ("a", "A")), end("b", 22, "B")]
JOURNAL = [Line(0, 0, Started(1, ())), done(1, "a", 13, "A"), done(2, "b", 23, "B")]


def told(effects: list[Effect], journal: list[Line]) -> str:
    return "\n".join(violations(effects, journal))


def test_what_is_in_order_is_not_complained_of() -> None:
    assert told(EFFECTS, JOURNAL) == ""


def test_a_run_may_be_reopened_more_than_once() -> None:
    again = [Line(seq, seq, Reopened(seq, ())) for seq in (3, 4)]
    assert told(EFFECTS, [*JOURNAL, *again]) == ""


def test_an_attempt_that_was_lost_before_the_run_was_reopened_is_none_that_is_missing() -> None:
    lost = Line(1, 1, Retrying("c", Failure("flowrt.WorkerLost", ""), 2, 1, 2, 3, lost=True), voided=True)
    begun = [start("c", 30), start("c", 40, attempt=3)]
    assert told([*EFFECTS, *begun], [JOURNAL[0], lost, *JOURNAL[1:]]) == ""
    assert "c has attempts [1, 3]" in told([*EFFECTS, *begun], JOURNAL)


@pytest.mark.parametrize(
    ("effects", "journal", "said"),
    [
        (EFFECTS, [*JOURNAL, done(3, "b", 23, "B")], "b has 2 Succeeded records"),
        (EFFECTS, [*JOURNAL, Line(3, 1, Computed("b", NOTHING))], "b has 2 settling records"),
        (EFFECTS, [JOURNAL[0], done(1, "a", 13, "A", epoch=2), JOURNAL[2]], "epochs go back"),
        (EFFECTS[2:], JOURNAL, "a is recorded for attempt 1 of epoch 1, which never started"),
        ([*EFFECTS[:3]], JOURNAL, "b is recorded with another value than its attempt gave"),
        (EFFECTS, [JOURNAL[0], replace(JOURNAL[2], seq=1)], "result of a that is not recorded"),
        (
            [*EFFECTS[:2], start("b", 20, ("a", "other")), EFFECTS[3]],
            JOURNAL,
            "b was given another result of a",
        ),
        (EFFECTS, [JOURNAL[0], replace(JOURNAL[2], seq=1), replace(JOURNAL[1], seq=2)], "recorded before a"),
        ([*EFFECTS, start("a", 30, epoch=2)], JOURNAL, "a began again (attempt 1) after its record"),
        ([start("a", 9), *EFFECTS], JOURNAL, "a started 2 times as attempt 1 of epoch 1"),
        ([*EFFECTS, start("c", 30, attempt=2)], JOURNAL, "c has attempts [2]"),
        ([*EFFECTS, start("c", 30, ("@go", "E"))], JOURNAL, "c was given an event that no record holds"),
    ],
)
def test_each_breach_is_named(effects: list[Effect], journal: list[Line], said: str) -> None:
    assert said in told(effects, journal)


def test_events_and_attempts_that_are_in_order() -> None:
    failure = Failure("ValueError", "no")
    effects = [*EFFECTS, start("c", 30, ("@go", "E")), start("c", 40, ("@go", "E"), attempt=2)]
    journal = [
        *JOURNAL,
        Line(3, 1, Received("w", 7, NOTHING), "E"),
        Line(4, 1, Retrying("c", failure, 1, 30, 31, 35)),
        Line(5, 1, Failed("c", failure, 2, 40, 41)),
    ]
    assert told(effects, journal) == ""


def test_a_superseded_engine_may_start_what_another_one_has_recorded() -> None:
    effects = [start("a", 30), *(replace(e, epoch=2) for e in EFFECTS)]
    journal = [replace(line, epoch=2) if line.value else line for line in JOURNAL]
    assert "a began again" in told(effects, journal)
    assert list(violations(effects, journal, superseded=True)) == []


def test_an_attempt_that_was_lost_on_its_way_leaves_no_line() -> None:
    lost = Retrying("a", Failure("flowrt.WorkerLost", "gone"), 1, 5, 5, 9, lost=True)
    effects = [replace(effect, attempt=2) if effect.step == "a" else effect for effect in EFFECTS]
    journal = [JOURNAL[0], Line(1, 1, lost), done(2, "a", 13, "A", attempt=2), done(3, "b", 23, "B")]
    assert told(effects, journal) == ""


def test_makers_are_found_at_any_depth_and_taken_off() -> None:
    one = {"value": {"n": 1}, "by": "a", "nonce": "x"}
    two = {"value": [1, 2], "by": "b", "nonce": "y"}
    assert {maker for maker, _ in makers([1, {"k": (one, [two])}])} == {"a", "b"}
    assert plain({"k": (one, [two])}) == {"k": [{"n": 1}, [[1, 2]]]}


# A body that booked two things, failed, and took both back.
BOOKED = [
    done(1, "s.booked_a", 13, "A"),
    done(2, "s.booked_b", 23, "B"),
    Line(3, 1, Failed("s.c", Failure("ValueError", "no"), 1, 30, 31)),
    done(4, "s.booked_b.undo", 43, "Y"),
    done(5, "s.booked_a.undo", 53, "X"),
    Line(6, 1, Ended(60, "failed", None, None)),
]
SEEN = [
    effect
    for step, at, value in (
        ("booked_a", 10, "A"),
        ("booked_b", 20, "B"),
        ("booked_b.undo", 40, "Y"),
        ("booked_a.undo", 50, "X"),
    )
    for effect in (start(f"s.{step}", at), end(f"s.{step}", at + 2, value))
]


def test_what_was_taken_back_in_order_is_not_complained_of() -> None:
    assert told(SEEN, BOOKED) == ""
    assert told(SEEN[:4], BOOKED[:2]) == "", "it has not ended: undos may be to come"


@pytest.mark.parametrize(
    ("effects", "journal", "said"),
    [
        (SEEN, [*BOOKED[:4], BOOKED[5]], "undid ['s.booked_b.undo']"),
        (SEEN, [*BOOKED[:2], *BOOKED[3:]], "if it failed (False), and undid"),
        (
            SEEN,
            [*BOOKED[:3], replace(BOOKED[4], seq=4), replace(BOOKED[3], seq=5), BOOKED[5]],
            "undid ['s.booked_a.undo', 's.booked_b.undo']",
        ),
        (SEEN, BOOKED[1:], "s.booked_a.undo undoes what is not recorded as done"),
        ([*SEEN, start("s.booked_b.undo", 21)], BOOKED, "began before what it undoes was done"),
        (
            [start("once", 5, epoch=1), start("once", 7, epoch=2)],
            [Line(1, 1, Begun("once", 4))],
            "once may be made once, and started 2 times",
        ),
    ],
)
def test_what_was_taken_back_wrongly_or_made_twice_is_named(
    effects: list[Effect], journal: list[Line], said: str
) -> None:
    assert said in told(effects, journal)
