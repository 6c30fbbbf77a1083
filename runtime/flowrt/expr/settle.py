"""The value of a whole expression in; the same without iterators, and within the budget of elements, out.

Iterators (`zip`, `enumerate`, `reversed`, generators, the views of a dict) can be read once and cannot be
recorded, so those that are the result, or stand in a list, tuple or dict of it, become lists.

The result must not be a bomb either: an expression can put one list into another a thousand times, and
that a few times over, at hardly any cost; but who encodes or prints the result meets each copy. Elements
are counted where they stand. Sharing that came with the values of tasks is not the expression's doing,
so the count may go up to four times what is really there.
"""

from flowrt.expr.budget import MAX_ELEMENTS, Budget, BudgetExceeded, ExpressionError, weigh
from flowrt.expr.kinds import LIGHT, is_dict, is_lazy, is_parts, is_set, is_view
from flowrt.expr.order import items_of

_MAX_DEPTH = 100
_SHARED = 4


def settle(value: object, budget: Budget) -> object:
    """The value with lists in place of iterators."""
    return value if type(value) in LIGHT else _settle(value, budget, {}, 0)


def check_size(value: object) -> None:
    """Refuse a value of too many elements; see the head of this file.

    Raises:
        BudgetExceeded: It has more than a million elements, most of which are the same ones again.
    """
    if weigh(value, MAX_ELEMENTS) <= MAX_ELEMENTS:
        return
    there = _count_once(value)
    if weigh(value, max(MAX_ELEMENTS, _SHARED * there)) > max(MAX_ELEMENTS, _SHARED * there):
        raise BudgetExceeded(
            f"The value of the expression has more than {MAX_ELEMENTS:,} elements; give the work to a task."
        )


def _settle(value: object, budget: Budget, done: dict[int, tuple[object, object]], depth: int) -> object:
    if type(value) in LIGHT or depth > _MAX_DEPTH:
        return value
    key = id(value)
    if key in done:
        return done[key][1]
    if (is_set(value) or is_dict(value)) and any(is_lazy(item) or is_view(item) for item in value):
        raise ExpressionError(
            "An iterator stands in a set or as a key, where it cannot be kept; use a tuple."
        )
    done[key] = (value, value)  # A value that contains itself is left as it is there.
    settled: object = value
    if is_lazy(value) or is_view(value):
        settled = [_settle(item, budget, done, depth + 1) for item in items_of(value, budget)]
    elif is_parts(value) and type(value) in (list, tuple):
        new = [_settle(part, budget, done, depth + 1) for part in value]
        if any(a is not b for a, b in zip(new, value, strict=True)):
            settled = new if type(value) is list else tuple(new)
    elif is_dict(value) and type(value) is dict:
        changed = {name: _settle(part, budget, done, depth + 1) for name, part in value.items()}
        if any(changed[name] is not part for name, part in value.items()):
            settled = changed
    done[key] = (value, settled)  # The original is kept: a freed one would lend its id to another.
    return settled


def _count_once(value: object) -> int:
    """How many elements there are when each list, tuple, set and dict is counted once."""
    seen: set[int] = set()
    total, stack = 0, [value]
    while stack:
        item = stack.pop()
        if type(item) in LIGHT or id(item) in seen:
            continue
        seen.add(id(item))
        parts: list[object]
        if is_parts(item) or is_set(item):
            parts = list(item)
        elif is_dict(item):
            parts = [*item, *item.values()]
        else:
            parts = []
        total += 1 + len(parts)
        stack.extend(parts)
    return total
