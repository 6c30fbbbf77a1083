"""The inbox of a run: which event each of its waits takes.

A wait takes the oldest event of its name and key that was accepted since the run was created, that `match`
accepts, and that the run has not taken yet. An event that came before the wait is found all the same.
Each wait remembers how far it has looked, so an event is held against a wait once; and for a name and
key of which the run has taken every event up to some number, no later wait looks before that, so that a
loop of waits does not go through what it took in all rounds before.

An event is taken when the record that says so is applied. Between the look and that, the wait may be
told to stop: then the event was not taken, and is there for the other waits again.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from flowrt.command import AwaitEvent
from flowrt.store.port import Store
from flowrt.store.rows import EventRow

LOOK_LIMIT = 256
"""How many events are read at a time."""

PASSED_FROM = 32
"""How many events must have been taken before it is noted up to where: most keys see one event."""


@dataclass(slots=True)
class OpenWait:
    """A wait and the number of the last event it was held against."""

    command: AwaitEvent
    looked: int

    @property
    def place(self) -> tuple[str, str | None]:
        """The name and key that it waits for."""
        return self.command.wait.event, self.command.key


@dataclass(slots=True)
class Inbox:
    """The waits of one run by step.

    `after` is the number of the newest event when the run was created: what came before is not for it.
    `fresh` are waits that have to look: they have just begun, or there is news for them. `taken` are the
    events whose records are not applied yet, with the step that took each. `passed` says up to which number
    every event of a name and key was consumed.
    """

    run_id: str
    after: int
    waits: dict[str, OpenWait] = field(default_factory=dict[str, OpenWait])
    fresh: dict[str, None] = field(default_factory=dict[str, None])
    taken: dict[int, str] = field(default_factory=dict[int, str])
    passed: dict[tuple[str, str | None], int] = field(default_factory=dict[tuple[str, str | None], int])

    def add(self, command: AwaitEvent) -> None:
        """A wait begins: it is to be held against what has arrived already."""
        self.waits[command.step] = OpenWait(command, self.after)
        self.fresh[command.step] = None

    def freshen(self, places: frozenset[tuple[str, str | None]] | None) -> bool:
        """Have the waits for these events look again, None: all waits; whether there are any."""
        found = [step for step, wait in self.waits.items() if places is None or wait.place in places]
        self.fresh.update(dict.fromkeys(found))
        return bool(found)

    def drop(self, step: str) -> None:
        """A wait is over."""
        self.waits.pop(step, None)
        self.fresh.pop(step, None)

    def settle(self, consumed: set[int], is_pending: Callable[[str], bool]) -> None:
        """After records were applied: give back the events whose waits were stopped before that."""
        for event_id, step in list(self.taken.items()):
            if is_pending(step):
                continue
            del self.taken[event_id]
            if event_id not in consumed:
                self._give_back(event_id)

    def _give_back(self, event_id: int) -> None:
        for step, wait in self.waits.items():
            if wait.looked >= event_id:
                wait.looked = event_id - 1
                self.fresh[step] = None

    def look(
        self,
        step: str,
        store: Store,
        consumed: set[int],
        accepts: Callable[[AwaitEvent, EventRow], bool],
    ) -> EventRow | None:
        """The event that the wait of a step takes now, which then is over. Raises StoreError."""
        wait = self.waits[step]
        event = self._first(store, wait, consumed, accepts)
        self.fresh.pop(step, None)
        if event is not None:
            self.taken[event.event_id] = step
            self.drop(step)
        return event

    def _first(
        self,
        store: Store,
        wait: OpenWait,
        consumed: set[int],
        accepts: Callable[[AwaitEvent, EventRow], bool],
    ) -> EventRow | None:
        passed = self.passed.get(wait.place, self.after)
        from_start = wait.looked <= passed
        wait.looked = max(wait.looked, passed)
        skipped = 0
        for row in self._rows(store, wait):
            if row.event_id in consumed:
                skipped += 1
                if from_start and skipped >= PASSED_FROM:
                    self.passed[wait.place] = row.event_id
            else:
                from_start = False
                if row.event_id not in self.taken and accepts(wait.command, row):
                    return row
                if wait.command.step not in self.waits:
                    return None  # Its `match` has failed the step.
            wait.looked = row.event_id
        return None

    def _rows(self, store: Store, wait: OpenWait) -> Iterator[EventRow]:
        name, key = wait.place
        while rows := store.events(name, key, self.run_id, wait.looked, LOOK_LIMIT):
            yield from rows
            if len(rows) < LOOK_LIMIT:
                return
