"""The elements of a value that a loop goes through. In: an iterable value; out: its elements by index.

Bodies of a loop are identified by index, so the order must be the same in every process. Lists, tuples,
texts, ranges, arrays and dicts (their keys) have an order; a set has none that outlives its process, so
its elements are ordered here: texts, bytes, whole numbers and dates by themselves when all are of one
type, anything else by its encoded bytes.
"""

import sys
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Protocol, cast

from flowrt.codec import encode

_ORDERED = ({str}, {int}, {bytes}, {date})


class _Array(Protocol):
    ndim: int


def elements(value: object) -> Sequence[object]:
    """The elements of an iterable value; the value itself when it can be indexed.

    Raises:
        TypeError: The value is not iterable.
    """
    if isinstance(value, Sequence):
        return cast("Sequence[object]", value)
    if isinstance(value, set | frozenset):
        return in_order(cast("set[object]", value))
    if _is_array(value) and cast("_Array", value).ndim > 0:
        return cast("Sequence[object]", value)
    return list(cast("Iterable[object]", value))


def in_order(values: Iterable[object]) -> list[object]:
    """The elements of a set in an order that is the same in every process. Raises CodecError."""
    parts = list(values)
    if set(map(type, parts)) in _ORDERED:
        return cast("list[object]", sorted(cast("list[str]", parts)))
    return sorted(parts, key=lambda part: b"".join(encode(part)))


def _is_array(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)
