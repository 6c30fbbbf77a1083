"""Narrow: one item of a large value is sent to a worker, or recorded as a result, not the value.

In: the environment of a task, or a result. Out: the same with each `Element` replaced by what it stands for.
"""

from collections.abc import Mapping

from flowrt.encoding.values import Values
from flowrt.errors import CodecError
from flowrt.value import BodyError, Collected, Element, Fields, Handle, Items

TOO_DEEP = "A value made of the results of many steps is nested too deeply to be handed on."


def narrow_env(env: Mapping[str, Handle], values: Values) -> dict[str, Handle]:
    """The environment without elements of something larger."""
    return {name: narrow(handle, values) for name, handle in env.items()}


def narrow(handle: Handle, values: Values) -> Handle:
    """A handle that refers to nothing larger than itself; the same object when it does not already.

    Raises CodecError for a value that is nested too deeply, and what `Values` raises.
    """
    try:
        return _narrow(handle, values)
    except RecursionError as error:
        raise CodecError(TOO_DEEP) from error


def _narrow(handle: Handle, values: Values) -> Handle:
    match handle:
        case Element():
            return _element(handle, values)
        case Items(parts):
            narrowed = tuple(_narrow(part, values) for part in parts)
            return handle if _same(parts, narrowed) else Items(narrowed)
        case Fields(parts):
            return Fields(tuple((name, _narrow(part, values)) for name, part in parts))
        case Collected(collected, errors):
            return Collected(
                tuple(_narrow(part, values) for part in collected),
                tuple(BodyError(e.index, _narrow(e.item, values), e.type, e.message) for e in errors),
            )
        case _:
            return handle


def _element(handle: Element, values: Values) -> Handle:
    of = handle.of
    if isinstance(of, Items):
        if handle.batch:
            start = handle.index * handle.batch
            return _narrow(Items(of.parts[start : start + handle.batch]), values)
        return _narrow(of.parts[handle.index], values)
    return values.record(values.peek(handle))


def _same(before: tuple[Handle, ...], after: tuple[Handle, ...]) -> bool:
    return all(one is other for one, other in zip(before, after, strict=True))
