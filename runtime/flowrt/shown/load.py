"""Recorded values for being shown. In: handles. Out: Python values, or a stand-in that says why not."""

from flowrt.encoding.values import Values
from flowrt.errors import CodecError, StoreError
from flowrt.executor.callee import put_first
from flowrt.snapshot.cache import code_folders
from flowrt.store.port import Blobs
from flowrt.store.rows import RunRow
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


def use_code(row: RunRow, blobs: Blobs) -> None:
    """Let values of a run's own classes be decoded: search where its workers search.

    Where its code cannot be had, what needs none of its classes is shown all the same.
    """
    try:
        put_first(code_folders(row.python_path, row.snapshot, blobs))
    except StoreError:
        put_first(row.python_path)
