"""The checker of the campaigns: what is in order has no violation, and each breach is named."""

from dataclasses import replace

import pytest
from effects import Effect, Line, makers, plain, violations

from flowrt.record import Computed, Failed, Failure, Received, Retrying, Started, Succeeded
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
