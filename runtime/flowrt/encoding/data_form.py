"""Data to and from bytes without pickle. In: an object that `data_shape` finds to be data; out: bytes.

The bytes are msgpack; what JSON does not have is an extension whose content is msgpack again:

     1 tuple     [part, …]            8 timedelta  microseconds
     2 set       [part, …] sorted     9 Decimal    text
     3 frozenset [part, …] sorted    10 UUID       16 bytes, raw
     4 big int   two's complement    11 range      [start, stop, step]
     5 date      ordinal             12 ForError   [index, item, type, message]
     6 datetime  [µs, zone, fold]    13 Collected  [values, errors]
     7 time      [µs, zone, fold]

Times are clock times with their zone beside them: nothing, an offset in µs, [offset, name], or the key of
a zoneinfo zone; a zone or fold that says nothing is left out at the end. Equal data give equal bytes in
every process: dicts keep their order, which is part of them, and sets are sorted by their parts' bytes.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, cast
from uuid import UUID, SafeUUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flowrt.collected import Collected, ForError
from flowrt.encoding.data_shape import unfit
from flowrt.encoding.wire import UNPACK_ERRORS, Ext, pack, pack_list, unpack
from flowrt.errors import CodecError, StoreCorrupt

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (clock times are counted from here, their zone goes beside)
_MICROSECOND = timedelta(microseconds=1)

_DAMAGE: tuple[type[Exception], ...] = (*UNPACK_ERRORS, InvalidOperation, KeyError)


class NotData(Exception):
    """The value is no data; the text is a clause that says why."""


def to_bytes(value: object) -> bytes:
    """The bytes of a value. Raises NotData."""
    reason = unfit(value)
    if reason is not None:
        raise NotData(reason)
    try:
        return _pack(value)
    except RecursionError as error:
        raise NotData("it is nested too deeply") from error
    except UnicodeEncodeError as error:
        raise NotData("it holds a text with lone surrogates") from error
    except (ValueError, OverflowError) as error:
        raise NotData("it holds a part that is larger than 4 GiB") from error


def from_bytes(data: bytes | memoryview) -> object:
    """The value of bytes that `to_bytes` wrote.

    Raises:
        StoreCorrupt: The bytes are others.
        CodecError: They name a time zone that this machine does not know, or the stack is almost used up.
    """
    try:
        return _unpack(data)
    except ZoneInfoNotFoundError as error:
        raise CodecError(
            f"A stored value names the time zone {error.args[0]}, which this machine does not know. "
            "Install the package tzdata here."
        ) from error
    except RecursionError as error:
        raise CodecError("A stored value is nested too deeply to be read from here.") from error
    except _DAMAGE as error:
        raise StoreCorrupt(f"The bytes of a stored value are damaged: {type(error).__name__}.") from error


def _pack(value: object) -> bytes:
    return pack(value, _extension)


def _unpack(data: bytes | memoryview) -> object:
    return unpack(data, _content)


def _extension(value: object) -> object:
    """The extension of a value that msgpack itself has no form for."""
    code, write = _WRITERS[type(value)]
    return Ext(code, write(value))


def _sorted_parts(value: Iterable[object]) -> bytes:
    return pack_list(sorted(_pack(part) for part in value))


def _zone(zone: tzinfo | None) -> object:
    if zone is None:
        return None
    if type(zone) is timezone:
        offset, name = zone.utcoffset(None), zone.tzname(None)
        microseconds = offset // _MICROSECOND
        return microseconds if name == timezone(offset).tzname(None) else [microseconds, name]
    if type(zone) is ZoneInfo and zone.key:
        return zone.key
    raise NotData(f"it holds a time whose zone is a {type(zone).__module__}.{type(zone).__qualname__}")


def _clock(microseconds: int, value: datetime | time) -> bytes:
    if value.fold:
        return pack([microseconds, _zone(value.tzinfo), value.fold])
    return pack([microseconds] if value.tzinfo is None else [microseconds, _zone(value.tzinfo)])


def _datetime(value: datetime) -> bytes:
    return _clock((value.replace(tzinfo=None, fold=0) - _EPOCH) // _MICROSECOND, value)


def _time(value: time) -> bytes:
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return _clock(seconds * 1_000_000 + value.microsecond, value)


def _uuid(value: UUID) -> bytes:
    if value.is_safe is not SafeUUID.unknown:
        raise NotData("it holds a UUID that knows whether it was made safely")
    return value.bytes


def _int(value: int) -> bytes:
    return value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


_WRITERS: Mapping[type, tuple[int, Callable[[Any], bytes]]] = {
    tuple: (1, lambda v: _pack(list(v))),
    set: (2, _sorted_parts),
    frozenset: (3, _sorted_parts),
    int: (4, _int),
    date: (5, lambda v: pack(v.toordinal())),
    datetime: (6, _datetime),
    time: (7, _time),
    timedelta: (8, lambda v: _pack(v // _MICROSECOND)),
    Decimal: (9, lambda v: str(v).encode()),
    UUID: (10, _uuid),
    range: (11, lambda v: _pack([v.start, v.stop, v.step])),
    ForError: (12, lambda v: _pack([v.index, v.item, v.type, v.message])),
    Collected: (13, lambda v: _pack([v.values, v.errors])),
}


def _list(data: bytes) -> list[object]:
    parts = _unpack(data)
    if not isinstance(parts, list):
        raise TypeError("not a list of parts")
    return cast("list[object]", parts)


def _whole(part: object) -> int:
    if not isinstance(part, int):
        raise TypeError("not a whole number")
    return part


def _read_zone(part: object) -> tzinfo | None:
    match part:
        case None:
            return None
        case int():
            return timezone(timedelta(microseconds=part))
        case str():
            return ZoneInfo(part)
        case [int() as offset, str() as name]:
            return timezone(timedelta(microseconds=offset), name)
        case _:
            raise TypeError("not a time zone")


def _read_clock(data: bytes) -> tuple[int, tzinfo | None, int]:
    match _list(data):
        case [int() as microseconds]:
            return microseconds, None, 0
        case [int() as microseconds, zone]:
            return microseconds, _read_zone(zone), 0
        case [int() as microseconds, zone, int() as fold]:
            return microseconds, _read_zone(zone), fold
        case _:
            raise TypeError("not a clock time")


def _read_datetime(data: bytes) -> datetime:
    microseconds, zone, fold = _read_clock(data)
    return (_EPOCH + microseconds * _MICROSECOND).replace(tzinfo=zone, fold=fold)


def _read_time(data: bytes) -> time:
    microseconds, zone, fold = _read_clock(data)
    return (_EPOCH + microseconds * _MICROSECOND).time().replace(tzinfo=zone, fold=fold)


def _read_range(data: bytes) -> range:
    start, stop, step = _list(data)
    return range(_whole(start), _whole(stop), _whole(step))


def _read_error(data: bytes) -> ForError:
    index, item, kind, message = _list(data)
    return ForError(_whole(index), item, str(kind), str(message))


def _read_collected(data: bytes) -> Collected:
    values, errors = _list(data)
    return Collected(cast("list[object]", values), cast("list[ForError]", errors))


_READERS: Mapping[int, Callable[[bytes], object]] = {
    1: lambda d: tuple(_list(d)),
    2: lambda d: set(_list(d)),
    3: lambda d: frozenset(_list(d)),
    4: lambda d: int.from_bytes(d, "big", signed=True),
    5: lambda d: date.fromordinal(_whole(unpack(d))),
    6: _read_datetime,
    7: _read_time,
    8: lambda d: timedelta(microseconds=_whole(_unpack(d))),
    9: lambda d: Decimal(d.decode()),
    10: lambda d: UUID(bytes=d),
    11: _read_range,
    12: _read_error,
    13: _read_collected,
}


def _content(code: int, data: bytes) -> object:
    """The value of an extension."""
    return _READERS[code](data)
