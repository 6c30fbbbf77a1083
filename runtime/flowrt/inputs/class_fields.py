"""The fields of a user's class. In: a class. Out: what its constructor takes by name, with type hints.

Four kinds of classes are known, none of which need be imported here: dataclasses, typed dicts, named
tuples, and attrs classes, which are told by the attribute that attrs gives them.
"""

import dataclasses
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast


@dataclass(frozen=True, slots=True)
class ClassField:
    """A field: its type hint (`object` when there is none to be had), and whether it must be given."""

    hint: object
    required: bool


class _TypedDict(Protocol):
    __required_keys__: frozenset[str]


class _AttrsField(Protocol):
    name: str
    alias: str
    init: bool
    default: object


def is_record(cls: type) -> bool:
    """Whether `declared_fields` knows the class."""
    marks = ("__dataclass_fields__", "__attrs_attrs__", "_field_defaults")
    return typing.is_typeddict(cls) or any(hasattr(cls, mark) for mark in marks)


def declared_fields(cls: type) -> dict[str, ClassField]:
    """The fields of a class that `is_record`, by the names that its constructor takes."""
    hints = _hints(cls)
    if typing.is_typeddict(cls):
        required = cast("_TypedDict", cls).__required_keys__
        return {name: ClassField(hint, name in required) for name, hint in hints.items()}
    attributes: Sequence[_AttrsField] | None = getattr(cls, "__attrs_attrs__", None)
    if attributes is not None:
        return _of_attrs(attributes, hints)
    defaults: Mapping[str, object] | None = getattr(cls, "_field_defaults", None)
    if defaults is not None:
        names: tuple[str, ...] = getattr(cls, "_fields", ())
        return {name: ClassField(hints.get(name, object), name not in defaults) for name in names}
    assert dataclasses.is_dataclass(cls), "a record is one of four kinds"
    return _of_dataclass(dataclasses.fields(cls), hints)


def _of_dataclass(
    fields: "Iterable[dataclasses.Field[object]]", hints: Mapping[str, object]
) -> dict[str, ClassField]:
    absent = dataclasses.MISSING
    return {
        one.name: ClassField(
            hints.get(one.name, object), one.default is absent and one.default_factory is absent
        )
        for one in fields
        if one.init
    }


def _of_attrs(fields: Iterable[_AttrsField], hints: Mapping[str, object]) -> dict[str, ClassField]:
    return {
        one.alias: ClassField(hints.get(one.name, object), repr(one.default) == "NOTHING")
        for one in fields
        if one.init
    }


def _hints(cls: type) -> dict[str, object]:
    try:
        return typing.get_type_hints(cls)
    except Exception:  # noqa: BLE001 - an annotation may name what only a type checker imports
        return {}
