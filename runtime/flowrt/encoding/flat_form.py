"""Trees of dataclasses to bytes and back. In: a noun of a program or a record; out: canonical bytes.

A program may be nested deeper than Python's or msgpack's stacks bear, so a tree is written flat, in
preorder, as two columns: its shape, one or two bytes a node, and its leaves in order.

    0x00–0xBF  an object: the byte before it is how many fields follow, the byte itself is its class
    0xC0       a tuple: its length is the next leaf
    0xC1–0xDF  a tuple of 0 to 30 parts
    0xE0       a leaf: None, bool, int (64 bits), float, str or bytes
    0xE1       a leaf: any other value, encoded by `flowrt.encoding.codec`

Read backwards, the shape is a program for a stack machine: a leaf pushes, an object of n fields pops n.
Neither way recurses.

Versions. Fields at the end of a class that hold their defaults are not written. So a field that is added
at the end of a class, with a default, changes neither the bytes nor the digest of what does not use it,
and old bytes read as the default. Bytes with a class or a field that this version does not know are of a
newer one. Fields that take no part in equality (positions, code) are not written at all.

    version (1 byte), CRC-32 of the rest (4 bytes), msgpack of [shape, leaf, leaf, …]

The CRC makes of every damage a `StoreCorrupt`, for programs, for records, and for the small values that
stand in records.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from operator import attrgetter
from typing import cast

from flowrt.encoding.classes import CLASSES
from flowrt.encoding.codec import decode, encode
from flowrt.encoding.wire import UNPACK_ERRORS, pack, unpack
from flowrt.errors import StoreCorrupt, StoreTooNew, WrongStoreKey
from flowrt.store.seal import is_sealed, without_key

VERSION = 1
_HEAD_SIZE = 5

_TUPLE = 0xC0
_SHORT_TUPLE = 0xC1
_LONGEST_SHORT = 30
_LEAF = 0xE0
_VALUE = 0xE1

_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_INT_MAX = (1 << 63) - 1
_DAMAGE: tuple[type[Exception], ...] = (*UNPACK_ERRORS, IndexError, KeyError)


@dataclass(frozen=True, slots=True)
class _Form:
    """How a class is written. `read` gives its fields; `defaults` are those of the last of them."""

    code: int
    make: Callable[..., object]
    read: Callable[[object], tuple[object, ...]]
    count: int
    defaults: tuple[object, ...]


def _form(code: int, cls: type) -> _Form:
    written = [field for field in cast("tuple[Field[object], ...]", fields(cls)) if field.compare]
    names = [field.name for field in written]
    get = attrgetter(*names)
    defaults = tuple(field.default for field in written if field.default is not MISSING)

    def only(noun: object) -> tuple[object, ...]:
        return (get(noun),)

    # For a single name attrgetter gives the attribute itself.
    read = only if len(names) == 1 else cast("Callable[[object], tuple[object, ...]]", get)
    return _Form(code, cls, read, len(names), defaults)


_FORMS: Mapping[type, _Form] = {cls: _form(code, cls) for code, cls in CLASSES.items()}
_BY_CODE: Mapping[int, _Form] = {form.code: form for form in _FORMS.values()}


def is_of(cls: type, data: bytes) -> bool:
    """Whether bytes that `to_bytes` gave are of this class: a look at one byte, without reading the rest.

    The answer for damaged bytes is either; whoever reads them finds the damage.
    """
    at = _HEAD_SIZE
    try:
        at += {0xDC: 3, 0xDD: 5}.get(data[at], 1)  # the head of the list
        at += {0xC4: 2, 0xC5: 3, 0xC6: 5}.get(
            data[at], 0
        )  # that of the shape, whose first object is the root
        return data[at + 1] == _FORMS[cls].code
    except IndexError:
        return False


def to_bytes(root: object) -> bytes:
    """The bytes of a tree of classes of `flowrt.encoding.classes`. Raises CodecError for a value in it."""
    try:
        payload = pack(_flatten(root, _PLAIN))
    except UnicodeEncodeError:
        # Some text holds lone surrogates, as names of files may: texts go through the codec.
        payload = pack(_flatten(root, _PLAIN - {str}))
    return VERSION.to_bytes() + zlib.crc32(payload).to_bytes(4, "big") + payload


def _flatten(root: object, plain: frozenset[type]) -> list[object]:
    """The columns of a tree: its shape, then its leaves."""
    shape = bytearray()
    columns: list[object] = [b""]
    ahead = [root]
    while ahead:
        noun = ahead.pop()
        kind = type(noun)
        if kind in plain and not (kind is int and abs(cast("int", noun)) > _INT_MAX):
            shape.append(_LEAF)
            columns.append(noun)
        elif kind is tuple:
            parts = cast("tuple[object, ...]", noun)
            if len(parts) <= _LONGEST_SHORT:
                shape.append(_SHORT_TUPLE + len(parts))
            else:
                shape.append(_TUPLE)
                columns.append(len(parts))
            ahead.extend(reversed(parts))
        elif kind in _FORMS:
            form = _FORMS[kind]
            parts = form.read(noun)
            count = _written_count(form, parts)
            shape += bytes((count, form.code))
            ahead.extend(parts[count - 1 :: -1] if count else ())
        else:
            shape.append(_VALUE)
            columns.append(b"".join(encode(noun)))
    columns[0] = bytes(shape)
    return columns


def _written_count(form: _Form, parts: tuple[object, ...]) -> int:
    """How many fields are left when those at the end that hold their defaults are taken away."""
    count = form.count
    for default in reversed(form.defaults):
        part = parts[count - 1]
        if type(part) is not type(default) or part != default:
            break
        count -= 1
    return count


def from_bytes(data: bytes) -> object:
    """The tree of bytes that `to_bytes` wrote.

    Raises:
        StoreCorrupt: The bytes are others.
        StoreTooNew: They are of a newer version.
        WrongStoreKey: They are sealed, and have come here without being unsealed.
        CodecError: A value in them needs what this process lacks.
    """
    if is_sealed(data):
        raise WrongStoreKey(without_key("program or record"))
    if len(data) <= _HEAD_SIZE:
        raise StoreCorrupt(f"A stored program or record has {len(data)} bytes, too few to be one.")
    if zlib.crc32(memoryview(data)[_HEAD_SIZE:]) != int.from_bytes(data[1:_HEAD_SIZE], "big"):
        raise StoreCorrupt("A stored program or record is damaged: its checksum is wrong.")
    if data[0] != VERSION:
        raise StoreTooNew(
            f"A stored program or record has format {data[0]}; this version reads {VERSION}. Upgrade flowc."
        )
    try:
        shape, *leaves = cast("list[object]", unpack(memoryview(data)[_HEAD_SIZE:]))
        return _rebuild(cast("bytes", shape), leaves)
    except _DAMAGE as error:
        raise StoreCorrupt(f"A stored program or record is no valid tree: {type(error).__name__}.") from error


def _rebuild(shape: bytes, leaves: list[object]) -> object:
    """Run the shape backwards: what is behind a node has been made when the node is reached."""
    made: list[object] = []
    at = len(shape) - 1
    while at >= 0:
        code = shape[at]
        at -= 1
        if code == _LEAF:
            made.append(leaves.pop())
        elif code == _VALUE:
            made.append(decode(cast("bytes", leaves.pop())))
        elif code >= _TUPLE:
            count = cast("int", leaves.pop()) if code == _TUPLE else code - _SHORT_TUPLE
            made.append(tuple(_take(made, count)))
        else:
            form = _BY_CODE.get(code)
            count = shape[at]
            at -= 1
            if form is None or count > form.count:
                raise StoreTooNew(
                    "A stored program or record holds what only a newer version knows. Upgrade flowc."
                )
            made.append(form.make(*_take(made, count)))
    [root] = made
    return root


def _take(made: list[object], count: int) -> list[object]:
    """The last `count` things made, the newest first; they are taken away."""
    if not 0 <= count <= len(made):
        raise ValueError("fewer parts than told")
    start = len(made) - count
    taken = made[start:]
    del made[start:]
    taken.reverse()
    return taken
