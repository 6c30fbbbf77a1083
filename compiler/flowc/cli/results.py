"""Recorded values on the command line. In: handles. Out: Python values, or text on stdout."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowc.cli.json_value import dump
from flowrt.errors import CodecError

if TYPE_CHECKING:
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


def use_python_path(python_path: Sequence[str]) -> None:
    """Let values of a run's own classes be decoded: search where its callables were searched."""
    from flowrt.executor.callee import put_first

    put_first(python_path)


def load(blobs: "Blobs", handle: "Handle") -> object:
    """The value of a handle, or an `Undecodable`. Raises StoreCorrupt."""
    from flowrt.encoding.values import Values

    try:
        return Values(blobs).load(handle)
    except CodecError as error:
        return Undecodable(str(error))


def print_value(value: object) -> None:
    """Print a value for people: text as it is, nothing for None, anything else as JSON."""
    if isinstance(value, str):
        sys.stdout.write(value if value.endswith("\n") else value + "\n")
    elif value is not None:
        sys.stdout.write(dump(value) + "\n")
