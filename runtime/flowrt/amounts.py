"""Amounts: what expressions must come to where a construct needs a length, an instant, a count or a key.

In: the value of an expression. Out: whole microseconds, numbers, texts; or an exception that names what
was expected and what came.
"""

import json
from datetime import UTC, date, datetime, timedelta

NAME_BYTES = 256
KEY_BYTES = 1024
DEDUPE_BYTES = 1024
"""How long names, keys and dedupe ids of events may be, and names and keys of locks: they stand in indexes,
where a database has no room for more. What it refused would be sent again and again, and nothing beside it
could be written."""

LENGTH_MAX = timedelta(days=3_652_059)
"""Longer than the calendar: an instant so far ahead has no date, and soon none of 64 bits."""


def event_name(name: str) -> str:
    """The name of an event. Raises ValueError for one that is too long."""
    return _short("name", name, NAME_BYTES)


def event_key(value: object) -> str:
    """The text of an event's key.

    Raises TypeError for what is no text, whole number or truth value, ValueError for one that is too long.
    """
    return _key("an event", value)


def lock_name(name: str) -> str:
    """The name of a lock. Raises ValueError for one that is too long."""
    return _short("name", name, NAME_BYTES, "a lock")


def keyed_lock_name(name: str, key: object) -> str:
    """The name under which a store knows the lock of a key: `account(7)`.

    A key is what it is for events, so `7` and `"7"` are one lock. Names have no brackets, so locks that
    differ in their names or keys differ in this. What is named by an import path is an actor: no name of a
    lock has a colon.

    Raises TypeError, ValueError as `event_key`.
    """
    whose = "an actor" if ":" in name else "a lock"
    return f"{_short('name', name, NAME_BYTES, whose)}({_key(whose, key)})"


def _key(whose: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return _short("key", str(value), KEY_BYTES, whose)
    message = f"The key of {whose} is a text or a whole number, not {type(value).__name__}."
    raise TypeError(message)


def event_dedupe(text: str) -> str:
    """What names an event for ever. Raises ValueError when it is too long."""
    return _short("dedupe id", text, DEDUPE_BYTES)


def _short(what: str, text: str, most: int, whose: str = "an event") -> str:
    size = _size(text)
    if size > most:
        message = f"The {what} of {whose} has at most {most} bytes, not {size}: {text[:40]!r}…"
        raise ValueError(message)
    return text


def _size(text: str) -> int:
    """How many bytes a store needs for a text: see `flowrt.store.texts`."""
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return len(json.dumps(text))
    return len(json.dumps(text)) if b"\0" in data or data.startswith(b"\x01") else len(data)


def duration_us(what: str, value: object) -> int:
    """A length in microseconds. Raises TypeError, ValueError."""
    if not isinstance(value, timedelta):
        message = (
            f"`{what}` is a duration such as 30s, or an expression that gives one: "
            f'duration("30s"), not {type(value).__name__}.'
        )
        raise TypeError(message)
    if value < timedelta(0):
        message = f"`{what}` is {value.total_seconds()} s: a duration is not negative."
        raise ValueError(message)
    if value > LENGTH_MAX:
        message = f"`{what}` is {value.days} days: a duration is at most {LENGTH_MAX.days} days."
        raise ValueError(message)
    return value // timedelta(microseconds=1)


def instant_us(value: object) -> int:
    """An instant in microseconds; one without a time zone is UTC. Raises TypeError."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    elif isinstance(value, date):
        aware = datetime(value.year, value.month, value.day, tzinfo=UTC)
    else:
        message = f"`until` is a datetime or a date, not {type(value).__name__}."
        raise TypeError(message)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def whole_number(what: str, value: object, least: int) -> int:
    """A whole number that is at least `least`. Raises TypeError, ValueError."""
    if isinstance(value, bool) or not isinstance(value, int):
        message = f"`{what}` is a whole number, not {type(value).__name__}."
        raise TypeError(message)
    if value < least:
        message = f"`{what}` is {value}: it is at least {least}."
        raise ValueError(message)
    return value


def number(what: str, value: object) -> float:
    """A number. Raises TypeError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        message = f"`{what}` is a number, not {type(value).__name__}."
        raise TypeError(message)
    return float(value)
