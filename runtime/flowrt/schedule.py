"""Schedules: when a flow is to run by itself. In: a schedule and two instants; out: its slots in between.

A slot is an instant for which one run is made. Slots of `every` are counted from the one before, the
first from the deployment: they do not drift, however late a run is made.

Slots of `cron` are minutes of a local time, of which a change of the clocks leaves some out and gives
others twice. Two rules say what happens then:

    every hour    a schedule whose hours are all hours (`*/5 * * * *`) goes by real time: it is about a
                  rhythm, which does not stop for an hour in autumn
    else          each local time runs once: one that there is not, at the first moment that there is
                  (a slot that falls on it anyway is the same slot); one that there is twice, the first time

When both the day of the month and the day of the week are given, either will do, as in every cron; when
one of them begins with `*`, both must hold.

Instants are microseconds since 1970-01-01 UTC; slots are whole seconds.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from flowrt.noun import noun

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

Catchup = Literal["none", "one", "all"]
CATCHUPS: tuple[Catchup, ...] = get_args(Catchup)

SECOND_US = 1_000_000
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive times are times on the wall here
_FIELDS = 5
_HOURS = 24
_LONGEST_GAP = timedelta(hours=26)
"""No change of a clock has left out or repeated more than a day."""
_LAST_YEAR = 9_900
"""Beyond it `datetime` ends, and nothing is due."""


class BadSchedule(ValueError):
    """A part of a schedule cannot be understood; the message is a clause, `part` its key."""

    def __init__(self, part: Literal["cron", "tz", "every"], message: str, field: str = "") -> None:
        """Keep which part, and which field of a cron expression."""
        super().__init__(message)
        self.part = part
        self.field = field


@noun
class Cron:
    """A cron expression of five fields, and the zone in whose local time it is meant."""

    expr: str
    tz: str = "UTC"


@noun
class Every:
    """A length in seconds."""

    seconds: int


@noun
class Schedule:
    """When a flow runs by itself, and what becomes of slots that nobody was there for.

    `catchup` is `none` (they are left out), `one` (the newest is made up for) or `all`.
    """

    when: Cron | Every
    catchup: Catchup = "none"


def schedule_json(schedule: Schedule) -> str:
    """The text of a schedule; equal schedules have equal texts."""
    match schedule.when:
        case Cron(expr, tz):
            when: dict[str, object] = {"cron": " ".join(expr.split()), "tz": tz}
        case Every(seconds):
            when = {"every_s": seconds}
    return json.dumps({**when, "catchup": schedule.catchup})


def read_schedule(text: str) -> Schedule:
    """The schedule of a text that `schedule_json` wrote. Raises ValueError."""
    read: dict[str, object] = json.loads(text)
    catchup: Catchup | None = next((known for known in CATCHUPS if known == read.get("catchup")), None)
    match [read.get(key) for key in ("cron", "tz", "every_s")]:
        case [str(expr), str(tz), None] if catchup:
            return Schedule(Cron(expr, tz), catchup)
        case [None, None, int(seconds)] if catchup and seconds > 0:
            return Schedule(Every(seconds), catchup)
        case _:
            raise ValueError(f"This is no schedule: {text[:200]}")


def check_schedule(schedule: Schedule) -> None:
    """Raise BadSchedule for what cannot be understood, or never comes.

    Raises ModuleNotFoundError when the package that reads cron expressions is not installed.
    """
    match schedule.when:
        case Cron(expr, tz):
            check_zone(tz)
            check_cron(expr)
        case Every(seconds):
            if seconds < 1:
                raise BadSchedule("every", "is less than a second")


def next_slot(schedule: Schedule, after: int) -> int | None:
    """The first slot behind an instant; None when there is none in the next fifty years."""
    return next(_slots(schedule, after), None)


def slot_after(expr: object, tz: object, after: int) -> int:
    """The first slot of a cron expression behind an instant. Raises TypeError, ValueError."""
    for what, value in (("cron", expr), ("tz", tz)):
        if not isinstance(value, str):
            raise TypeError(f"`{what}` of a sleep is a text, not {type(value).__name__}.")
    schedule = Schedule(Cron(str(expr), str(tz)))
    try:
        check_schedule(schedule)
    except BadSchedule as wrong:
        written = tz if wrong.part == "tz" else expr
        raise ValueError(f"`{wrong.part}` of a sleep, `{written}`, {wrong}.") from wrong
    found = next_slot(schedule, after)
    if found is None:
        raise ValueError(f"`cron` of a sleep, `{expr}`, does not come in the next fifty years.")
    return found


def slots(schedule: Schedule, after: int, until: int, limit: int) -> list[int]:
    """The first `limit` slots behind `after` and not behind `until`, in order."""
    found: list[int] = []
    for slot in islice(_slots(schedule, after), limit):
        if slot > until:
            break
        found.append(slot)
    return found


def newest_slots(schedule: Schedule, after: int, until: int, limit: int) -> list[int]:
    """The last `limit` slots behind `after` and not behind `until`, in order; the way there is not walked."""
    match schedule.when:
        case Every(seconds):
            step = seconds * SECOND_US
            count = max(0, until - after) // step
            return [after + n * step for n in range(max(0, count - limit) + 1, count + 1)]
        case Cron() as cron:
            return _newest_of_cron(cron, after, until, limit)


def _slots(schedule: Schedule, after: int) -> Iterator[int]:
    match schedule.when:
        case Every(seconds):
            return iter(range(after + seconds * SECOND_US, 1 << 62, seconds * SECOND_US))
        case Cron() as cron:
            return _slots_of_cron(cron, after)


# Cron


def check_zone(tz: str) -> None:
    """Raise BadSchedule when there is no such zone; the message names the one that may have been meant."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones  # noqa: PLC0415 - seldom needed

    try:
        ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        import difflib  # noqa: PLC0415 - only when something is wrong

        names = {name.lower(): name for name in available_timezones()}
        tails = {name.rpartition("/")[2]: full for name, full in sorted(names.items(), reverse=True)}
        written = tz.lower().replace(" ", "_")
        near = difflib.get_close_matches(written, [*names, *tails], n=1, cutoff=0.75)
        meant = next((table[near[0]] for table in (names, tails) if near and near[0] in table), None)
        raise BadSchedule("tz", "is not a time zone", meant or "") from error


