"""The slots of schedules: cron in zones whose clocks change or do not, lengths, and the way back."""

import random
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from flowrt.schedule import (
    BadSchedule,
    Cron,
    Every,
    Schedule,
    check_schedule,
    newest_slots,
    next_slot,
    read_schedule,
    schedule_json,
    slots,
)

YEAR_US = 366 * 24 * 3600 * 1_000_000


def us(text, tz="UTC"):
    """The instant of a text; one with an offset of its own means that."""
    at = datetime.fromisoformat(text)
    at = at if at.tzinfo else at.replace(tzinfo=ZoneInfo(tz))
    return round(at.timestamp()) * 1_000_000


def utc(instant):
    return datetime.fromtimestamp(instant / 1e6, UTC).strftime("%m-%d %H:%M")


def shown(expr, tz, after, until, limit=100):
    found = slots(Schedule(Cron(expr, tz)), us(after, tz), us(until, tz), limit)
    return [utc(slot) for slot in found]


@pytest.mark.parametrize(
    ("expr", "tz", "after", "until", "expected"),
    [
        # No clock is changed.
        ("0 9 * * *", "UTC", "2026-01-01T09:00", "2026-01-03T09:00", ["01-02 09:00", "01-03 09:00"]),
        ("30 9 * * MON", "Asia/Kolkata", "2026-03-01", "2026-03-10", ["03-02 04:00", "03-09 04:00"]),
        ("0 0 29 2 *", "UTC", "2026-01-01", "2033-01-01", ["02-29 00:00", "02-29 00:00"]),
        ("0 0 31 * *", "UTC", "2026-01-01", "2026-06-01", ["01-31 00:00", "03-31 00:00", "05-31 00:00"]),
        # Either the 1st or a Monday; with a star both.
        ("0 0 1 * MON", "UTC", "2026-02-28", "2026-03-03", ["03-01 00:00", "03-02 00:00"]),
        # Spring: 02:00 to 03:00 is left out in Berlin on 29 March 2026, in New York on 8 March.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28", "2026-03-30T12:00",
         ["03-28 01:30", "03-29 01:00", "03-30 00:30"]),
        ("30 2 * * *", "America/New_York", "2026-03-07", "2026-03-09T12:00",
         ["03-07 07:30", "03-08 07:00", "03-09 06:30"]),
        ("*/20 2 * * *", "Europe/Berlin", "2026-03-29", "2026-03-29T12:00", ["03-29 01:00"]),
        ("0,30 2,3 * * *", "Europe/Berlin", "2026-03-29", "2026-03-29T12:00", ["03-29 01:00", "03-29 01:30"]),
        # Autumn: 02:00 to 03:00 comes twice in Berlin on 25 October, 01:00 to 02:00 in New York on 1 Nov.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24", "2026-10-26T12:00",
         ["10-24 00:30", "10-25 00:30", "10-26 01:30"]),
        ("30 1 * * *", "America/New_York", "2026-10-31", "2026-11-02T12:00",
         ["10-31 05:30", "11-01 05:30", "11-02 06:30"]),
        ("*/30 2 * * *", "Europe/Berlin", "2026-10-25", "2026-10-25T12:00", ["10-25 00:00", "10-25 00:30"]),
        # Every hour: by real time, in both directions.
        ("*/30 * * * *", "Europe/Berlin", "2026-03-29T01:20", "2026-03-29T03:40",
         ["03-29 00:30", "03-29 01:00", "03-29 01:30"]),
        ("*/30 * * * *", "Europe/Berlin", "2026-10-25T01:50", "2026-10-25T03:00",
         ["10-25 00:00", "10-25 00:30", "10-25 01:00", "10-25 01:30", "10-25 02:00"]),
        ("0 0-23 * * *", "America/New_York", "2026-11-01T00:30", "2026-11-01T02:00",
         ["11-01 05:00", "11-01 06:00", "11-01 07:00"]),
        # Midnight is left out in Beirut on 29 March 2026.
        ("0 0 * * *", "Asia/Beirut", "2026-03-28T12:00", "2026-03-29T12:00", ["03-28 22:00"]),
        ("0 * * * *", "Asia/Beirut", "2026-03-28T22:30", "2026-03-29T02:00",
         ["03-28 21:00", "03-28 22:00", "03-28 23:00"]),
        # A whole day is left out in Samoa: 30 December 2011.
        ("0 9 * * *", "Pacific/Apia", "2011-12-29", "2011-12-31T12:00",
         ["12-29 19:00", "12-30 10:00", "12-30 19:00"]),
    ],
)  # fmt: skip
def test_slots_of_cron(expr, tz, after, until, expected):
    assert shown(expr, tz, after, until) == expected


def test_a_time_that_comes_twice_is_not_run_again_when_asked_in_between():
    schedule = Schedule(Cron("30 2 * * *", "Europe/Berlin"))
    second_pass = us("2026-10-25T02:10:00+01:00")
    assert utc(next_slot(schedule, second_pass)) == "10-26 01:30"


