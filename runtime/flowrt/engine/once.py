"""At most once: what becomes of an attempt that may not be made again, when nobody knows how it ended.

In: the command of a task whose intent is recorded. Out: the record that fails its step as unknown.
"""

from collections.abc import Iterator

from flowrt.command import RunTask
from flowrt.core.once import unknown
from flowrt.core.state import State
from flowrt.record import Failed


def unknown_outcome(command: RunTask, now: int) -> Failed:
    """The failure of a step whose one attempt was begun, and did not report how it ended."""
    return Failed(command.step, unknown(command.step), command.attempt, command.first_at, now)


def unknown_outcomes(state: State, now: int) -> Iterator[Failed]:
    """The same for a run that is taken up: what was begun was begun by an engine that is no more."""
    for command in state.open_commands:
        if isinstance(command, RunTask) and command.task.once:
            yield unknown_outcome(command, now)
