"""Undos that failed, as they are told. In: the failures of undos; out: lines for the failure that goes on.

They may be many, in a loop of sagas: the first of them are told, and how many there are.
"""

from dataclasses import dataclass, field

from flowrt.noun import replace
from flowrt.record import Failure

TOLD_MAX = 10
LINE_MAX = 300


@dataclass(slots=True, eq=False)
class UndoFailures:
    """The undos that failed; `step` is the path of the first."""

    step: str = ""
    count: int = 0
    told: list[str] = field(default_factory=list[str])

    def add(self, path: str, failure: Failure) -> None:
        """Note that the undo of the step with this path failed."""
        self.step = self.step or f"{path}.undo"
        self.count += 1
        if len(self.told) < TOLD_MAX:
            said = failure.message.splitlines()[0] if failure.message else ""
            why = f"{failure.type}: {said}" if said else failure.type
            self.told.append(f"The undo of `{path}` failed: {why[:LINE_MAX]}")

    def lines(self) -> list[str]:
        """One line for each, as far as they are told."""
        rest = self.count - len(self.told)
        return [*self.told, f"… and {rest} more undos failed."] if rest else list(self.told)


def with_undo_failures(failure: Failure, failures: UndoFailures) -> Failure:
    """A failure whose message names the undos that failed as well, each once."""
    missing = [line for line in failures.lines() if line not in failure.message]
    if not missing:
        return failure
    return replace(failure, message="\n".join([failure.message, *missing]))
