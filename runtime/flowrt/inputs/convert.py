"""JSON-shaped values to values of Python types. In: a value and a type hint. Out: a value of that type.

The hints are the ones that classes of users are annotated with, so that dataclasses, typed dicts, named
tuples, attrs classes and enums are taken apart field by field; a pydantic model validates itself. The
rules are those of JSON Schema: `1` is a number and an integer, `1.0` is an integer, `true` is neither
and no text is either. Dates, datetimes and durations come as text, bytes as base64.

A value that is of the type already is handed on. Problems are collected, not raised, so that one look
tells all; the recursion is bounded by `DEPTH_LIMIT`, whatever the value's own depth.
"""

import json
import types
import typing
from collections import abc
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal, Protocol, TypedDict, Union, cast, get_args, get_origin

from flowrt.inputs.class_fields import declared_fields, is_record
from flowrt.inputs.convert_scalars import SCALARS, convert_scalar

DEPTH_LIMIT = 100
SHOWN_LIMIT = 60

Place: typing.TypeAlias = tuple[str, ...]
Hint: typing.TypeAlias = object


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not fit: where inside the value, what was expected, what came."""

    place: str
    expected: str
    got: str


Problems: typing.TypeAlias = list[Problem]
Reader: typing.TypeAlias = Callable[[object, Hint, Place, Problems], object]
ClassReader: typing.TypeAlias = Callable[[object, type, Place, Problems], object]


def convert(value: object, hint: Hint, place: Place, problems: Problems) -> object:
    """Convert `value` to `hint`; what does not fit is added to `problems` with its place."""
    if len(place) > DEPTH_LIMIT:
        problems.append(Problem("".join(place[:3]) + "…", f"at most {DEPTH_LIMIT} levels", "more"))
        return value
    hint = unwrapped(hint)
    kind = get_origin(hint) or hint
    reader = _READERS.get(kind)
    if reader is not None:
        return reader(value, hint, place, problems)
    if isinstance(kind, type):
        return _class(value, kind, place, problems)
    return value  # A hint that nobody can check, such as Callable: the callable will see.


def unwrapped(hint: Hint) -> Hint:
    """The hint inside `Annotated`, `NewType` and their like."""
    while True:
        if get_origin(hint) in _WRAPPERS:
            hint = get_args(hint)[0]
        elif isinstance(hint, typing.NewType):
            hint = hint.__supertype__
        else:
            return hint


def name_of(hint: Hint) -> str:
    """How messages call a type."""
    hint = unwrapped(hint)
    origin = get_origin(hint)
    if origin is Union or origin is types.UnionType:
        return " | ".join(name_of(arg) for arg in get_args(hint))
    if origin is Literal:
        return " | ".join(told(arg) for arg in get_args(hint))
    name = _NAMES.get(hint) or getattr(origin or hint, "__qualname__", str(hint))
    args = ", ".join(name_of(arg) for arg in get_args(hint))
    return f"{name}[{args}]" if args else str(name)


def told(value: object) -> str:
    """A value as messages show it: short, as JSON where that is possible."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = f"{type(value).__qualname__} {value!r}"
    return text if len(text) <= SHOWN_LIMIT else text[: SHOWN_LIMIT - 1] + "…"


def _wrong(value: object, expected: str, place: Place, problems: Problems) -> object:
    problems.append(Problem("".join(place), expected, told(value)))
    return value


def _any(value: object, _hint: Hint, _place: Place, _problems: Problems) -> object:
    return value


def _union(value: object, hint: Hint, place: Place, problems: Problems) -> object:
    """The first member that takes the value as it is, else the first that can convert it."""
    closest: Problems = []
    for member in sorted(get_args(hint), key=lambda one: not _is_exact(value, one)):
        found: Problems = []
        result = convert(value, member, place, found)
        if not found:
            return result
        if not closest and any(problem.place != "".join(place) for problem in found):
            closest = found  # The shape fits and something inside does not: that is what was meant.
    problems.extend(closest or [Problem("".join(place), name_of(hint), told(value))])
    return value


