"""Ray's object references inside results: a result goes in, the same with values for references comes out.

A reference in a recorded result would be worthless in the next process and would make a step count as
done while its value is still being computed. So a reference is awaited before the result is recorded.
One at the top is awaited at once. One that hides anywhere inside is met by the pickler: the codec hands
what is not plain data to cloudpickle, which consults `copyreg`, and there a reference reduces to its value.
Ray's own pickler has its own way for references and is not touched. Without Ray in the process there can
be no reference, and this module does not import it.
"""

import copyreg
import sys
from collections.abc import Callable
from typing import cast


def awaited(result: object) -> object:
    """The value of a reference; anything else as it is, ready to be pickled with references inside."""
    ray = sys.modules.get("ray")
    if ray is None or not hasattr(ray, "ObjectRef"):
        return result
    copyreg.pickle(ray.ObjectRef, _reduced)
    while isinstance(result, ray.ObjectRef):
        result = cast("object", ray.get(result))
    return result


def given(value: object) -> object:
    """What a pickled reference becomes when it is read: the value that it stood for."""
    return value


def _reduced(reference: object) -> tuple[Callable[[object], object], tuple[object]]:
    return given, (awaited(reference),)
