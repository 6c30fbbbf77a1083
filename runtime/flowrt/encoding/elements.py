"""The elements of a value that a loop goes through. In: an iterable value; out: its elements by index.

Bodies of a loop are identified by index, so the order must be the same in every process. Lists, tuples,
texts, ranges, arrays and dicts (their keys) have an order; a set has none that outlives its process, so
its elements are put into the order that expressions see (`flowrt.expr.order`), and those that have none
there into the order of their encoded bytes.
"""

import sys
from collections.abc import Iterable, Sequence, Set
from typing import Protocol, cast

from flowrt.encoding.codec import encode
from flowrt.expr import order
from flowrt.expr.budget import Budget, ExpressionError


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


def in_order(values: Set[object]) -> list[object]:
    """The elements of a set in an order that is the same in every process. Raises CodecError."""
    try:
        return order.in_order(values, Budget())
    except ExpressionError:
        return sorted(values, key=lambda part: b"".join(encode(part)))


def _is_array(value: object) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)
