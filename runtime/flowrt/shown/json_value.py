"""Values as JSON. In: any Python value. Out: what `json.dumps` takes, with a stand-in for the rest.

What JSON cannot express becomes `{"$type": "module.Class", "repr": "…"}`, wherever it stands inside the
value. A tuple is a list; a named tuple, a set, a date or a mapping with keys that are not text is not
something that would come back as it was, so it gets the stand-in. What a `for` with `errors: collect`
gives is data of the language, an object with `values` and `errors`, and is printed as that.
"""

import json
import math
from collections.abc import Mapping
from typing import cast

from flowrt.collected import Collected, ForError

DEPTH_LIMIT = 100
REPR_LIMIT = 10_000
INT_BITS_LIMIT = 10_000  # Python refuses to write integers of more than 4,300 digits.

Json = object


def dump(value: object, *, indent: int | None = 2) -> str:
    """The JSON text of a value."""
    return json.dumps(plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def plain(value: object, depth: int = 0) -> Json:
    """The value with stand-ins for what JSON cannot express."""
    if _is_scalar(value):
        return value
    match _opened(value) if depth < DEPTH_LIMIT else None:
        case None:
            return stand_in(value)
        case list() as items:
            return [plain(item, depth + 1) for item in items]
        case dict() as entries:
            return {key: plain(item, depth + 1) for key, item in entries.items()}


def _is_scalar(value: object) -> bool:
    if type(value) is int:
        return value.bit_length() <= INT_BITS_LIMIT
    if type(value) is float:
        return math.isfinite(value)
    return value is None or type(value) in (bool, str)


def _opened(value: object) -> list[object] | dict[str, object] | None:
    """The parts of what JSON has a bracket for, else None."""
    if isinstance(value, Collected):
        return {"values": value.values, "errors": [_error(one) for one in value.errors]}
    if type(value) in (list, tuple):
        return list(cast("list[object]", value))
    if not isinstance(value, Mapping):
        return None
    entries = list(cast("Mapping[object, object]", value).items())
    return {key: item for key, item in entries if type(key) is str} if _are_texts(entries) else None


def _are_texts(entries: list[tuple[object, object]]) -> bool:
    return all(type(key) is str for key, _ in entries)


def _error(one: ForError) -> dict[str, object]:
    return {"index": one.index, "item": one.item, "type": one.type, "message": one.message}


def stand_in(value: object) -> Json:
    """The stand-in for one value; never raises, whatever its `__repr__` does."""
    cls = type(value)
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - a user's __repr__ may raise anything
        text = f"<repr raised {type(error).__name__}>"
    if len(text) > REPR_LIMIT:
        text = text[: REPR_LIMIT - 1] + "…"
    return {"$type": f"{cls.__module__}.{cls.__qualname__}", "repr": text}
