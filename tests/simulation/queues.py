"""What must hold of the queues for locks at any moment. In: all places; out: a sentence for each breach."""

from collections.abc import Iterator, Sequence

from flowrt.store.rows import LockRow


def wrong_in_queues(places: Sequence[LockRow]) -> Iterator[str]:
    """No more hold a lock than it allows, nobody who came behind one that waits, and nobody waits in vain.

    A place that is asked for again has a new number, and is behind those who came before that.
    """
    queues: dict[str, list[LockRow]] = {}
    for row in places:
        queues.setdefault(row.name, []).append(row)
    for name, rows in queues.items():
        holding = [row for row in rows if row.granted]
        waiting = [row for row in rows if not row.granted and row.problem is None]
        told = f"{len(holding)} hold `{name}` and {len(waiting)} wait"
        if holding and len(holding) > (most := min(row.limit for row in holding)):
            yield f"{told}, and {most} may hold it"
        if waiting:
            first = waiting[0]
            if any(row.ticket > first.ticket for row in holding):
                yield f"{told}, and one that holds it came behind {first}"
            if len(holding) < min([first.limit, *(row.limit for row in holding)]):
                yield f"{told}, and {first} could hold it"
