"""The rules of locks, for every store. In: rows of the queues; out: who is next, and who waits in a circle.

A lock is a name. Who asks for it stands in the queue of that name, in order of asking, and the first is
given the lock when fewer hold it than it allows, and than those who hold it allow. Nobody overtakes.

A circle. Who holds a lock is stuck when a step inside of what it protects waits in a queue and is stuck;
the others give back what they hold, sooner or later. A place in a queue is stuck when those who then still
hold the lock are as many as it allows itself, or as one of them allows, or one who stands before it.
Whoever asks from inside of a lock may close a circle, and only who asks can: so it is looked for there,
from the place that is new. The places that can be reached are held for stuck, and freed one by one, until
nothing changes: what is left waits for ever. Runs that wait for one another in other ways, such as by
events, are not seen.

What is inside of a lock is asked for with the lock, and not with its run: a run may have thousands of
places beside it. Nothing is inside of a turn at an actor, so nobody waits in a circle for one.

A run that nobody goes on with holds its locks until somebody waits for them (see `Store.free_locks`): it
waits for nothing. So before a circle is told of, such runs lose what they have, and it is looked again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from flowrt.store.rows import LockRow

LOOK_MAX = 1_000
"""So many places are looked at for a circle; of larger ones nothing is said."""

LOCKS_LOST = "Nobody went on with it, and others waited for its locks: they have been given to those."
"""What is noted of a run that lost its locks so."""


class Queues(Protocol):
    """What has to be known of the queues of a store."""

    def holders(self, name: str) -> Sequence[LockRow]:
        """Those that hold a lock."""
        ...

    def inside(self, held: LockRow) -> Sequence[LockRow]:
        """The places that keep a run from giving back what it holds: those that `blocks` is true of."""
        ...

    def least_before(self, place: LockRow) -> int | None:
        """The smallest limit of those who wait for a lock before this place; None when nobody does."""
        ...


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle in words, and the other runs that are part of it."""

    problem: str
    run_ids: frozenset[str]


def circle(new: LockRow, queues: Queues) -> Circle | None:
    """The circle that a new place in a queue waits in, if there is one."""
    reach = _Reach()
    if not reach.look(new, queues):
        return None
    stuck = dict(reach.places)
    while moving := [place for place in stuck.values() if not _is_stuck(place, reach, stuck, queues)]:
        for place in moving:
            del stuck[place.ticket]
    if new.ticket not in stuck:
        return None
    run_ids = {row.run_id for place in stuck.values() for row in reach.stuck_holders(place, stuck)}
    return Circle(_told(new, reach, stuck), frozenset(run_ids - {new.run_id}))


def blocks(place: LockRow, held: LockRow) -> bool:
    """Whether a place of a run keeps the run from giving back what it holds."""
    waits = not place.granted and place.problem is None and place.run_id == held.run_id
    return waits and place.step.startswith(f"{held.step}.")


Stuck = dict[int, LockRow]


@dataclass(slots=True)
class _Reach:
    """What a place waits for, near and far: who holds each lock, and what waits inside of each."""

    holders: dict[str, Sequence[LockRow]] = field(default_factory=dict[str, Sequence[LockRow]])
    inner: dict[int, Sequence[LockRow]] = field(default_factory=dict[int, Sequence[LockRow]])
    places: dict[int, LockRow] = field(default_factory=dict[int, LockRow])

    def look(self, new: LockRow, queues: Queues) -> bool:
        """Look at everything; False when it is too much."""
        todo = [new]
        while todo:
            place = todo.pop()
            self.places[place.ticket] = place
            if place.name in self.holders:
                continue
            self.holders[place.name] = queues.holders(place.name)
            for row in self.holders[place.name]:
                self.inner[row.ticket] = queues.inside(row)
                todo += self.inner[row.ticket]
            if len(self.inner) + len(todo) > LOOK_MAX:
                return False
        return True

    def stuck_holders(self, place: LockRow, stuck: Stuck) -> list[LockRow]:
        """Those that will hold the lock of a place for ever, if these places are stuck."""
        return [row for row in self.holders[place.name] if _first(self.inner[row.ticket], stuck)]


def _first(places: Iterable[LockRow], stuck: Stuck) -> LockRow | None:
    return next((place for place in places if place.ticket in stuck), None)


def _is_stuck(place: LockRow, reach: _Reach, stuck: Stuck, queues: Queues) -> bool:
    left = reach.stuck_holders(place, stuck)
    if not left:
        return False
    if len(left) >= min(place.limit, *(row.limit for row in left)):
        return True
    before = queues.least_before(place)
    return before is not None and len(left) >= before


def _told(new: LockRow, reach: _Reach, stuck: Stuck) -> str:
    """The circle in words, beginning with who closed it."""
    parts: list[str] = []
    seen: set[str] = set()
    place = new
    while place.name not in seen:
        seen.add(place.name)
        held = reach.stuck_holders(place, stuck)[0]
        waits = _first(reach.inner[held.ticket], stuck)
        assert waits is not None, "who is stuck waits for something"
        who = "this run" if held.run_id == new.run_id else f"run {held.run_id}"
        parts.append(f"`{place.name}` is held by {who} (step `{held.step}`), which waits for `{waits.name}`")
        place = waits
    return (
        f"The lock `{new.name}` would never come: {'; '.join(parts)}. Flows that take their locks in one "
        "order cannot wait for each other."
    )
