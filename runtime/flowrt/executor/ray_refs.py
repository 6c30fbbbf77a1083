"""Ray's references inside results: a result goes in, the same with values for references comes out.

A reference in a recorded result would be worthless in the next process and would make a step count as
done while its value is still being computed. So a reference is awaited before the result is recorded.
One at the top is awaited at once. One that hides anywhere inside is met by the pickler: the codec hands
what is not plain data to cloudpickle, which consults `copyreg`, and there a reference reduces to its value.
Ray's own pickler has its own way for references and is not touched. What the task behind a reference
raised is what the step raised. A handle of an actor stands for a process and not for a value: it is
refused. Without Ray in the process there can be none of this, and this module does not import it.
"""

import copyreg
import sys
from collections.abc import Callable, Iterator
from typing import Any, cast


class ReferenceFailed(Exception):
    """What a reference inside a result stands for cannot be had; the cause says why."""


class ActorInResult(TypeError):
    """A result holds a handle of an actor."""


def awaited(result: object) -> object:
    """The value of a reference; anything else as it is, ready to be pickled with references inside."""
    ray = sys.modules.get("ray")
    if ray is None or not hasattr(ray, "ObjectRef"):
        return result
    ray = cast("Any", ray)
    copyreg.pickle(ray.ObjectRef, _reduced)
    copyreg.pickle(ray.ObjectRefGenerator, _reduced)
    copyreg.pickle(ray.actor.ActorHandle, _refused)
    while isinstance(result, ray.ObjectRef | ray.ObjectRefGenerator):
        result = _got(ray, result)
    return result


def behind(error: BaseException) -> BaseException | None:
    """What was raised behind a reference inside a result, when that is what an error came of."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, ReferenceFailed):
        found = found.__cause__
    return None if found is None else found.__cause__


def given(value: object) -> object:
    """What a pickled reference becomes when it is read: the value that it stood for."""
    return value


def _got(ray: Any, reference: object) -> object:  # noqa: ANN401 - the module
    if isinstance(reference, ray.ObjectRefGenerator):
        return [_got(ray, each) for each in cast("Iterator[object]", reference)]
    try:
        return cast("object", ray.get(reference))
    except ray.exceptions.RayTaskError as error:
        cause = cast("object", getattr(error, "cause", None))
        raise (cause if isinstance(cause, Exception) else error) from None


def _reduced(reference: object) -> tuple[Callable[[object], object], tuple[object]]:
    try:
        return given, (awaited(reference),)
    except Exception as error:
        raise ReferenceFailed from error


def _refused(_handle: object) -> tuple[Callable[[object], object], tuple[object]]:
    raise ActorInResult(
        "it holds a handle of an actor, which is worth nothing once the actor's process has ended. Return "
        "the actor's name, or what it computes"
    )
