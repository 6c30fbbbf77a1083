"""Handles to Python objects and back. In: handles of `flowrt.value` and a blob store; out: objects.

`load` gives objects of the caller's own: what one task does to its argument, no other reader sees.
`peek` gives objects that are shared and kept for a while: for expressions, which change nothing. A loop
over a large value takes its items one by one; the value is decoded once and kept while it is in use, so
an item costs no more than itself.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import cast

from flowrt import collected
from flowrt.encoding.codec import Part, decode, encode
from flowrt.encoding.data_shape import SCALARS
from flowrt.encoding.elements import elements
from flowrt.encoding.recent import Recent
from flowrt.errors import CodecError
from flowrt.expr.evaluate import evaluate
from flowrt.expr.tree import Const, Expr
from flowrt.store.port import Blobs
from flowrt.value import Blob, Collected, Element, Fields, Handle, Inline, Items, Literal

INLINE_MAX = 32 * 1024
"""Encoded values up to this size stand in their record; larger ones go to the blob store."""

_KEEP_BYTES = 64 * 1024 * 1024
_KEEP_FROM = 1024
"""Inline values below this size are decoded faster than they are looked up."""

_TOO_DEEP = "A value made of the results of many steps is nested too deeply to be put together."


class Values:
    """Loads and records values by way of one blob store."""

    def __init__(
        self, blobs: Blobs, keep_bytes: int = _KEEP_BYTES, *, allow_pickle: bool | None = None
    ) -> None:
        """Keep up to `keep_bytes` of decoded values for `peek` and for the items of loops.

        `allow_pickle` is as for `flowrt.encoding.codec.encode`.
        """
        self._blobs = blobs
        self._allow_pickle = allow_pickle
        self._of_data: Values | None = None
        self._kept: Recent[tuple[object, Handle]] = Recent(keep_bytes)

    @property
    def blobs(self) -> Blobs:
        """Where large values are kept."""
        return self._blobs

    def of_data(self) -> "Values":
        """Values of the same blob store that pickle and unpickle nothing."""
        if self._allow_pickle is False:
            return self
        if self._of_data is None:
            self._of_data = Values(self._blobs, allow_pickle=False)
        return self._of_data

    def load(self, handle: Handle) -> object:
        """The value of a handle, as a new object; arrays in it are read-only.

        Raises:
            StoreCorrupt: Its bytes are damaged or lost.
            StoreUnavailable: The blob store cannot be read just now.
            CodecError: It cannot be decoded in this process.
            TypeError: It is an element of what cannot be iterated.
        """
        try:
            return self._load(handle)
        except RecursionError as error:
            raise CodecError(_TOO_DEEP) from error

    def load_env(self, env: Mapping[str, Handle]) -> dict[str, object]:
        """The values of several names. Raises what `load` raises."""
        return {name: self.load(handle) for name, handle in env.items()}

    def peek(self, handle: Handle) -> object:
        """The value of a handle, shared with others: to be read and never changed. Raises as `load`."""
        try:
            return self._peek(handle)
        except RecursionError as error:
            raise CodecError(_TOO_DEEP) from error

    def count(self, handle: Handle) -> int:
        """How many elements a value has. Raises as `load`, and TypeError when it cannot be iterated."""
        match handle:
            case Items(parts):
                return len(parts)
            case Fields(parts):
                return len(parts)
            case _:
                return len(self._elements(handle))

    def encode(self, obj: object) -> bytes:
        """The encoded bytes of a value. Raises CodecError."""
        return b"".join(encode(obj, allow_pickle=self._allow_pickle))

    def record(self, obj: object) -> Handle:
        """A handle of a value that is durable: large values are in the blob store on return.

        Raises:
            CodecError: The value cannot be encoded.
            StoreUnavailable: The blob store cannot be written just now.
        """
        return self.stored(self.parts(obj))

    def parts(self, obj: object) -> list[Part]:
        """The encoded bytes of a value, in parts that may share memory with it. Raises CodecError."""
        return encode(obj, allow_pickle=self._allow_pickle)

    def stored(self, parts: list[Part]) -> Handle:
        """A handle of encoded bytes that is durable. Raises StoreUnavailable."""
        if sum(map(len, parts)) <= INLINE_MAX:
            return Inline(b"".join(parts))
        return Blob(*self._blobs.put(parts))

    def refresh(self, digest: str) -> None:
        """Make a blob count as one that was just put. Raises StoreCorrupt when it is not there any more."""
        self._blobs.renew(digest)

    def _load(self, handle: Handle) -> object:
        match handle:
            case Inline(data):
                return decode(data, allow_pickle=self._allow_pickle)
            case Blob(digest):
                return decode(self._blobs.get(digest), allow_pickle=self._allow_pickle)
            case Items() | Fields() | Collected():
                return _assembled(handle, self._load)
            case Element(Items(parts), index, batch):
                return _of_items(parts, index, batch, self._load)
            case Element():
                return self._own(self._element(handle))
            case Literal(expr):
                return self._own(_constant(expr))

    def _peek(self, handle: Handle) -> object:
        match handle:
            case Inline(data) if len(data) < _KEEP_FROM:
                return decode(data, allow_pickle=self._allow_pickle)
            case Inline() | Blob():
                return self._keep(("value", _key(handle)), handle, self._load)
            case Items() | Fields() | Collected():
                return self._keep(("value", _key(handle)), handle, lambda box: _assembled(box, self._peek))
            case Element(Items(parts), index, batch):
                return _of_items(parts, index, batch, self._peek)
            case Element():
                return self._element(handle)
            case Literal(expr):
                return _constant(expr)

    def _element(self, handle: Element) -> object:
        """An element, or a batch of them, shared."""
        found = self._elements(handle.of)
        if handle.batch:
            start = handle.index * handle.batch
            return list(found[start : start + handle.batch])
        return found[handle.index]

    def _elements(self, handle: Handle) -> Sequence[object]:
        made = self._keep(("elements", _key(handle)), handle, lambda of: elements(self._peek(of)))
        return cast("Sequence[object]", made)

    def _own(self, value: object) -> object:
        """A value that shares nothing with the given one."""
        if type(value) in SCALARS:
            return value
        return decode(self.encode(value), allow_pickle=self._allow_pickle)

    def _keep(self, key: Hashable, handle: Handle, make: Callable[[Handle], object]) -> object:
        """What is kept under a key, or else is made of the handle and kept.

        The handle is kept with it: a key that is its identity must not outlive it.
        """
        kept = self._kept.get(key)
        if kept is None:
            kept = (make(handle), handle)
            self._kept.put(key, kept, _weight(handle))
        return kept[0]


def _assembled(handle: Handle, part: Callable[[Handle], object]) -> object:
    """The object that a composed handle stands for, out of the values of its parts."""
    match handle:
        case Items(parts):
            return [part(item) for item in parts]
        case Fields(fields):
            return {name: part(value) for name, value in fields}
        case Collected(values, errors):
            return collected.Collected(
                [part(value) for value in values],
                [collected.ForError(e.index, part(e.item), e.type, e.message) for e in errors],
            )
        case Inline() | Blob() | Element() | Literal():
            return part(handle)


def _of_items(parts: Sequence[Handle], index: int, batch: int, part: Callable[[Handle], object]) -> object:
    """An element, or a batch of them, of a list whose parts are handles."""
    if batch:
        return [part(item) for item in parts[index * batch : (index + 1) * batch]]
    return part(parts[index])


def _constant(expr: Expr) -> object:
    if isinstance(expr, Const):
        return expr.value
    return evaluate(expr, {})


def _key(handle: Handle) -> Hashable:
    """What a value is kept under: its content when that is cheap to compare, else its identity."""
    match handle:
        case Inline(data):
            return data
        case Blob(digest):
            return digest
        case Element(of, index, batch):
            return (_key(of), index, batch)
        case _:
            return id(handle)


def _weight(handle: Handle) -> int:
    """About how many bytes a value that is kept takes by itself."""
    match handle:
        case Inline(data):
            return len(data)
        case Blob(_, size):
            return size
        case Items(parts) | Collected(parts):
            return _KEEP_FROM + 16 * len(parts)
        case _:
            return _KEEP_FROM
