"""Amounts: what expressions must come to where a construct needs a length, an instant, a count or a key.

In: the value of an expression. Out: whole microseconds, numbers, texts; or an exception that names what
was expected and what came.
"""

from datetime import UTC, date, datetime, timedelta


def event_key(value: object) -> str:
    """The text of an event's key. Raises TypeError for what is no text, whole number or truth value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        return str(value)
    message = f"The key of an event is a text or a whole number, not {type(value).__name__}."
    raise TypeError(message)


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
