"""Telling of runs that are damaged. In: what a listing could not read. Out: stderr, and the exit code."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowc.cli.exits import DONE, USAGE

if TYPE_CHECKING:
    from flowrt.listing import Damage


def tell_damaged(damaged: "Sequence[Damage]") -> int:
    """Say which runs are damaged, and how; 2 when there are any, else 0."""
    if not damaged:
        return DONE
    for each in damaged:
        sys.stderr.write(f"error: {each.problem}\n")
    sys.stderr.write(
        "help: the other runs are not concerned; `flowc store check` tells everything that is damaged\n"
    )
    return USAGE
