"""The tables of keys come in; the JSON Schema of flow files goes out, for editors.

Each document of a file is validated for itself: the schema is that of a document. A step is looked at by its
kind, with `if` and `then`, so that an editor speaks of the keys of that kind and not of every kind there is.
A key that is a kind of its own and a part of other kinds as well (`do` of a `for`) makes the kind only when
nothing else does.

In a list a step has an `id`, in a graph it has its key and may say `after`. Both use the same definition of
its kind, and each forbids the key of the other.
"""

from collections.abc import Iterable

from flowc.resolve.holdings import OPTION_MEANINGS, holding
from flowc.resolve.keys import (
    AFTER,
    CASE,
    CATCH,
    DEFAULTS,
    EVENT,
    FILE_KEYS,
    FIRST_FLOW,
    INPUT,
    NAMELESS,
    OPTIONS,
    RACE_BRANCH,
    RETRY,
    SCHEDULE,
    SIZES,
    SLEEP,
    STEPS,
    UNDO,
    Construct,
)
from flowc.schema.json_type import Json, Schema
from flowc.schema.patterns import FIXED_DURATION, NAME, SIZE
from flowc.schema.under import ref, text_or_map, under
from flowrt.noun import replace

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_BODIES = ("do", "graph")


def flow_schema() -> Schema:
    """The schema of a document of a flow file."""
    return {
        "$schema": DIALECT,
        "title": "A flow file of flowc",
        "description": "One document of a `.flow.yaml` file. The first one has the keys of the file too.",
        **_map(FIRST_FLOW),
        "dependentRequired": {key: ["flowc"] for key in FILE_KEYS if key != "flowc"},
        **_one_body(("steps", "graph")),
        "anyOf": [{"required": [key]} for key in ("steps", "graph", "result")],
        "$defs": {**_shared(), **{f"{kind}-step": _kind(kind) for kind in STEPS}},
    }


def _shared() -> dict[str, Json]:
    event, schedule = _map(EVENT), _map(SCHEDULE)
    schedule["properties"] = {**_properties(SCHEDULE), "every": _every()}
    return {
        "name": {
            "description": "A word of letters, digits and `_` that is no keyword.",
            "type": ["string", "boolean"],
            "pattern": NAME,
        },
        "type": {
            "description": "`int`, `list[str]`, `date | None`, a class by alias (`t.Order`) or import path.",
            "type": ["string", "null"],
        },
        "input": text_or_map(ref("type"), _map(INPUT)),
        "event": {"type": ["object", "null"], **{k: v for k, v in event.items() if k != "type"}},
        "defaults": _map(DEFAULTS),
        "schedule": {**schedule, "oneOf": [{"required": ["cron"]}, {"required": ["every"]}]},
        "retry": _retry(),
        "undo": _map(UNDO),
        "sleep-until": {**_map(SLEEP), "minProperties": 1},
        "options": _options(),
        "steps": {
            "description": "A list of steps that runs from top to bottom.",
            "type": "array",
            "items": ref("step-of-list"),
        },
        "block": _block(),
        "graph": {
            "description": "A map of names to steps; each runs as soon as what it reads is there.",
            "type": "object",
            "propertyNames": {"pattern": NAME},
            "additionalProperties": ref("step-of-graph"),
        },
        "case": _with_body(_map(CASE)),
        "branch": _with_body(_map(RACE_BRANCH)),
        "catch": _map(CATCH),
        "step-of-list": _step_of_list(),
        "step-of-graph": _step_of_graph(),
        "step": _step(),
    }


def _block() -> Schema:
    """The schema of a block: a list of steps, or a single call."""
    return {
        "description": "A list of steps that runs from top to bottom, or a single call.",
        "if": {"type": "array"},
        "then": ref("steps"),
        "else": {"type": "string"},
    }


def _map(construct: Construct) -> Schema:
    """The schema of a construct: its keys and no others."""
    schema: Schema = {
        "type": "object",
        "properties": _properties(construct),
        "additionalProperties": False,
    }
    if construct.required:
        schema["required"] = list(construct.required)
    return schema


def _properties(construct: Construct) -> dict[str, Json]:
    return {
        key: {"description": _sentence(doc), **under(holding(construct, key))}
        for key, doc in construct.keys.items()
    }


def _sentence(doc: str) -> str:
    return f"{doc[0].upper()}{doc[1:]}."


def _every() -> Schema:
    return {
        "description": _sentence(SCHEDULE.keys["every"]),
        "type": "string",
        "pattern": FIXED_DURATION,
        "examples": ["1h"],
    }


def _retry() -> Schema:
    short: Schema = {"type": ["integer", "string"], "minimum": 0}
    return {
        "description": "How often, or a policy; `never`: at most one attempt, even if a worker is lost.",
        **text_or_map(short, _map(RETRY)),
    }


def _options() -> Schema:
    size: Schema = {"type": ["number", "string"], "pattern": SIZE, "examples": ["4GiB"]}
    return {
        "description": "Ray's own options of a task.",
        "type": "object",
        "properties": {
            name: {"description": _sentence(OPTION_MEANINGS[name]), **(size if name in SIZES else {})}
            for name in sorted(OPTIONS)
        },
        "additionalProperties": False,
    }


def _kind(kind: str) -> Schema:
    """The schema of the steps of one kind, in lists and in graphs."""
    construct = STEPS[kind]
    keys = {key: doc for key, doc in construct.keys.items() if key != "id" or kind not in NAMELESS}
    schema = _map(replace(construct, keys=keys | {"after": AFTER}))
    schema["required"] = list(dict.fromkeys((kind, *construct.required)))
    if kind not in _BODIES and all(body in keys for body in _BODIES):
        return _with_body(schema)
    return schema


def _with_body(schema: Schema) -> Schema:
    """The schema of what has one body."""
    return {**schema, **_one_body(_BODIES), "anyOf": [{"required": [body]} for body in _BODIES]}


def _one_body(bodies: tuple[str, str]) -> Schema:
    """Not both of two keys."""
    return {"dependentSchemas": {bodies[0]: {"properties": {bodies[1]: False}}}}


def _step_of_list() -> Schema:
    return {
        "if": {"type": "string"},
        "then": {"enum": ["break", "continue"]},
        "else": {"allOf": [{"properties": {"after": False}}, ref("step")]},
    }


def _step_of_graph() -> Schema:
    return {
        "if": {"type": "object"},
        "then": {"allOf": [{"properties": {"id": False}}, ref("step")]},
        "else": {
            "description": "A call or another expression.",
            "type": ["string", "number", "boolean", "null"],
        },
    }


def _step() -> Schema:
    kinds: dict[str, Json] = {kind: {"description": _sentence(STEPS[kind].keys[kind])} for kind in STEPS}
    return {
        "type": "object",
        "properties": kinds,
        "allOf": [_when(kind) for kind in STEPS],
        "if": {"not": _has_any(STEPS)},
        "then": {
            "required": ["call"],
            "description": "A step has one key that says what it does, such as `call` or `value`.",
        },
    }


def _when(kind: str) -> Schema:
    others = [other for other in STEPS if other != kind and kind in STEPS[other].keys]
    condition: Schema = {"required": [kind]}
    if others:
        condition["not"] = _has_any(others)
    return {"if": condition, "then": ref(f"{kind}-step")}


def _has_any(kinds: Iterable[str]) -> Schema:
    return {"anyOf": [{"required": [kind]} for kind in kinds]}
