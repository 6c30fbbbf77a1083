"""Narrow: one item of a large value is sent to a worker, not the value.

In: the environment of a task. Out: the same with each `Element` replaced by what it stands for.
"""

from collections.abc import Mapping

from flowrt.value import BodyError, Collected, Element, Fields, Handle, Items
from flowrt.values import Values


def narrow_env(env: Mapping[str, Handle], values: Values) -> dict[str, Handle]:
    """The environment without elements of something larger."""
    return {name: narrow(handle, values) for name, handle in env.items()}


def narrow(handle: Handle, values: Values) -> Handle:
    """A handle that refers to nothing larger than itself; the same object when it does not already."""
    match handle:
        case Element():
            return _element(handle, values)
        case Items(parts):
            narrowed = tuple(narrow(part, values) for part in parts)
            return handle if _same(parts, narrowed) else Items(narrowed)
        case Fields(parts):
            return Fields(tuple((name, narrow(part, values)) for name, part in parts))
        case Collected(collected, errors):
            return Collected(
                tuple(narrow(part, values) for part in collected),
                tuple(BodyError(e.index, narrow(e.item, values), e.type, e.message) for e in errors),
            )
        case _:
            return handle


def _element(handle: Element, values: Values) -> Handle:
    of = handle.of
    if isinstance(of, Items):
        if handle.batch:
            start = handle.index * handle.batch
            return narrow(Items(of.parts[start : start + handle.batch]), values)
        return narrow(of.parts[handle.index], values)
    return values.record(values.peek(handle))


def _same(before: tuple[Handle, ...], after: tuple[Handle, ...]) -> bool:
    return all(one is other for one, other in zip(before, after, strict=True))