def check_cron(expr: str) -> None:
    """Raise BadSchedule for what is no cron expression of five fields, or never comes.

    Raises ModuleNotFoundError when the package that reads them is not installed.
    """
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - only schedules need it

    fields = expr.split()
    if len(fields) != _FIELDS:
        raise BadSchedule("cron", f"has {len(fields)} field{'s'[: len(fields) != 1]}, not five")
    try:
        next(CronSim(expr, datetime(2000, 1, 1)))  # noqa: DTZ001 - any time will do
    except CronSimError as error:
        name = str(error).removeprefix("Bad ")
        raise BadSchedule("cron", f"has a bad {name}", name) from error
    except StopIteration as error:
        raise BadSchedule("cron", "never comes") from error


def _slots_of_cron(cron: Cron, after: int) -> Iterator[int]:
    """Slots behind `after`. Local times may be passed twice: what is not behind the last slot is none."""
    zone, hourly, walk = _walk(cron)
    start = _at(after, zone)
    last = after
    for local in walk(start if hourly else _wall(start), back=False):
        if local.year > _LAST_YEAR:
            return
        slot = _us(local) if hourly else _instant(local, zone)
        if slot > last:
            last = slot
            yield slot


def _newest_of_cron(cron: Cron, after: int, until: int, limit: int) -> list[int]:
    zone, hourly, walk = _walk(cron)
    end = _at(until, zone)
    found: list[int] = []
    for local in walk(end + timedelta(seconds=1) if hourly else _wall(end) + _LONGEST_GAP, back=True):
        slot = _us(local) if hourly else _instant(local, zone)
        if slot <= after or len(found) == limit:
            break
        if slot <= until and (not found or slot < found[-1]):
            found.append(slot)
    return found[::-1]


class _Walk(Protocol):
    def __call__(self, start: datetime, *, back: bool) -> Iterator[datetime]: ...


def _walk(cron: Cron) -> "tuple[ZoneInfo, bool, _Walk]":
    """The zone, whether the schedule goes by real time, and how to walk from a time: onwards or backwards."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only schedules need it

    from cronsim import CronSim  # noqa: PLC0415 - as above

    zone = ZoneInfo(cron.tz)
    hourly = len(CronSim(cron.expr, _EPOCH).hours) == _HOURS
    fields = cron.expr.split()
    expr = " ".join([fields[0], "*", *fields[2:]]) if hourly else cron.expr

    def walk(start: datetime, *, back: bool) -> Iterator[datetime]:
        return CronSim(expr, start, reverse=back)

    return zone, hourly, walk


def _at(instant: int, zone: "ZoneInfo") -> datetime:
    """The local time of an instant; to the second, upwards, so that no slot at it is missed."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=instant // SECOND_US)).astimezone(zone)


def _wall(local: datetime) -> datetime:
    return local.replace(tzinfo=None, fold=0)


def _us(local: datetime) -> int:
    return (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _instant(wall: datetime, zone: "ZoneInfo") -> int:
    """The first moment at which the clock of a zone shows a time, or has just left it out."""
    local = wall.replace(tzinfo=zone)
    while _wall(local.astimezone(UTC).astimezone(zone)) != wall:
        wall += timedelta(minutes=1)
        local = wall.replace(tzinfo=zone)
    return _us(local)
