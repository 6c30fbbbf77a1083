"""The port through which a fold of records is watched: for progress on a terminal and for `show`."""

from typing import Literal, Protocol

StepKind = Literal[
    "task",
    "value",
    "sample",
    "if",
    "for",
    "while",
    "until",
    "sleep",
    "wait",
    "emit",
    "start",
    "lock",
    "block",
    "flow",
    "end",
    "saga",
    "switch",
    "race",
    "try",
    "listener",
]
StepEnd = Literal["succeeded", "failed", "stopped"]


class Observer(Protocol):
    """Told of steps as the core opens and closes them, live or while a journal is folded.

    `step` is a path such as `loads[17].clean`. Instants are microseconds, 0 where the journal has none.
    """

    def opened(self, step: str, kind: StepKind) -> None:
        """A step became possible and was started."""
        ...

    def expanded(self, step: str, count: int) -> None:
        """A `for` knows how many bodies it has."""
        ...

    def attempted(self, step: str, attempt: int, error: str, started_at: int, ended_at: int) -> None:
        """An attempt of a task ended; `error` is empty when it succeeded."""
        ...

    def waiting(self, step: str, event: str, key: str | None, due_at: int) -> None:
        """A wait (or, with an empty event, a sleep) is durable; `due_at` is 0 for no time-out."""
        ...

    def queued(self, step: str, lock: str) -> None:
        """A step stands in the queue for a lock, or for its turn at an actor."""
        ...

    def admitted(self, step: str) -> None:
        """What a step stood in the queue for has come: its body begins, or its attempt."""
        ...

    def closed(self, step: str, end: StepEnd, error: str) -> None:
        """A step ended; `error` says how when it failed."""
        ...
