"""A value that can be gone through in; its items out, in an order that is the same in every process.

Python's order of a set follows from the hashes of its elements, and those of texts change from process to
process. A run that resumes elsewhere must not see another order, so sets are sorted: numbers by value,
texts by code point, anything mixed by the name of the type and then by `repr`.
"""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from math import isnan
from typing import Any, cast

from flowrt.expr.budget import Budget, ExpressionError
from flowrt.expr.kinds import a_kind, is_lazy, is_parts, is_set, is_sized, may_compute, refuse

_TOO_MANY = 1 << 63
_NUMBERS = frozenset({int, bool, float})


def iterate(value: object, budget: Budget) -> Iterator[object]:
    """The items of a value, one by one; who takes them pays for them.

    Raises:
        TypeError: The value cannot be gone through, or only by code of its class.
    """
    if is_set(value):
        return iter(in_order(value, budget))
    if not hasattr(type(value), "__iter__"):
        raise TypeError(f"{type(value).__name__!r} object is not iterable")
    if not may_compute(value):
        raise refuse(value, "going through")
    return iter(cast("Iterable[object]", value))


def items_of(value: object, budget: Budget) -> list[object]:
    """All items of a value as a new list, paid for."""
    return list(paid_items(value, budget))


def paid_items(value: object, budget: Budget) -> Iterator[object]:
    """The items of a value, one by one, each paid for when it is taken.

    A value that says it has too many is refused at once.
    """
    if is_sized(value):
        try:
            budget.elements(len(value))
        except OverflowError:
            budget.elements(_TOO_MANY)
        return iterate(value, budget)
    return _paid(iterate(value, budget), budget)


def _paid(items: Iterator[object], budget: Budget) -> Iterator[object]:
    for item in items:
        budget.spend(1)
        yield item


def in_order(values: AbstractSet[object], budget: Budget) -> list[object]:
    """The elements of a set in the order described above."""
    budget.elements(len(values))
    types = {type(value) for value in values}
    if types <= {str} or (types <= _NUMBERS and not any(_is_nan(value) for value in values)):
        return sorted(cast("AbstractSet[Any]", values))
    return sorted(values, key=_place)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and isnan(value)


def _place(value: object) -> tuple[str, str]:
    if type(value).__repr__ is object.__repr__ or is_lazy(value):
        raise ExpressionError(
            f"A set with {a_kind(value)} in it has no order that lasts;"
            " use a list, or sort by a field in a task."
        )
    if is_set(value):
        return "frozenset", repr(sorted(_place(item) for item in value))
    if is_parts(value):
        return "tuple", repr([_place(item) for item in value])
    return type(value).__name__, repr(value)