def test_every_five_minutes_has_no_hole_in_a_year_of_any_zone():
    for tz in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut"):
        start = us("2026-01-01")
        found = slots(Schedule(Cron("*/5 * * * *", tz)), start, start + YEAR_US // 4, 1 << 20)
        steps = {b - a for a, b in pairwise(found)}
        assert steps == {300_000_000}, tz


def test_the_newest_slots_are_those_that_a_walk_finds():
    draw = random.Random(20261122)
    zones = [
        "Europe/Berlin",
        "America/New_York",
        "UTC",
        "Asia/Beirut",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
    ]
    exprs = [
        "*/5 * * * *",
        "30 2 * * *",
        "0,30 1-3 * * *",
        "0 0 * * *",
        "15 */2 * * *",
        "0 12 1 * MON",
        "7 * 28-31 * *",
    ]
    for _ in range(150):
        schedule = Schedule(Cron(draw.choice(exprs), draw.choice(zones)))
        day = draw.choice(
            [us("2026-03-28"), us("2026-10-24"), us("2026-03-07"), us("2026-10-31"), us("2026-04-04")]
        )
        after = day + draw.randrange(48 * 3600) * 1_000_000 + draw.choice([0, 0, 1, 999_999])
        until = after + draw.randrange(72 * 3600) * 1_000_000
        walked = slots(schedule, after, until, 1 << 20)
        assert newest_slots(schedule, after, until, 7) == walked[-7:], (schedule, after, until)
        assert walked == sorted(set(walked))
        assert next_slot(schedule, after) == (walked or [next_slot(schedule, until)])[0]


def test_every_counts_from_where_it_stands_and_does_not_drift():
    schedule = Schedule(Every(90))
    start = us("2026-01-01T00:00:07")
    assert slots(schedule, start, start + 300_000_000, 9) == [start + n * 90_000_000 for n in (1, 2, 3)]
    assert newest_slots(schedule, start, start + 10 * YEAR_US, 2)[-1] > start + 10 * YEAR_US - 90_000_000
    assert newest_slots(schedule, start, start + 89_999_999, 2) == []
    assert newest_slots(schedule, start, start - 1, 2) == []


def test_ten_years_of_slots_are_not_walked():
    began = datetime.now(UTC)
    schedule = Schedule(Cron("* * * * *", "Europe/Berlin"))
    start = us("2026-01-01")
    assert len(newest_slots(schedule, start, start + 10 * YEAR_US, 1000)) == 1000
    assert (datetime.now(UTC) - began).total_seconds() < 1


@pytest.mark.parametrize(
    ("schedule", "part", "field", "said"),
    [
        (Schedule(Cron("0 25 * * *")), "cron", "hour", "bad hour"),
        (Schedule(Cron("61 * * * *")), "cron", "minute", "bad minute"),
        (Schedule(Cron("0 0 32 * *")), "cron", "day-of-month", "bad day-of-month"),
        (Schedule(Cron("0 0 * 13 *")), "cron", "month", "bad month"),
        (Schedule(Cron("0 0 * * FOO")), "cron", "day-of-week", "bad day-of-week"),
        (Schedule(Cron("0 0 30 2 *")), "cron", "day-of-month", "bad day-of-month"),
        (Schedule(Cron("0 0 * *")), "cron", "", "4 fields"),
        (Schedule(Cron("0 0 0 * * *")), "cron", "", "6 fields"),
        (Schedule(Cron("@daily")), "cron", "", "1 field, not five"),
        (Schedule(Cron("0 0 * * *", "Europe/Berln")), "tz", "Europe/Berlin", "time zone"),
        (Schedule(Cron("0 0 * * *", "berlin")), "tz", "Europe/Berlin", "time zone"),
        (Schedule(Cron("0 0 * * *", "Europe")), "tz", "", "time zone"),
        (Schedule(Cron("0 0 * * *", "../../etc/passwd")), "tz", "", "time zone"),
        (Schedule(Cron("0 0 * * *", "")), "tz", "", "time zone"),
        (Schedule(Every(0)), "every", "", "less than a second"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(schedule, part, field, said):
    with pytest.raises(BadSchedule, match=said) as caught:
        check_schedule(schedule)
    assert (caught.value.part, caught.value.field) == (part, field)


@pytest.mark.parametrize(
    "schedule",
    [Schedule(Cron("0 9 * * *", "Europe/Berlin"), "all"), Schedule(Every(3600)), Schedule(Every(1), "one")],
)
def test_a_schedule_survives_as_text(schedule):
    check_schedule(schedule)
    assert read_schedule(schedule_json(schedule)) == schedule


@pytest.mark.parametrize(
    "text", ["{}", '{"every_s": 0, "catchup": "none"}', '{"every_s": 5, "catchup": "no"}']
)
def test_other_texts_are_no_schedule(text):
    with pytest.raises(ValueError, match="no schedule"):
        read_schedule(text)
