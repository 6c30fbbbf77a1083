"""Where the runs of a serving engine come from, and what is told of them. In: nothing; out: a port."""

from collections.abc import Callable, Mapping
from typing import Protocol

from flowrt.engine.active import ActiveRun
from flowrt.record import Ended


class Source(Protocol):
    """Gives an engine runs to move on. Implemented by `flowrt.engine.serve.Claims`."""

    def fetch(self, now: int, room: int, held: Callable[[], Mapping[str, int]]) -> list[ActiveRun]:
        """Runs that are due, claimed and loaded; at most `room`. Raises StoreUnavailable.

        `held` are the runs that the engine has already, each with its epoch.
        """
        ...

    def next_at(self) -> int:
        """When it is worth asking again."""
        ...

    def hurry(self, at: int) -> None:
        """Others may have become due by what was just written: it is worth asking at that instant."""
        ...

    def clock_put_back(self) -> None:
        """The clock shows less than before: what is done every so often is due now."""
        ...

    def ended(self, run: ActiveRun, ended: Ended) -> None:
        """A run has ended, durably."""
        ...

    def lost(self, run_id: str) -> None:
        """Another engine has taken a run."""
        ...

    def laid_aside(self, run_id: str, problem: str) -> None:
        """A run cannot go on, and was given up as suspended with that problem."""
        ...
