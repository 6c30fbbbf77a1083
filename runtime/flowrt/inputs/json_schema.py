"""The JSON Schema of a type: a type hint, or the inputs of a flow, come in; a schema (2020-12) goes out.

It says of JSON values what `flowrt.inputs.convert` makes values of: what the schema refuses cannot be
converted. The reverse holds but for what a schema cannot say, or says differently everywhere: whether a text
is a date, what a class checks when an object of it is made. So a schema of a date says `format`, which is for
readers.

A class that holds itself is a definition that refers to itself; every class of the user's is a definition.
"""

import json
import types
from collections import abc
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypeAlias, Union, cast, get_args, get_origin
from uuid import UUID

from flowrt.expr.evaluate import evaluate
from flowrt.inputs.class_fields import declared_fields, is_record
from flowrt.inputs.convert import DEPTH_LIMIT, unwrapped
from flowrt.inputs.input_types import hint_of
from flowrt.program import Flow
from flowrt.type_ref import Input

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema: TypeAlias = dict[str, object]

_SCALARS: Mapping[object, Schema] = {
    object: {},
    Any: {},
    NoneType: {"type": "null"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
    time: {"type": "string", "format": "time"},
    timedelta: {"type": "string", "examples": ["30s", "1h30m", "PT5M"]},
    Decimal: {"type": ["string", "number"]},
    Path: {"type": "string"},
    UUID: {"type": "string", "format": "uuid"},
}
_UNIONS: tuple[object, ...] = (Union, types.UnionType)
_ARRAYS: tuple[object, ...] = (
    list,
    set,
    frozenset,
    abc.Sequence,
    abc.MutableSequence,
    abc.Iterable,
    abc.Collection,
)
_SETS: tuple[object, ...] = (abc.Set, abc.MutableSet)
_OBJECTS: tuple[object, ...] = (dict, abc.Mapping, abc.MutableMapping)


class SchemaMaker:
    """Makes schemas of hints, and keeps the definitions that they refer to.

    With `foreign`, a class that has a schema of its own (a pydantic model) gives that one. Such a class takes
    more than its schema says (`"5"` for a number), so for checking it is left to itself.
    """

    def __init__(self, *, foreign: bool) -> None:
        """Begin without definitions."""
        self.definitions: dict[str, Schema] = {}
        self._foreign = foreign

    def whole(self, hint: object) -> Schema:
        """The schema of a hint as a document of its own."""
        schema = self.of(hint)
        return {**schema, "$defs": self.definitions} if self.definitions else schema

    def of(self, hint: object, depth: int = 0) -> Schema:
        """The schema of a hint."""
        hint = unwrapped(hint)
        if depth > DEPTH_LIMIT:
            return {}
        kind = get_origin(hint) or hint
        if kind in _SCALARS:
            return dict(_SCALARS[kind])
        made = self._generic(kind, get_args(hint), depth)
        if made is not None:
            return made
        return self._class(cast("type[object]", kind), depth) if isinstance(kind, type) else {}

    def _generic(self, kind: object, args: tuple[object, ...], depth: int) -> Schema | None:
        """The schema of a type of Python's that has parts; None for any other."""
        if kind in _UNIONS:
            return {"anyOf": [self.of(arg, depth + 1) for arg in args]}
        if kind is Literal:
            return {"enum": list(args)} if all(_is_scalar(arg) for arg in args) else {}
        if kind is tuple:
            return self._tuple(args, depth)
        if kind in _ARRAYS or kind in _SETS:
            return {"type": "array", **({"items": self.of(args[0], depth + 1)} if args else {})}
        if kind in _OBJECTS:
            values = {"additionalProperties": self.of(args[1], depth + 1)} if args else {}
            return {"type": "object", **values}
        return None

    def _tuple(self, args: tuple[object, ...], depth: int) -> Schema:
        if not args:
            return {"type": "array"}
        if args[-1] is ...:
            return {"type": "array", "items": self.of(args[0], depth + 1)}
        return {
            "type": "array",
            "prefixItems": [self.of(arg, depth + 1) for arg in args],
            "items": False,
            "minItems": len(args),
        }

    def _class(self, cls: type[object], depth: int) -> Schema:
        name = f"{cls.__module__}.{cls.__qualname__}"
        if name not in self.definitions:
            self.definitions[name] = {}  # For what refers to it from inside.
            self.definitions[name] = self._definition(cls, depth)
        return {"$ref": f"#/$defs/{name.replace('~', '~0').replace('/', '~1')}"}

    def _definition(self, cls: type[object], depth: int) -> Schema:
        if issubclass(cls, Enum):
            return _of_enum(cls)
        if hasattr(cls, "model_validate"):
            return self._of_model(cls)
        if is_record(cls):
            return self._record(cls, depth)
        return {"type": "string"} if issubclass(cls, str) else {}

    def _of_model(self, cls: type[object]) -> Schema:
        make: Callable[[], object] | None = getattr(cls, "model_json_schema", None)
        if not self._foreign or make is None:
            return {}
        own = cast("Schema", make())
        return {"$id": f"urn:class:{cls.__module__}.{cls.__qualname__}", **own}

    def _record(self, cls: type[object], depth: int) -> Schema:
        fields = declared_fields(cls)
        return {
            "type": "object",
            "properties": {name: self.of(field.hint, depth + 1) for name, field in fields.items()},
            "required": [name for name, field in fields.items() if field.required],
            "additionalProperties": False,
        }


def _of_enum(cls: type[Enum]) -> Schema:
    members: list[object] = [member.value for member in cls]
    values = [value for value in members if _is_data(value)]
    return {"enum": [*values, *(name for name in cls.__members__ if name not in values)]}


def inputs_schema(flow: Flow, python_path: Sequence[str]) -> Schema:
    """The schema of what `flowc run --inputs` takes. Raises BadInput when a class cannot be imported."""
    maker = SchemaMaker(foreign=True)
    properties = {one.name: _input(one, maker, python_path) for one in flow.inputs}
    schema: Schema = {
        "$schema": DIALECT,
        "title": f"Inputs of the flow {flow.name}",
        "type": "object",
        "properties": properties,
        "required": [one.name for one in flow.inputs if one.default is None],
        "additionalProperties": False,
    }
    return {**schema, "$defs": maker.definitions} if maker.definitions else schema


def _input(one: Input, maker: SchemaMaker, python_path: Sequence[str]) -> Schema:
    schema = maker.of(hint_of(one.type, python_path))
    if one.doc.strip():
        schema["description"] = one.doc.strip()
    said = (
        ("default", one.default),
        ("minimum", one.minimum),
        ("maximum", one.maximum),
        ("enum", one.choices),
    )
    for key, expr in said:
        value = None if expr is None else evaluate(expr, {})
        if expr is not None and _is_json(value) and (key not in ("minimum", "maximum") or _is_number(value)):
            schema[key] = value
    return schema


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_scalar(value: object) -> bool:
    return value is None or type(value) in (str, int, float, bool)


def _is_data(value: object) -> bool:
    return _is_scalar(value) or (type(value) in (list, dict) and _is_json(value))


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
