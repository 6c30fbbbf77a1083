"""Findings for people: the line that counts them, and whether they are coloured."""

import os
from collections.abc import Callable, Sequence

from flowc.diagnostic import Diagnostic, Severity


def summary(found: Sequence[Diagnostic], file_count: int) -> str:
    """One line such as `3 errors in 2 files`."""
    if not found:
        return f"No findings in {_count(file_count, 'file')}."
    kinds: tuple[Severity, ...] = ("error", "warning", "info")
    counts = [(kind, sum(one.severity == kind for one in found)) for kind in kinds]
    said = ", ".join(_count(count, "note" if kind == "info" else kind) for kind, count in counts if count)
    return f"{said} in {_count(len({one.source.name for one in found}), 'file')}"


def use_color(isatty: Callable[[], bool]) -> bool:
    """Whether to colour a stream: on a terminal, unless NO_COLOR or FORCE_COLOR say otherwise."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (isatty() and os.environ.get("TERM") != "dumb")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
