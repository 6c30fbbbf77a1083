"""The name of a published schema comes in; its text goes out.

`flow` and `findings` stand in the package `flowc_schemas` as they are. What commands on runs print is what
the HTTP API gives, so the schemas of `run`, `show` and `list` are cut out of its description.
"""

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import cast

from flowc.schema.flow import DIALECT
from flowc.schema.json_type import Json, Schema

PUBLISHED: Mapping[str, str] = {
    "flow": "a document of a flow file",
    "findings": "what `flowc validate --format json` prints",
    "run": "what `flowc run --json` prints",
    "show": "what `flowc show --json` prints",
    "list": "what `flowc list --json` prints",
    "openapi": "the HTTP API of `flowc serve`, as OpenAPI",
}
"""The names of the schemas, and what each describes."""

_FILES = {"flow": "flow.schema.json", "findings": "findings.schema.json", "openapi": "openapi.json"}
_COMPONENT = re.compile(r"#/components/schemas/(\w+)")


def published(name: str) -> str:
    """The text of a published schema, with a line break at its end."""
    if name in _FILES:
        return _text(_FILES[name])
    match name:
        case "run":
            return _cut("The result of a run", {"$ref": "#/components/schemas/Output"})
        case "show":
            return _cut("A run and its steps", {"$ref": "#/components/schemas/RunDetail"})
        case _:
            return _cut("Runs", {"type": "array", "items": _row()})


def _text(file: str) -> str:
    return (files("flowc_schemas") / file).read_text(encoding="utf-8")


def _components() -> dict[str, Schema]:
    document = json.loads(_text("openapi.json"))
    return cast(dict[str, Schema], document["components"]["schemas"])


def _row() -> Schema:
    """A run of a list: what is shown of a run, as far as it can be told without reading its journal."""
    components = _components()
    detail = cast(dict[str, Json], components["RunDetail"]["properties"])
    keys = [
        key for key in detail if key in ("inputs", *cast(dict[str, Json], components["Run"]["properties"]))
    ]
    return {
        "type": "object",
        "properties": {key: detail[key] for key in keys},
        "required": list(keys),
        "additionalProperties": False,
    }


def _cut(title: str, schema: Schema) -> str:
    """A schema of its own, with those components that it needs."""
    components = _components()
    needed: dict[str, Json] = {}
    waiting: list[Json] = [schema]
    while waiting:
        for name in _COMPONENT.findall(json.dumps(waiting.pop())):
            if name not in needed:
                needed[name] = components[name]
                waiting.append(components[name])
    whole = {"$schema": DIALECT, "title": title, **schema, "$defs": needed}
    return _COMPONENT.sub(r"#/$defs/\1", json.dumps(whole, indent=2, ensure_ascii=False)) + "\n"
