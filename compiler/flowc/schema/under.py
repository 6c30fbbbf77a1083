"""What stands under a key comes in; the schema of its value goes out.

Places for expressions are typed loosely: a scalar, a list or a map of them may stand there, and what it means
is for `flowc validate` to say. A place for names takes `true` as well, for YAML reads that word as no text.
"""

from collections.abc import Mapping

from flowc.resolve.holdings import Holding, Place
from flowc.schema.json_type import Json, Schema
from flowc.schema.patterns import BINDER, DURATION, NAME

_TEXT: list[Json] = ["string", "number", "boolean"]


def ref(name: str) -> Schema:
    """A reference to one of the definitions."""
    return {"$ref": f"#/$defs/{name}"}


def one_or_many(schema: Schema) -> Schema:
    """The schema of one thing, or of a list of them."""
    return {"if": {"type": "array"}, "then": {"items": schema}, "else": schema}


def map_of(schema: Schema, *, empty: bool = False) -> Schema:
    """The schema of a map of names; with `empty`, nothing at all may stand there too."""
    kinds: list[Json] = ["object", "null"] if empty else ["object"]
    return {"type": kinds, "propertyNames": {"pattern": NAME}, "additionalProperties": schema}


def text_or_map(text: Schema, mapping: Schema) -> Schema:
    """The schema of what is written in short as a scalar, or at length as a map."""
    return {"if": {"type": "object"}, "then": mapping, "else": text}


_SCHEMAS: Mapping[Place, Schema] = {
    "version": {"const": 1},
    "word": {},
    "expression": {},
    "data": {},
    "flag": {"type": "boolean"},
    "list": {"type": "array"},
    "text": {"type": _TEXT},
    "message": {"type": _TEXT},
    "name": ref("name"),
    "names": one_or_many(ref("name")),
    "type": ref("type"),
    "exceptions": one_or_many({"type": "string"}),
    "binder": {"type": "string", "pattern": BINDER},
    "callee": {"type": "string"},
    "waited": {"type": "string"},
    "call": text_or_map({"type": "string"}, ref("undo")),
    "arguments": map_of({}),
    "duration": {"type": "string", "pattern": DURATION},
    "pause": text_or_map({"type": "string", "pattern": DURATION}, ref("sleep-until")),
    "count": {"type": ["integer", "string"], "minimum": 0},
    "factor": {"type": ["number", "string"], "minimum": 1},
    "retry": ref("retry"),
    "options": ref("options"),
    "labels": {"type": "object", "additionalProperties": {"type": _TEXT}},
    "modules": map_of({"type": "string"}, empty=True),
    "events": map_of(ref("event"), empty=True),
    "inputs": map_of(ref("input"), empty=True),
    "defaults": ref("defaults"),
    "schedule": ref("schedule"),
    "steps": ref("steps"),
    "block": ref("block"),
    "graph": ref("graph"),
    "cases": {"type": "array", "items": ref("case"), "minItems": 1},
    "branches": {"type": "array", "items": ref("branch"), "minItems": 1},
    "catches": {"minItems": 1, **one_or_many(ref("catch"))},
}


def under(held: Holding) -> Schema:
    """The schema of what stands under a key."""
    schema: Schema = {**_SCHEMAS[held.place]}
    if held.words:
        schema["enum"] = list(held.words)
    if held.default != "":
        schema["default"] = held.default
    if held.examples:
        schema["examples"] = list(held.examples)
    return schema