def _is_exact(value: object, member: Hint) -> bool:
    """Whether a value needs no conversion. Text may be meant for any type that is written as text."""
    return isinstance(member, type) and type(value) is member and not isinstance(value, str)


def _literal(value: object, hint: Hint, place: Place, problems: Problems) -> object:
    for choice in get_args(hint):
        if type(choice) is type(value) and choice == value:
            return value
    return _wrong(value, name_of(hint), place, problems)


def _sequence(value: object, hint: Hint, place: Place, problems: Problems) -> object:
    made = _MADE.get(get_origin(hint) or hint, list)
    if not isinstance(value, _LISTS):
        return _wrong(value, name_of(hint), place, problems)
    items = list(cast("Iterable[object]", value))
    args = get_args(hint)
    if args:
        items = [convert(item, args[0], (*place, f"[{at}]"), problems) for at, item in enumerate(items)]
    try:
        return made(items)
    except TypeError:  # An item of a set that has no hash.
        return _wrong(value, name_of(hint), place, problems)


def _tuple(value: object, hint: Hint, place: Place, problems: Problems) -> object:
    if not isinstance(value, _ORDERED):
        return _wrong(value, name_of(hint), place, problems)
    items = list(cast("Iterable[object]", value))
    args = get_args(hint)
    if not args:
        return tuple(items)
    if args[-1] is ...:
        args = (args[0],) * len(items)
    if len(args) != len(items):
        return _wrong(value, f"{name_of(hint)} ({len(args)} items)", place, problems)
    pairs = enumerate(zip(items, args, strict=True))
    return tuple(convert(item, arg, (*place, f"[{at}]"), problems) for at, (item, arg) in pairs)


def _dict(value: object, hint: Hint, place: Place, problems: Problems) -> object:
    if not isinstance(value, _MAPPING):
        return _wrong(value, name_of(hint), place, problems)
    entries = list(cast("Mapping[object, object]", value).items())
    args = get_args(hint)
    if not args:
        return dict(entries)
    return {
        _key(key, args[0], place, problems): convert(item, args[1], (*place, f"[{told(key)}]"), problems)
        for key, item in entries
    }


def _key(key: object, hint: Hint, place: Place, problems: Problems) -> object:
    """A key: JSON writes each as text, so that of a dict of ints is read as one."""
    if isinstance(key, str) and hint in _KEYS_IN_TEXT:
        try:
            key = json.loads(key)
        except ValueError:
            return _wrong(key, f"a key of type {name_of(hint)}", place, problems)
    return convert(key, hint, (*place, " (key)"), problems)


def _class(value: object, cls: type, place: Place, problems: Problems) -> object:
    if cls in SCALARS:
        fits, result = convert_scalar(value, cls)
        return result if fits else _wrong(value, SCALARS[cls].expected, place, problems)
    if not typing.is_typeddict(cls) and isinstance(value, cls):
        return value
    for is_such, reader in _CLASSES:
        if is_such(cls):
            return reader(value, cls, place, problems)
    return _wrong(value, name_of(cls), place, problems)


def _enum(value: object, enum: type, place: Place, problems: Problems) -> object:
    """A member by its value, else by its name."""
    cls = cast("type[Enum]", enum)
    for member in cls:
        if type(member.value) is type(value) and member.value == value:
            return member
    if isinstance(value, str) and value in cls.__members__:
        return cls[value]
    choices = ", ".join(told(member.value) for member in cls)
    return _wrong(value, f"{cls.__qualname__} (one of {choices})", place, problems)


class PydanticModel(Protocol):
    """What is used of a pydantic model's class; pydantic itself is not imported."""

    def model_validate(self, value: object) -> object:
        """The model made of a value, or pydantic's ValidationError."""
        ...


class PydanticProblem(TypedDict):
    """What is used of an item of `ValidationError.errors()`."""

    loc: tuple[int | str, ...]
    msg: str
    input: object


