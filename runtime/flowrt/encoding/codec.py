"""The codec: any Python value to bytes and back. In: an object; out: parts whose concatenation is stored.

The first byte says the form (high half) and its version (low half):

    0x1v  data: `flowrt.encoding.data_form`, compact, deterministic, without pickle
    0x2v  pickle: everything else, by cloudpickle with protocol 5
    0x3v  not a value: an envelope of `flowrt.store.seal`, whose bytes are read by who has the key

The pickle form keeps the large buffers of numpy arrays and of what else offers them (Arrow, Ray) out of
the pickle, so that they are written from where they lie and read without a copy:

    tag, 3 zero bytes, CRC-32 of all that follows up to the buffers (u32)
    count of buffers (u32), length of the pickle (u32 × 2), length of each buffer (u64)
    the pickle, then each buffer at a multiple of 64 bytes from the start

Integers are little-endian. The CRC stands there because to unpickle damaged bytes is to run them; the
buffers are under the checksum of the record or the digest of the blob that holds the whole.

Arrays that come out of `decode` are views of the stored bytes and therefore read-only, as they are when
Ray hands them to a task. Who wants to write takes a copy.
"""

import pickle
import struct
import zlib
from collections.abc import Sequence

import cloudpickle  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

from flowrt.encoding.data_form import NotData, from_bytes, to_bytes
from flowrt.encoding.pickles import pickles_allowed
from flowrt.errors import CodecError, StoreCorrupt, WrongStoreKey
from flowrt.store.seal import SEALED_FORM, without_key

_DATA = b"\x11"
_PICKLE = b"\x21"
_HEAD = struct.Struct("<B3xIIQ")
_ALIGNMENT = 64
_KNOWN_FORMS = frozenset({1, 2})
_DATA_ONLY = "The codec is `data` here (FLOWC_CODEC, or `codec` in [tool.flowc]), which pickles nothing."

Part = bytes | memoryview


def encode(obj: object, *, allow_pickle: bool | None = None) -> list[Part]:
    """The bytes of a value, in parts that may share memory with it.

    Args:
        obj: Any value. It must not change before the parts are written.
        allow_pickle: Whether what is no data may be pickled; None for what the environment says.

    Raises:
        CodecError: The value cannot be encoded.
    """
    try:
        return [_DATA + to_bytes(obj)]
    except NotData as reason:
        if not _may(allow_pickle=allow_pickle):
            raise CodecError(
                f"A value of type {_type_name(obj)} cannot be stored as data: {reason}. {_DATA_ONLY} "
                "Return None, bool, int, float, str, bytes, dates, times, and lists, tuples, dicts and "
                "sets of them."
            ) from reason
    return _pickle(obj)  # Out here, an error of the value's own code has no error of ours as its context.


def decode(data: bytes | memoryview, *, allow_pickle: bool | None = None) -> object:
    """The value of bytes that `encode` gave; a new object at each call, arrays read-only.

    `allow_pickle` is as for `encode`.

    Raises:
        StoreCorrupt: The bytes are damaged.
        CodecError: The bytes are intact, but this process lacks a module, class or zone that they name,
            or they are pickled and that is not allowed.
    """
    if len(data) == 0:
        raise StoreCorrupt("A stored value has no bytes at all.")
    match data[0]:
        case 0x11:
            return from_bytes(memoryview(data)[1:])
        case 0x21 if _may(allow_pickle=allow_pickle):
            return _unpickle(memoryview(data).toreadonly())
        case 0x21:
            raise CodecError(f"A stored value is pickled and is not read. {_DATA_ONLY}")
        case tag if tag >> 4 == SEALED_FORM:
            raise WrongStoreKey(without_key("value"))
        case tag if tag >> 4 in _KNOWN_FORMS:
            raise CodecError(
                f"A stored value has form {tag:#04x}, which a newer version of flowc wrote. Upgrade flowc."
            )
        case tag:
            raise StoreCorrupt(f"A stored value begins with {tag:#04x}, which is no form of a value.")


def _may(*, allow_pickle: bool | None) -> bool:
    return pickles_allowed() if allow_pickle is None else allow_pickle


def _type_name(obj: object) -> str:
    return f"{type(obj).__module__}.{type(obj).__qualname__}".removeprefix("builtins.")


def _pickle(obj: object) -> list[Part]:
    buffers: list[pickle.PickleBuffer] = []
    try:
        stream: bytes = cloudpickle.dumps(obj, protocol=5, buffer_callback=buffers.append)  # pyright: ignore[reportUnknownMemberType]
        raw = [buffer.raw() for buffer in buffers]
    except Exception as error:
        # Pickling runs the value's own code, which may raise anything.
        raise CodecError(
            f"A value of type {_type_name(obj)} cannot be stored: {_reason(error)}. "
            "Return data instead, or an object that pickle can write, such as a path to what it stands for."
        ) from error
    head = struct.pack(f"<IQ{len(raw)}Q", len(raw), len(stream), *(len(buffer) for buffer in raw))
    checksum = zlib.crc32(stream, zlib.crc32(head))
    parts: list[Part] = [_PICKLE + b"\0\0\0" + struct.pack("<I", checksum) + head + stream]
    at = len(parts[0])
    for buffer in raw:
        gap = -at % _ALIGNMENT
        parts += [bytes(gap), buffer]
        at += gap + len(buffer)
    return parts


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError) or "recursion" in str(error):
        return "it is nested too deeply"
    return str(error).rstrip(".") or type(error).__name__


def _split(data: memoryview) -> tuple[memoryview, list[memoryview]]:
    """The pickle and the buffers of the pickle form. Raises ValueError or struct.error for damage."""
    _, checksum, count, length = _HEAD.unpack_from(data)
    start = _HEAD.size + 8 * count
    if zlib.crc32(data[8 : start + length]) != checksum:
        raise ValueError("the checksum is wrong")
    buffers: list[memoryview] = []
    at = start + length
    for size in struct.unpack_from(f"<{count}Q", data, _HEAD.size):
        at += -at % _ALIGNMENT
        buffers.append(data[at : at + size])
        at += size
    if at != len(data):
        raise ValueError(f"there are {len(data)} bytes instead of {at}")
    return data[start : start + length], buffers


def _unpickle(data: memoryview) -> object:
    try:
        stream, buffers = _split(data)
    except (struct.error, ValueError) as error:
        raise StoreCorrupt(f"The bytes of a stored value are damaged: {error}.") from error
    try:
        return _load(stream, buffers)
    except (ImportError, AttributeError) as error:
        raise CodecError(
            f"A stored value cannot be read here: {error}. "
            "The module or class that it was made of must be importable under the same name."
        ) from error
    except Exception as error:
        # The bytes are those that were written; what raises is the code of the value's own class.
        raise CodecError(
            f"A stored value cannot be rebuilt here: {type(error).__name__}: {error}."
        ) from error


def _load(stream: memoryview, buffers: Sequence[memoryview]) -> object:
    value: object = pickle.loads(stream, buffers=buffers)  # noqa: S301 (the store is the user's own)
    return value
