"""The door to msgpack, with types. In: plain data; out: bytes, and the reverse.

`pack` is exact: a value whose type is not one of msgpack's own (a tuple, an `IntEnum`, a subclass of
`str`, an integer beyond 64 bits) is handed to `other`. Two of msgpack's own liberties remain and are the
callers' to avoid: it takes a `bytearray` or a `memoryview` for `bytes`.
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

import msgpack  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]

_Packer = cast("Callable[..., Any]", msgpack.Packer)  # pyright: ignore[reportUnknownMemberType]

Ext = msgpack.ExtType
"""A typed piece of bytes, `Ext(code, data)`; codes are 0 to 127."""

UNPACK_ERRORS: tuple[type[Exception], ...] = (
    ValueError,  # Includes truncated and trailing bytes, text that is not UTF-8, lengths beyond the end.
    TypeError,  # A key that cannot be hashed.
    OverflowError,
    msgpack.UnpackException,
)
"""What `unpack` raises for bytes that `pack` did not write."""


def _refuse(value: object) -> object:
    raise TypeError(f"{type(value).__qualname__} is not plain data")


def _unknown(code: int, data: bytes) -> object:
    raise ValueError(f"unexpected extension {code} of {len(data)} bytes")


def pack(value: object, other: Callable[[object], object] = _refuse) -> bytes:
    """The bytes of a value.

    Raises:
        ValueError: A text has lone surrogates, or a part is larger than 4 GiB.
        Exception: What `other` raises.
    """
    return cast("bytes", _Packer(default=other, strict_types=True).pack(value))


def pack_list(parts: Sequence[bytes]) -> bytes:
    """The bytes of a list whose parts are bytes of `pack` already."""
    header = cast("bytes", _Packer().pack_array_header(len(parts)))
    return header + b"".join(parts)


def unpack(data: bytes | memoryview, other: Callable[[int, bytes], object] = _unknown) -> object:
    """The value of bytes. Raises one of `UNPACK_ERRORS` for other bytes, or what `other` raises."""
    return cast(
        "object",
        msgpack.unpackb(data, ext_hook=other, strict_map_key=False),  # pyright: ignore[reportUnknownMemberType]
    )
