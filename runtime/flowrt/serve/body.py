"""The bodies of requests. In: a stream of bytes from anyone. Out: an object of JSON, or a `Problem`.

A body has at most a mebibyte, whether it says its length or not, comes within half a minute, and is
nested at most a hundred deep.
"""

import asyncio
import json
from collections.abc import Collection, Mapping
from typing import cast

from starlette.requests import ClientDisconnect, Request

from flowrt.inputs.strict_json import load_json
from flowrt.serve.problem import Problem

BODY_MAX = 1024 * 1024
BODY_S = 30.0
DEPTH_MAX = 100


async def read_body(request: Request) -> bytes:
    """All of a body. Raises Problem."""
    said = request.headers.get("content-length", "0")
    if said.isdecimal() and int(said) > BODY_MAX:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                size += len(part)
                if size > BODY_MAX:
                    raise _too_large()
                parts.append(part)
    except TimeoutError as error:
        raise Problem(
            408, f"The body did not come within {BODY_S:.0f} s.", headers={"Connection": "close"}
        ) from error
    except ClientDisconnect as error:
        raise Problem(400, "The body ended before its end.") from error
    return b"".join(parts)


def _too_large() -> Problem:
    return Problem(
        413, f"A body has at most {BODY_MAX} bytes; this one has more.", headers={"Connection": "close"}
    )


def check_type(request: Request) -> None:
    """Take JSON only: that is also what a page of another site cannot have a browser send. Raises Problem."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(415, "The body has to be JSON: say so with `Content-Type: application/json`.")


def read_object(body: bytes, fields: Collection[str]) -> dict[str, object]:
    """The JSON object in a body, of these fields at most; nothing at all is an empty one. Raises Problem."""
    if not body.strip():
        return {}
    try:
        read = load_json(body.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        raise Problem(
            400,
            f"The body is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.",
            extra={"line": error.lineno, "column": error.colno},
        ) from error
    except UnicodeDecodeError as error:
        raise Problem(400, f"The body is not UTF-8: byte {error.start} cannot be read.") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise Problem(400, f"The body is not JSON: {error}.") from error
    _check_depth(read)
    if not isinstance(read, dict):
        raise Problem(422, "The body has to be a JSON object.")
    found = cast("dict[str, object]", read)
    unknown = [name for name in found if name not in fields]
    if unknown:
        known = ", ".join(f"`{name}`" for name in fields)
        raise Problem(422, f"The body has the unknown field `{unknown[0][:100]}`; its fields are {known}.")
    return found


def _check_depth(value: object) -> None:
    layer = [value]
    for _ in range(DEPTH_MAX + 1):
        deeper: list[object] = []
        for each in layer:
            if isinstance(each, dict):
                deeper.extend(cast("Mapping[str, object]", each).values())
            elif isinstance(each, list):
                deeper.extend(cast("list[object]", each))
        if not deeper:
            return
        layer = deeper
    raise _too_deep()


def _too_deep() -> Problem:
    return Problem(400, f"The body is nested more than {DEPTH_MAX} deep.")


def text(found: Mapping[str, object], name: str) -> str | None:
    """A field that is text or absent. Raises Problem."""
    value = found.get(name)
    if value is not None and not isinstance(value, str):
        raise Problem(422, f"`{name}` has to be text.")
    return value


def flag(found: Mapping[str, object], name: str) -> bool:
    """A field that is true, false or absent. Raises Problem."""
    value = found.get(name, False)
    if not isinstance(value, bool):
        raise Problem(422, f"`{name}` has to be true or false.")
    return value


def labels(found: Mapping[str, object], name: str) -> dict[str, str]:
    """A field that maps text to text, or is absent. Raises Problem."""
    value = found.get(name)
    if value is None:
        return {}
    if isinstance(value, dict):
        entries = cast("dict[str, object]", value)
        if all(isinstance(each, str) for each in entries.values()):
            return cast("dict[str, str]", entries)
    raise Problem(422, f"`{name}` has to be an object whose values are text.")
