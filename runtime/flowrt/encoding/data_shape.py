"""Which values are data, that is, need no pickle. In: an object; out: nothing, or why it is no data.

Data are None, bool, int, float, str, bytes, date, datetime, time, timedelta, Decimal, UUID, range, and
list, tuple, dict, set, frozenset, `ForError` and `Collected` of data: these very types, not their
subclasses. An `IntEnum`, a named tuple, a pandas `Timestamp` are for pickle, which keeps them what they
are.

A list that stands at two places, or inside itself, is one object; written twice it would become two, so
it is no data either, and pickle keeps it one. A tuple of scalars may stand at any number of places.

The look goes through the containers level by level, without recursion, with one pass at C speed over
the types of each container's parts: a list of a million numbers costs some milliseconds.
"""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from types import NoneType
from typing import cast
from uuid import UUID

from flowrt.collected import Collected, ForError

MAX_DEPTH = 100
"""Deeper values are not data: nested extensions cost a few frames of Python's stack a level."""

SCALARS: frozenset[type] = frozenset(
    {NoneType, bool, int, float, str, bytes, date, datetime, time, timedelta, Decimal, UUID, range}
)
_BOXES: frozenset[type] = frozenset({list, tuple, dict, set, frozenset, ForError, Collected})
_DATA = SCALARS | _BOXES


def _parts(box: object) -> Iterable[object]:
    """The parts of a container; for a dict its keys and its values."""
    if isinstance(box, dict):
        mapping = cast("dict[object, object]", box)
        return chain(mapping, mapping.values())
    if isinstance(box, Collected):
        return (box.values, box.errors)
    if isinstance(box, ForError):
        return (box.index, box.item, box.type, box.message)
    return cast("Iterable[object]", box)


def _look(box: object, seen: set[int], below: list[object]) -> str | None:
    """Look at the parts of one container and put the containers among them into `below`."""
    kinds = set(map(type, _parts(box)))
    for kind in kinds - _DATA:
        return f"it holds a {kind.__module__}.{kind.__qualname__}"
    if kinds <= SCALARS:
        return None
    for part in _parts(box):
        if type(part) not in _BOXES:
            continue
        if id(part) not in seen:
            seen.add(id(part))
            below.append(part)
        elif type(part) not in (tuple, frozenset) or not SCALARS.issuperset(map(type, _parts(part))):
            return f"it holds the same {type(part).__qualname__} at two places"
    return None


def unfit(value: object) -> str | None:
    """Why a value is no data, as a clause such as "it holds a numpy.ndarray"; None when it is data."""
    if type(value) not in _DATA:
        return f"it is a {type(value).__module__}.{type(value).__qualname__}"
    seen: set[int] = set()
    level: list[object] = [(value,)]
    for _ in range(MAX_DEPTH + 1):
        below: list[object] = []
        for box in level:
            reason = _look(box, seen, below)
            if reason is not None:
                return reason
        if not below:
            return None
        level = below
    return f"it is nested more than {MAX_DEPTH} levels deep"
