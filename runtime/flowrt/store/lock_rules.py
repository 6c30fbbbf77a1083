"""The rules of locks, for every store. In: rows of the queues; out: who is next, and who waits in a circle.

A lock is a name. Who asks for it stands in the queue of that name, in order of asking, and the first is
given the lock when fewer hold it than it allows, and than those who hold it allow. Nobody overtakes.

A circle. A place in the queue is stuck when everybody who holds the lock is stuck; who holds one is stuck
when a step inside of what it protects waits in a queue and is stuck. Whoever asks from inside of a lock may
close a circle, and only who asks can: so it is looked for there, from the place that is new. The places that
can be reached are held for stuck, and freed one by one, until nothing changes: what is left waits for ever.
Runs that wait for one another in other ways, such as by events, are not seen.
"""

from collections.abc import Callable, Sequence

from flowrt.store.rows import LockRow

LOOK_MAX = 1_000
"""So many places are looked at for a circle; of larger ones nothing is said."""

LOCKS_LOST = "Nobody went on with it, and others waited for its locks: they have been given to those."
"""What is noted of a run that lost its locks so."""

Rows = Callable[[str], Sequence[LockRow]]


def circle(new: LockRow, holders_of: Rows, places_of: Rows) -> str | None:
    """What is wrong when a new place in a queue waits in a circle; None when it does not.

    `holders_of` gives those that hold a lock, by its name; `places_of` all places of a run, by its id.
    """
    holders, inner = _reachable(new, holders_of, places_of)
    if holders is None:
        return None
    moving: set[str] = set()
    while True:
        more = {
            name
            for name, rows in holders.items()
            if name not in moving
            and (not rows or any(all(w.name in moving for w in inner[row.ticket]) for row in rows))
        }
        if not more:
            break
        moving |= more
    return None if new.name in moving else _told(new, holders, inner)


def _reachable(
    new: LockRow, holders_of: Rows, places_of: Rows
) -> tuple[dict[str, Sequence[LockRow]] | None, dict[int, list[LockRow]]]:
    """Who holds each of the locks that can be reached, and what waits inside of each holder."""
    holders: dict[str, Sequence[LockRow]] = {}
    inner: dict[int, list[LockRow]] = {}
    todo = [new.name]
    while todo:
        name = todo.pop()
        if name in holders:
            continue
        holders[name] = holders_of(name)
        for row in holders[name]:
            inner[row.ticket] = [place for place in places_of(row.run_id) if _blocks(place, row)]
            todo += [place.name for place in inner[row.ticket]]
        if len(inner) > LOOK_MAX:
            return None, inner
    return holders, inner


def _blocks(place: LockRow, held: LockRow) -> bool:
    """Whether a place of a run keeps the run from giving back what it holds."""
    waits = not place.granted and place.problem is None and place.run_id == held.run_id
    return waits and (place.whole or place.step.startswith(f"{held.step}."))


def _told(new: LockRow, holders: dict[str, Sequence[LockRow]], inner: dict[int, list[LockRow]]) -> str:
    """The circle in words, beginning with who closed it."""
    parts: list[str] = []
    seen: set[str] = set()
    name = new.name
    while name not in seen:
        seen.add(name)
        held = holders[name][0]
        waits = inner[held.ticket][0]
        who = "this run" if held.run_id == new.run_id else f"run {held.run_id}"
        parts.append(f"`{name}` is held by {who} (step `{held.step}`), which waits for `{waits.name}`")
        name = waits.name
    return (
        f"The lock `{new.name}` would never come: {'; '.join(parts)}. Flows that take their locks in one "
        "order cannot wait for each other."
    )
