"""What an executor's thread keeps of its attempts, and the events that it takes. Nouns only."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from flowrt.executor.batching import Entry, Lane
from flowrt.executor.port import Attempt, AttemptKey


@dataclass(slots=True, eq=False)
class Taken:
    """An attempt that was submitted and not yet reported.

    `stopping`: somebody wants it stopped. `by_value`: a reference to an argument turned out to be lost.
    `bystander`: it was spared once, because its worker may have been killed for another one's sake.
    """

    attempt: Attempt
    lane: "Lane[Taken]"
    entry: "Entry[Taken] | None" = None
    flight: "Flight | None" = None
    stopping: bool = False
    by_value: bool = False
    bystander: bool = False

    @property
    def bound_s(self) -> float | None:
        """The shortest time after which it may be overdue."""
        bounds = [s for s in (self.attempt.timeout_s, self.attempt.heartbeat_s) if s is not None]
        return min(bounds, default=None)


@dataclass(slots=True, eq=False)
class Flight:
    """A batch under way.

    `name` tells it from all others on the cluster. `digests` are the values that it was given by
    reference. `cancelled`: it was told to stop; `forced_at`: by force, at that time. Instants are those
    of `time.monotonic`.
    """

    name: str
    taken: list[Taken]
    lane: Lane[Taken]
    digests: list[str]
    launched: object = None
    cancelled: bool = False
    forced_at: float | None = None
    since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Submitted:
    """Attempts were handed over."""

    attempts: Sequence[Attempt]


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Somebody wants an attempt stopped."""

    key: AttemptKey
    force: bool


@dataclass(frozen=True, slots=True)
class CameBack:
    """A batch has ended: with the bytes of a reply, or with an error."""

    flight: Flight
    result: bytes | BaseException


@dataclass(frozen=True, slots=True)
class Closed:
    """The executor is closed."""


FlightEvent: TypeAlias = Submitted | StopAsked | CameBack | Closed
