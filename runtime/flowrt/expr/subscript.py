"""A value and what stands in its square brackets in; the item or the slice out."""

from typing import Any, cast

from flowrt.expr.budget import Budget
from flowrt.expr.kinds import is_dict, is_parts, is_text, may_compute, refuse
from flowrt.expr.operators import pay_hash

_MISSING = object()


def get_item(value: object, index: object, budget: Budget) -> object:
    """`value[index]`.

    A dict of a subclass answers from what it holds: reading a `defaultdict` does not change it.
    """
    if is_dict(value) and type(value) is dict:
        pay_hash(index, budget)
        return value[index]
    if is_text(value) or is_parts(value):
        if isinstance(index, slice):
            length = len(range(*index.indices(len(value))))
            pay = budget.characters if is_text(value) else budget.elements
            pay(length)
        return cast("Any", value)[index]
    if not hasattr(type(value), "__getitem__"):
        raise TypeError(f"{type(value).__name__!r} object is not subscriptable")
    if not may_compute(value):
        raise refuse(value, "`[ ]` of")
    if is_dict(value) and hasattr(type(value), "default_factory"):
        pay_hash(index, budget)
        found = dict[object, object].get(value, index, _MISSING)
        if found is _MISSING:
            raise KeyError(index)
        return found
    if hasattr(type(value), "shape"):
        budget.characters(int(getattr(value, "size", 0)) // 10)
    return cast("Any", value)[index]
