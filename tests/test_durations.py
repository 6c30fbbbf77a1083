"""Durations and sizes: what is one, what is none, and that writing and reading are inverse."""

import random
from datetime import timedelta

import pytest

from flowrt.expr.durations import format_duration, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("30s", 30),
        ("5m", 300),
        ("1h30m", 5400),
        ("2d", 172_800),
        ("1w", 604_800),
        ("1.5h", 5400),
        ("0.1s", 0.1),
        ("1us", 0.000001),
        ("0s", 0),
        (" 5m ", 300),
        ("PT5M", 300),
        ("P1DT2H", 93_600),
        ("P1W", 604_800),
        ("PT0.5S", 0.5),
        ("1w2d3h4m5s6ms7us", 788_645.006007),
    ],
)
def test_durations(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        *("", "30", "5 m", "30m1h", "1h1h", "5mm", "5M", "-5m", "1e3s", "m", "P", "PT", "P1Y", "P1M", "PT5"),
        *("٣s", "five", "1h 30m", "99999999999d", "1" * 200 + "s", "PT1H30", "T5M", "5m\n6s"),
    ],
)
def test_texts_that_are_no_durations(text):
    assert parse_duration(text) is None


def test_a_written_duration_is_read_back():
    chance = random.Random(1)
    for _ in range(2000):
        duration = timedelta(microseconds=chance.randrange(10 ** chance.randrange(1, 18)))
        assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "0s"),
        (timedelta(hours=1, minutes=30), "1h30m"),
        (timedelta(days=2), "2d"),
        (timedelta(milliseconds=1500), "1s500ms"),
        (timedelta(minutes=-5), "-5m"),
    ],
)
def test_durations_are_written_as_people_do(duration, text):
    assert format_duration(duration) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512MiB", 512 * 2**20),
        ("4GiB", 2**32),
        ("1KB", 1000),
        ("1.5GB", 1_500_000_000),
        ("7B", 7),
        ("1 TiB", 2**40),
    ],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "5", "5G", "5gib", "GiB", "-1GiB", "1 GiB per node", "1" * 200 + "B"])
def test_texts_that_are_no_sizes(text):
    assert parse_size(text) is None
