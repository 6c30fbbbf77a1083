"""The inbox of a run: which event each of its waits takes.

A wait takes the oldest event of its name and key that was accepted since the run started, that `match`
accepts, and that the run has not taken yet. An event that came before the wait is found all the same.
Each wait remembers how far it has looked, so an event is held against a wait once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from flowrt.command import AwaitEvent
from flowrt.store.port import EventRow, Store

LOOK_LIMIT = 256
"""How many events are read at a time."""


@dataclass(slots=True)
class OpenWait:
    """A wait and the number of the last event it was held against."""

    command: AwaitEvent
    looked: int = 0


@dataclass(slots=True)
class Inbox:
    """The waits of one run. `taken` are events whose records are not applied yet.

    `fresh` says that a wait has begun since the last look.
    """

    run_id: str
    since: int
    waits: dict[str, OpenWait] = field(default_factory=dict[str, OpenWait])
    taken: set[int] = field(default_factory=set[int])
    fresh: bool = False

    def add(self, command: AwaitEvent) -> None:
        """A wait begins: it is to be held against what has arrived already."""
        self.fresh = True
        self.waits[command.step] = OpenWait(command)

    def drop(self, step: str) -> None:
        """A wait is over."""
        self.waits.pop(step, None)

    def look(
        self,
        store: Store,
        consumed: set[int],
        accepts: Callable[[AwaitEvent, EventRow], bool],
    ) -> Mapping[str, EventRow]:
        """The event that each wait takes now, by step; those waits are over."""
        found: dict[str, EventRow] = {}
        self.taken = {event_id for event_id in self.taken if event_id not in consumed}
        for step, wait in list(self.waits.items()):
            event = self._first(store, wait, consumed, accepts)
            if event is not None:
                self.taken.add(event.event_id)
                found[step] = event
                self.drop(step)
        self.fresh = False
        return found

    def _first(
        self,
        store: Store,
        wait: OpenWait,
        consumed: set[int],
        accepts: Callable[[AwaitEvent, EventRow], bool],
    ) -> EventRow | None:
        command = wait.command
        while True:
            rows = store.events(
                command.wait.event, command.key, self.run_id, self.since, wait.looked, LOOK_LIMIT
            )
            for row in rows:
                wait.looked = row.event_id
                if row.event_id in consumed or row.event_id in self.taken:
                    continue
                if accepts(command, row):
                    return row
            if len(rows) < LOOK_LIMIT:
                return None
