"""The events of a store in memory. In: events as they are accepted; out: numbers, rows, inboxes."""

from collections.abc import Callable

from flowrt.store.bounds import PLACES_MAX
from flowrt.store.memory_found import inbox_of
from flowrt.store.memory_rows import Place
from flowrt.store.rows import EventRow, NewEvent


class MemoryEvents:
    """Events in order of acceptance. `accepted` is told of each."""

    def __init__(self, accepted: Callable[[EventRow], None]) -> None:
        """Begin with none."""
        self.rows: list[EventRow] = []
        self.inbox: dict[Place, list[EventRow]] = {}
        self.last_id = 0
        self._dedupe: dict[str, int] = {}
        self._accepted = accepted

    @property
    def newest(self) -> int:
        """The number of the newest event that is there."""
        return self.rows[-1].event_id if self.rows else 0

    def places(self, after: int) -> frozenset[Place] | None:
        """The names and keys of the events behind a number; None when they are too many."""
        new = [event for event in self.rows if event.event_id > after]
        return frozenset((event.name, event.key) for event in new) if len(new) <= PLACES_MAX else None

    def accept(self, event: NewEvent) -> int:
        """Add an event, or find the one of its dedupe id."""
        known = None if event.dedupe is None else self._dedupe.get(event.dedupe)
        if known is not None:
            return known
        self.last_id += 1
        row = EventRow(self.last_id, event.name, event.key, event.payload, event.at, event.run_id)
        self.rows.append(row)
        self.inbox.setdefault((row.name, row.key), []).append(row)
        if event.dedupe is not None:
            self._dedupe[event.dedupe] = row.event_id
        self._accepted(row)
        return row.event_id

    def forget(self, unwanted: Callable[[EventRow], bool]) -> int:
        """Remove events; return how many."""
        gone = {event.event_id for event in self.rows if unwanted(event)}
        self.rows = [event for event in self.rows if event.event_id not in gone]
        self._dedupe = {name: number for name, number in self._dedupe.items() if number not in gone}
        self.inbox = inbox_of(self.rows)
        return len(gone)
