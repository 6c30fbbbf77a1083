"""Handles: how the core and the journal name a value without looking into it.

A value that was recorded is `Inline` (its encoded bytes) or a `Blob` (the digest of bytes in the blob
store). The others are made of recorded ones by the core and are never encoded as such: a loop's list of
contributions, a graph's mapping of names, one element of the value that a loop goes through. Only
`flowrt.encoding.values` turns handles into Python objects and back.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from flowrt.expr.tree import Const, Expr
from flowrt.noun import noun


@noun
class Inline:
    """Encoded bytes, at most 32 KiB (see `flowrt.encoding.codec`)."""

    data: bytes


@noun
class Blob:
    """A SHA-256 digest (hex) and a size in bytes of encoded bytes in the blob store."""

    digest: str
    size: int


@noun
class Items:
    """A list, part by part."""

    parts: tuple["Handle", ...]


@noun
class Fields:
    """A mapping of names to values."""

    parts: tuple[tuple[str, "Handle"], ...]


@noun
class Element:
    """Item `index` of an iterable value; with `batch` n, the list of items index*n to index*n+n."""

    of: "Handle"
    index: int
    batch: int = 0


@noun
class BodyError:
    """One failed body of a `for` with `errors: collect`."""

    index: int
    item: "Handle"
    type: str
    message: str


@noun
class Collected:
    """The value of a `for` with `errors: collect`: `.values` and `.errors`."""

    values: tuple["Handle", ...]
    errors: tuple[BodyError, ...]


@noun
class Literal:
    """The value of a constant expression of the program, such as the default of an input."""

    expr: Expr


Handle: TypeAlias = Inline | Blob | Items | Fields | Element | Collected | Literal


def leaves(handles: Iterable[Handle]) -> Iterator[Handle]:
    """The recorded values and constants that handles are made of, with repetitions."""
    open_ = list(handles)
    while open_:
        handle = open_.pop()
        match handle:
            case Items(parts):
                open_.extend(parts)
            case Fields(fields):
                open_.extend(part for _, part in fields)
            case Element(of):
                open_.append(of)
            case Collected(values, errors):
                open_.extend(values)
                open_.extend(error.item for error in errors)
            case Inline() | Blob() | Literal():
                yield handle


NONE: Handle = Literal(Const(None))
"""The handle of None."""