def _pydantic(value: object, cls: type, place: Place, problems: Problems) -> object:
    try:
        return cast("PydanticModel", cls).model_validate(value)
    except Exception as error:  # noqa: BLE001 - pydantic is not imported, so its class is unknown
        details: Callable[[], list[PydanticProblem]] | None = getattr(error, "errors", None)
        if details is None:
            return _wrong(value, f"{cls.__qualname__} ({error})", place, problems)
        for one in details():
            inside = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in one["loc"])
            expected = f"{cls.__qualname__} ({one['msg']})"
            problems.append(Problem("".join(place) + inside, expected, told(one["input"])))
        return value


def _text_class(value: object, cls: type, place: Place, problems: Problems) -> object:
    """A class of the user's own that is a text."""
    return (
        _constructed(cls, value, place, problems)
        if isinstance(value, str)
        else _wrong(value, name_of(cls), place, problems)
    )


def _fields(value: object, cls: type, place: Place, problems: Problems) -> object:
    """An object of a class that has annotated fields, from a mapping."""
    if not isinstance(value, _MAPPING):
        return _wrong(value, f"{cls.__qualname__} (an object)", place, problems)
    given = cast("Mapping[object, object]", value)
    fields = declared_fields(cls)
    before = len(problems)
    for name in given:
        if name not in fields:
            known = ", ".join(fields) or "none"
            problems.append(
                Problem("".join((*place, f".{name}")), f"a field of {cls.__qualname__} ({known})", "another")
            )
    made: dict[str, object] = {}
    for name, field in fields.items():
        if name in given:
            made[name] = convert(given[name], field.hint, (*place, f".{name}"), problems)
        elif field.required:
            problems.append(Problem("".join((*place, f".{name}")), name_of(field.hint), "nothing"))
    return value if len(problems) > before else _constructed(cls, made, place, problems)


def _constructed(cls: type, given: object, place: Place, problems: Problems) -> object:
    """Call the class; what its own checks raise is a problem of the value."""
    make = cast("Callable[..., object]", cls)
    try:
        return make(**cast("dict[str, object]", given)) if isinstance(given, _MAPPING) else make(given)
    except Exception as error:  # noqa: BLE001 - a user's constructor may raise anything
        return _wrong(given, f"{cls.__qualname__} ({type(error).__name__}: {error})", place, problems)


_WRAPPERS: tuple[object, ...] = (
    typing.Annotated,
    typing.Final,
    typing.ClassVar,
    typing.Required,
    typing.NotRequired,
)
_LISTS: tuple[type, ...] = (list, tuple, set, frozenset)
_ORDERED: tuple[type, ...] = (list, tuple)
_MAPPING: type = abc.Mapping
_KEYS_IN_TEXT: tuple[object, ...] = (int, float, bool)
_NAMES: Mapping[object, str] = {
    object: "any",
    Any: "any",
    ...: "...",
    **{cls: scalar.name for cls, scalar in SCALARS.items()},
}
_MADE: Mapping[object, Callable[[list[object]], object]] = {
    set: set,
    abc.Set: set,
    abc.MutableSet: set,
    frozenset: frozenset,
}
_READERS: Mapping[object, Reader] = {
    object: _any,
    Any: _any,
    Union: _union,
    types.UnionType: _union,
    Literal: _literal,
    tuple: _tuple,
    **dict.fromkeys((list, set, frozenset, abc.Sequence, abc.MutableSequence, abc.Iterable), _sequence),
    **dict.fromkeys((abc.Collection, abc.Set, abc.MutableSet), _sequence),
    **dict.fromkeys((dict, abc.Mapping, abc.MutableMapping), _dict),
}
_CLASSES: Sequence[tuple[Callable[[type], bool], ClassReader]] = (
    (lambda cls: issubclass(cls, Enum), _enum),
    (lambda cls: hasattr(cls, "model_validate"), _pydantic),
    (is_record, _fields),
    (lambda cls: issubclass(cls, str), _text_class),
)
"""Kinds of classes, the first that fits; a typed dict is a record."""
