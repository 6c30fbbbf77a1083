"""Catching: whether a failure is one of some classes. In: a failure and import paths; out: yes or no.

Two things are known of a failure without importing anything. `Failure.caught` lists which of the classes
that were asked for around its step the exception is an instance of: that was found where the exception
lived. And a failure under the name of a class of Python's own, or of one of `flowrt.failures`, is an
instance of the classes that this one is made of, whoever recorded it.
"""

import builtins
from collections.abc import Iterable
from functools import lru_cache

from flowrt.failures import FAILURES
from flowrt.record import Failure

EVERY = "builtins:Exception"
"""The path of what `catch` without a type catches."""

_OURS = {f"flowrt.{cls.__name__}": cls for cls in FAILURES}


def is_one_of(paths: Iterable[str], failure: Failure) -> bool:
    """Whether a failure is an instance of one of the classes at these import paths."""
    return any(path in failure.caught or path in ancestors(failure.type) for path in paths)


@lru_cache(maxsize=256)
def ancestors(type_name: str) -> frozenset[str]:
    """The paths of all classes that the class of this name is made of; none when it is the author's."""
    cls = _OURS.get(type_name) or vars(builtins).get(type_name)
    if not isinstance(cls, type) or not issubclass(cls, BaseException):
        return frozenset()
    return frozenset(path for each in cls.__mro__ for path in names_of(each))


def names_of(cls: type) -> tuple[str, ...]:
    """The paths that a class is known under, without those through modules that import it."""
    module, name = cls.__module__, cls.__qualname__
    paths = (f"{module}:{name}", f"{module}.{name}")
    if module == "builtins":
        return (*paths, name)
    if module.partition(".")[0] == "flowrt":
        return (*paths, f"flowrt:{name}", f"flowrt.{name}")
    return paths


def together(around: tuple[str, ...], more: Iterable[str]) -> tuple[str, ...]:
    """The paths asked for around a place, with those that come to them; the same tuple when none do."""
    new = tuple(path for path in dict.fromkeys(more) if path not in around)
    return (*around, *new) if new else around
