"""A value and the name of an attribute in; the data of that name out. No code of a class runs.

What is data: the keys of a mapping; the fields of named tuples, dataclasses, attrs classes, pydantic models
and of any other object that keeps them in its `__dict__` or in slots; constants of a class; and a few
attributes of types written in C, in the table below. Properties, cached properties and methods are code.
The lookup follows Python's own order (slots before the instance's dict before the class) but reads the
dicts of the classes itself, so that neither `__getattr__` nor `__getattribute__` is asked.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from enum import Enum
from types import GetSetDescriptorType, MappingProxyType, MemberDescriptorType
from typing import cast

from flowrt.expr.kinds import a_kind, is_mapping, library_of

_MISSING = object()
_DATE = ("year", "month", "day")
_TIME = ("hour", "minute", "second", "microsecond", "tzinfo", "fold")
_ATTRIBUTES: tuple[tuple[type, tuple[str, ...]], ...] = (
    (datetime, (*_DATE, *_TIME)),
    (date, _DATE),
    (time, _TIME),
    (timedelta, ("days", "seconds", "microseconds")),
    (range, ("start", "stop", "step")),
    (complex, ("real", "imag")),
    (BaseException, ("args",)),
)
_ARRAY_ATTRIBUTES = ("shape", "ndim", "size", "nbytes")


def read_attribute(value: object, name: str) -> object:
    """The data of that name.

    Raises:
        AttributeError: There is none; the message names what is near.
    """
    found = _read(value, name)
    if found is _MISSING:
        raise AttributeError(_missing(value, name))
    return found


def field_names(value: object) -> list[str]:
    """The names of the data of a value, as far as it is kept by name."""
    if is_mapping(value):
        return [key for key in value if isinstance(key, str)]
    if isinstance(value, tuple):
        return list(record_fields(cast("tuple[object, ...]", value)))
    names = [name for cls, table in _ATTRIBUTES if isinstance(value, cls) for name in table]
    names += [name for name in (_own_dict(value) or ()) if not name.startswith("_")]
    names += _extra_fields(value)
    for cls in type(value).__mro__:
        members = cls.__dict__.items()
        names += [
            name
            for name, kind in members
            if isinstance(kind, MemberDescriptorType) and not name.startswith("_")
        ]
    return list(dict.fromkeys(names))


def _read(value: object, name: str) -> object:  # noqa: PLR0911 - a kind of value each
    if name.startswith("__"):
        return _MISSING
    if is_mapping(value):
        return value.get(name, _MISSING) if isinstance(value, MappingProxyType) else _key(value, name)
    if isinstance(value, tuple):
        record = cast("tuple[object, ...]", value)
        fields = record_fields(record)
        return tuple[object, ...].__getitem__(record, fields.index(name)) if name in fields else _MISSING
    for cls, names in _ATTRIBUTES:
        if isinstance(value, cls) and name in names:
            return cast("object", getattr(value, name))
    if isinstance(value, Enum) and name in ("name", "value"):
        return cast("object", vars(value)[f"_{name}_"])
    if library_of(value) == "numpy" and name in _ARRAY_ATTRIBUTES:
        return getattr(value, name, _MISSING)
    return _field(value, name)


def _key(value: object, name: str) -> object:
    # `dict.get` of a subclass: no default of a `defaultdict` is made, no override is asked.
    return dict[object, object].get(cast("dict[object, object]", value), name, _MISSING)


def _field(value: object, name: str) -> object:
    declared = _declared(type(value), name)
    if isinstance(declared, MemberDescriptorType):
        return _slot(declared, value)
    if declared is not _MISSING and hasattr(type(declared), "__get__"):
        return _MISSING
    own = _own_dict(value)
    if own is not None and name in own:
        return own[name]
    return _extra_fields(value).get(name, declared)


def _extra_fields(value: object) -> Mapping[str, object]:
    """The fields of a pydantic model that it was given beyond those it declares."""
    extra = _declared(type(value), "__pydantic_extra__")
    fields = _slot(extra, value) if isinstance(extra, MemberDescriptorType) else None
    return cast("Mapping[str, object]", fields) if isinstance(fields, dict) else {}


def _declared(cls: type, name: str) -> object:
    """What the class or one of its bases says of a name, without asking any descriptor."""
    for base in cls.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return _MISSING


def _slot(slot: MemberDescriptorType, value: object) -> object:
    try:
        return cast("object", slot.__get__(value))
    except AttributeError:
        return _MISSING  # The slot is empty.


def _own_dict(value: object) -> Mapping[str, object] | None:
    descriptor = _declared(type(value), "__dict__")
    if isinstance(descriptor, GetSetDescriptorType):
        return cast("Mapping[str, object]", descriptor.__get__(value))
    return None


def record_fields(value: tuple[object, ...]) -> tuple[str, ...]:
    """The names of the parts of a named tuple; of any other tuple nothing."""
    fields = _declared(type(value), "_fields")
    return cast("tuple[str, ...]", fields) if isinstance(fields, tuple) else ()


def _missing(value: object, name: str) -> str:
    if value is None:
        return f"None has no `{name}`; test with `is not None` before reading it"
    declared = _declared(type(value), name)
    if isinstance(declared, property) or type(declared).__name__ == "cached_property":
        return f"`{name}` of {a_kind(value)} is computed by code of its class; have a task read it"
    if callable(declared) or isinstance(declared, (staticmethod, classmethod)):
        return f"`{name}` of {a_kind(value)} is a method, not data; a method is called: `{name}(…)`"
    what = f"the {type(value).__name__} has no {'key' if is_mapping(value) else 'field'} `{name}`"
    near = nearest(name, field_names(value))
    return f"{what}; did you mean `{near}`?" if near else what


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for a message

    few = [name for name, _ in zip(names, range(1000), strict=False)]
    return next(iter(get_close_matches(word, few, n=1, cutoff=0.6)), None)
