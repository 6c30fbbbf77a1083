"""Undos that failed, and `finally` of what was stopped. In: their failures; out: lines for what goes on.

They may be many, in a loop of sagas: the first of them are told, and how many there are.
"""

from dataclasses import dataclass, field

from flowrt.noun import replace
from flowrt.record import Failure

TOLD_MAX = 10
LINE_MAX = 300


@dataclass(slots=True, eq=False)
class UndoFailures:
    """The undos that failed; `step` is the path of the first. `finally_count` of them are no undos."""

    step: str = ""
    count: int = 0
    finally_count: int = 0
    told: list[str] = field(default_factory=list[str])

    def add(self, path: str, failure: Failure) -> None:
        """Note that the undo of the step with this path failed."""
        self._tell(f"{path}.undo", f"The undo of `{path}` failed", failure)

    def add_finally(self, path: str, failure: Failure) -> None:
        """Note that the `finally` of the step with this path failed, while that was stopped."""
        self.finally_count += 1
        self._tell(failure.step or path, f"The `finally` of `{path}` failed", failure)

    def _tell(self, step: str, what: str, failure: Failure) -> None:
        self.step = self.step or step
        self.count += 1
        if len(self.told) < TOLD_MAX:
            said = failure.message.splitlines()[0] if failure.message else ""
            why = f"{failure.type}: {said}" if said else failure.type
            self.told.append(f"{what}: {why[:LINE_MAX]}")

    def lines(self) -> list[str]:
        """One line for each, as far as they are told."""
        rest = self.count - len(self.told)
        what = "undos" if not self.finally_count else "undos and `finally`"
        return [*self.told, f"… and {rest} more {what} failed."] if rest else list(self.told)


def with_undo_failures(failure: Failure, failures: UndoFailures) -> Failure:
    """A failure whose message names the undos that failed as well, each once."""
    missing = [line for line in failures.lines() if line not in failure.message]
    if not missing:
        return failure
    return replace(failure, message="\n".join([failure.message, *missing]))
