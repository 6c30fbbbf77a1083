"""Did you mean: which word is near enough, and which is not."""

import time

import pytest

from flowc.suggest import closest

NAMES = [
    "total",
    "orders",
    "order",
    "part",
    "parts",
    "retry",
    "timeout",
    "collect",
    "max_retries",
    "id",
    "if",
]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("totl", "total"),  # one lost
        ("totaal", "total"),  # one added
        ("totel", "total"),  # one changed
        ("toatl", "total"),  # two swapped
        ("ordrs", "orders"),
        ("Total", "total"),
        ("maxRetries", "max_retries"),
        ("max-retries", "max_retries"),
        ("timeuot", "timeout"),
        ("tmeout", "timeout"),
        ("colect", "collect"),
        ("di", "id"),
        ("ID", "id"),
        ("xy", None),
        ("x", None),
        ("", None),
        ("___", None),
        ("banana", None),
        ("totals_of_all", None),
        ("a" * 100_000, None),
    ],
)
def test_nearest(word, expected):
    assert closest(word, NAMES) == expected


def test_the_word_itself_is_no_suggestion():
    assert closest("total", ["total"]) is None
    assert closest("total", ["total", "totals"]) == "totals"


def test_every_single_edit_of_a_word_is_found():
    word = "reserve"
    typos = {word[:i] + word[i + 1 :] for i in range(len(word))}
    typos |= {word[:i] + "q" + word[i:] for i in range(len(word) + 1)}
    typos |= {word[:i] + "q" + word[i + 1 :] for i in range(len(word))}
    typos |= {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    assert {typo: closest(typo, ["release", word, "refund"]) for typo in typos} == dict.fromkeys(typos, word)


def test_the_order_of_the_candidates_does_not_matter():
    assert closest("part_c", ["part_b", "part_a"]) == closest("part_c", ["part_a", "part_b"]) == "part_a"


def test_many_candidates_are_no_wait():
    names = [f"step_number_{i}" for i in range(2_000)]
    started = time.process_time()
    assert closest("stepp_number_1999", names) == "step_number_1999"
    assert time.process_time() - started < 1
