"""The tasks of the nightly_report flow: logs are `*.log` files, and an error is a line that says ERROR."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import flowrt


@dataclass(frozen=True)
class Count:
    """How many lines of a log are errors."""

    log: str
    errors: int


@dataclass(frozen=True)
class Report:
    """Where a report stands, and how many errors it tells of."""

    path: str
    errors: int


def find_logs(folder: str) -> list[str]:
    """The logs in a folder, in order."""
    return sorted(str(path) for path in Path(folder).glob("*.log"))


def count_errors(log: str) -> Count:
    """The errors of one log; one that is no text raises UnicodeDecodeError."""
    with Path(log).open(encoding="utf-8") as lines:
        return Count(Path(log).name, sum("ERROR" in line for line in lines))


def write_report(folder: str, day: date, counts: list[Count], unread: list["flowrt.ForError"]) -> Report:
    """Write the report of a day beside the logs, whole and in one move: a second attempt does no harm."""
    errors = sum(count.errors for count in counts)
    lines = [f"{day}: {errors} errors", *(f"  {count.log}: {count.errors}" for count in counts)]
    lines += [f"  {Path(str(error.item)).name} could not be read: {error.type}" for error in unread]
    path = Path(folder) / f"report-{day}.txt"
    draft = path.with_suffix(".draft")
    draft.write_text("\n".join(lines) + "\n", encoding="utf-8")
    draft.replace(path)
    return Report(str(path), errors)
