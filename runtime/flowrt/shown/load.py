"""Recorded values for being shown. In: handles. Out: Python values, or a stand-in that says why not."""

from flowrt.encoding.values import Values
from flowrt.errors import CodecError
from flowrt.store.port import Blobs
from flowrt.value import Handle


class Undecodable:
    """Stands for a value whose class is not to be had here, such as one of a package not installed."""

    def __init__(self, reason: str) -> None:
        """Keep why."""
        self._reason = reason

    def __repr__(self) -> str:
        """Say why."""
        return f"<{self._reason}>"


def load(blobs: Blobs, handle: Handle) -> object:
    """The value of a handle, or an `Undecodable`. Raises StoreCorrupt."""
    try:
        return Values(blobs).load(handle)
    except CodecError as error:
        return Undecodable(str(error))
