"""Scalars out of JSON. In: a value and one of the types below. Out: whether it fits, and the value.

Both `flowc run -i` and `--inputs` end here, so text is never taken for a number: that would make the
meaning of `"1"` depend on the declared type.
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePath
from types import NoneType
from uuid import UUID

from flowrt.expr.durations import parse_duration


@dataclass(frozen=True, slots=True)
class Scalar:
    """How a type is called, what messages expect for it, and how a value of JSON becomes one.

    `read` returns None, or raises ValueError or TypeError, for what does not fit.
    """

    name: str
    expected: str
    read: Callable[[object], object]


def convert_scalar(value: object, cls: type) -> tuple[bool, object]:
    """Whether the value fits the class, and the converted value."""
    if type(value) is cls or (isinstance(value, cls) and not isinstance(value, _OTHER.get(cls, ()))):
        return True, value
    try:
        result = SCALARS[cls].read(value)
    except (ValueError, TypeError, OverflowError, InvalidOperation):
        return False, None
    return result is not None, result


_OTHER: Mapping[type, type] = {int: bool, date: datetime}
"""Subclasses whose values are no values of their class here."""


def _no(_value: object) -> object:
    return None


def _int(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else None


def _float(value: object) -> object:
    return float(value) if type(value) is int else None


def _bytes(value: object) -> object:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except binascii.Error:
        return None


def _date(value: object) -> object:
    return date.fromisoformat(value) if isinstance(value, str) else None


def _datetime(value: object) -> object:
    # A date alone would be read as its midnight, which nobody said.
    return datetime.fromisoformat(value) if isinstance(value, str) and ":" in value else None


def _time(value: object) -> object:
    return time.fromisoformat(value) if isinstance(value, str) else None


def _duration(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else None


def _decimal(value: object) -> object:
    return Decimal(str(value)) if isinstance(value, (str, int, float)) and type(value) is not bool else None


def _path(value: object) -> object:
    return Path(value) if isinstance(value, (str, PurePath)) else None


def _uuid(value: object) -> object:
    return UUID(value) if isinstance(value, str) else None


SCALARS: Mapping[type, Scalar] = {
    NoneType: Scalar("None", "null", _no),
    bool: Scalar("bool", "bool (true or false)", _no),
    int: Scalar("int", "int", _int),
    float: Scalar("float", "float", _float),
    str: Scalar("str", "str", _no),
    bytes: Scalar("bytes", "bytes (base64 text)", _bytes),
    date: Scalar("date", "date (such as 2026-01-31)", _date),
    datetime: Scalar("datetime", "datetime (such as 2026-01-31T09:30:00Z)", _datetime),
    time: Scalar("time", "time (such as 09:30)", _time),
    timedelta: Scalar("duration", "duration (such as 30s, 5m or 1h30m)", _duration),
    Decimal: Scalar("Decimal", "Decimal (a number or text)", _decimal),
    Path: Scalar("Path", "Path (text)", _path),
    UUID: Scalar("UUID", "UUID (text)", _uuid),
}
