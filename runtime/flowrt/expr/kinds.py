"""A value in; what an expression may do with it out.

Computing with a value (operators, `len`, iteration, indexing, conversions) is open to the types of the
language, to their subclasses, and to the types of the libraries named below. For any other class these
would run code that its author wrote for workers, in the engine; a task does that. Comparing, hashing and
printing a value are open to all classes, for there Python's own meaning is to ask the class, and for
dataclasses the code asked is Python's.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence, Sized
from collections.abc import Set as AbstractSet
from datetime import date, time, timedelta, tzinfo
from enum import Enum
from types import MappingProxyType, NoneType
from typing import TypeGuard

LIGHT = frozenset({int, float, bool, NoneType})
"""Types whose values cost next to nothing to compare, add or print."""

_EMPTY: dict[object, object] = {}
VIEWS: tuple[type, ...] = (type(_EMPTY.keys()), type(_EMPTY.values()), type(_EMPTY.items()))

_OWN: tuple[type, ...] = (
    *(NoneType, int, float, complex, str, bytes, list, tuple, dict, set, frozenset, range),
    *(date, time, timedelta, tzinfo, Enum, MappingProxyType, *VIEWS),
)
_LIBRARIES = frozenset(
    "collections decimal fractions numpy pandas pathlib polars pyarrow torch uuid".split()  # noqa: SIM905
)
_NUMPY_BOOLS = ("bool", "bool_")


def library_of(value: object) -> str:
    """The name of the top-level package that the class of a value comes from."""
    return type(value).__module__.partition(".")[0]


def may_compute(value: object) -> bool:
    """Whether expressions may compute with a value; see the head of this file."""
    return isinstance(value, _OWN) or library_of(value) in _LIBRARIES or is_lazy(value)


def is_lazy(value: object) -> TypeGuard[Iterator[object]]:
    """Whether a value is one of Python's own iterators, such as a `zip`."""
    return hasattr(type(value), "__next__") and type(value).__module__ == "builtins"


def is_sized(value: object) -> TypeGuard[Sized]:
    """Whether a value has a length that expressions may ask for."""
    return hasattr(type(value), "__len__") and may_compute(value)


def is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    """Whether a value is a mapping whose keys can be read as attributes."""
    return isinstance(value, (dict, MappingProxyType))


def is_text(value: object) -> TypeGuard[str | bytes]:
    """Whether a value is a text or bytes."""
    return isinstance(value, (str, bytes))


def is_parts(value: object) -> TypeGuard[Sequence[object]]:
    """Whether a value is a list or a tuple."""
    return isinstance(value, (list, tuple))


def is_set(value: object) -> TypeGuard[AbstractSet[object]]:
    """Whether a value is a set."""
    return isinstance(value, (set, frozenset))


def is_dict(value: object) -> TypeGuard[dict[object, object]]:
    """Whether a value is a dict or of a subclass."""
    return isinstance(value, dict)


def is_view(value: object) -> TypeGuard[Collection[object]]:
    """Whether a value is a view of a dict: its keys, values or items."""
    return isinstance(value, VIEWS)


def is_true(value: object) -> bool:
    """What `and`, `or`, `not` and `if` of Python take a value for.

    Raises:
        TypeError: The class decides with code of its own.
    """
    cls = type(value)
    if may_compute(value) or not (hasattr(cls, "__bool__") or hasattr(cls, "__len__")):
        return bool(value)
    raise TypeError(
        f"whether {a_kind(value)} is true would run code of its class; compare something of it instead"
    )


def truth(value: object) -> bool:
    """The value of a condition: a bool, also one of numpy.

    Raises:
        TypeError: It is something else; the message proposes a comparison.
    """
    if isinstance(value, bool):
        return value
    if library_of(value) == "numpy" and type(value).__name__ in _NUMPY_BOOLS:
        return bool(value)
    raise TypeError(f"the condition is {a_kind(value)}, not a bool; {_comparison(value)}")


def a_kind(value: object) -> str:
    """A value's type, with its article, for a message."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeioAEIO" else f"a {name}"


def refuse(value: object, what: str) -> TypeError:
    """The error for an operation that would run code of a class."""
    return TypeError(f"{what} {a_kind(value)} would run code of its class; give it to a task")


def _comparison(value: object) -> str:
    if value is None:
        return "write `x is not None` to ask whether there is a value"
    if isinstance(value, str):
        return 'write `x != ""` to ask whether there is a text'
    if isinstance(value, (int, float)):
        return "write `x != 0` or another comparison"
    if isinstance(value, (list, tuple, dict, set, frozenset, bytes, range)):
        return "write `len(x) > 0` to ask whether it has items"
    return "write a comparison, such as `x is not None`"
