"""Recorded values on the command line. In: where they are decoded; values. Out: text on stdout."""

import sys
from collections.abc import Sequence

from flowrt.shown.json_value import dump


def use_python_path(python_path: Sequence[str]) -> None:
    """Let values of a run's own classes be decoded: search where its callables were searched."""
    from flowrt.executor.callee import put_first

    put_first(python_path)


def print_value(value: object) -> None:
    """Print a value for people: text as it is, nothing for None, anything else as JSON."""
    if isinstance(value, str):
        sys.stdout.write(value if value.endswith("\n") else value + "\n")
    elif value is not None:
        sys.stdout.write(dump(value) + "\n")
