"""The locks of a store in memory. In: what batches ask for and give back; out: rows, and runs to be woken."""

from collections.abc import Callable, Collection, Iterable, Mapping

from flowrt.noun import replace
from flowrt.store.lock_rules import blocks, circle
from flowrt.store.memory_rows import KeptRun
from flowrt.store.rows import Batch, LockRow


class MemoryLocks:
    """The queues of these runs. `wake` makes the run of an id due if it is parked."""

    def __init__(self, runs: Mapping[str, KeptRun], wake: Callable[[str], None]) -> None:
        """Begin with none."""
        self._runs = runs
        self._wake = wake
        self._rows: dict[int, LockRow] = {}
        self._last_ticket = 0

    def change(self, batch: Batch) -> None:
        """Give back and ask for what a batch says; what is free then goes to the next in line."""
        gone = [row for row in self._of(batch.run_id) if row.step in batch.unlocks]
        self._remove(gone)
        steps = {row.step for row in self._of(batch.run_id)}
        asked: list[tuple[int, int]] = []
        for one in batch.locks:
            if one.step not in steps:
                steps.add(one.step)
                self._last_ticket += 1
                asked.append((self._last_ticket, one.at))
                self._rows[self._last_ticket] = LockRow(
                    self._last_ticket,
                    one.name,
                    batch.run_id,
                    one.step,
                    one.limit,
                    granted=False,
                    problem=None,
                    seal=one.seal,
                )
                self._grant(one.name)
        for ticket, at in asked:
            self._look_for_circle(ticket, at)

    def drop(self, run_id: str) -> None:
        """A run goes on no more for now: what it has, and its places, are given to others."""
        self._remove(list(self._of(run_id)))

    def answered(self, run_id: str, steps: Collection[str]) -> bool:
        """Whether one of these steps of a run has got its lock, or never will."""
        rows = (row for row in self._of(run_id) if row.step in steps)
        return any(row.granted or row.problem is not None for row in rows)

    def of_runs(self, run_ids: Collection[str]) -> list[LockRow]:
        """All places of some runs."""
        return [row for row in self._rows.values() if row.run_id in run_ids]

    def queue(self, name: str) -> list[LockRow]:
        """Who holds a lock, and then who waits for it, in order."""
        rows = [row for row in self._rows.values() if row.name == name]
        return [row for row in rows if row.granted] + [row for row in rows if not row.granted]

    def every(self) -> list[LockRow]:
        """All places, in order."""
        return list(self._rows.values())

    def free(self, now: int) -> int:
        """Give to others what those runs have that nobody goes on with; how many those are."""
        return self._free(self._waited_for(), now)

    def _free(self, run_ids: Iterable[str], now: int) -> int:
        left = [run_id for run_id in run_ids if self._runs[run_id].left(now)]
        for run_id in left:
            self._runs[run_id].lose()
            self.drop(run_id)
        return len(left)

    def _waited_for(self) -> dict[str, None]:
        """The runs that have a lock for which others wait."""
        wanted = {row.name for row in self._rows.values() if not row.granted and row.problem is None}
        return {row.run_id: None for row in self._rows.values() if row.granted and row.name in wanted}

    def _of(self, run_id: str) -> Iterable[LockRow]:
        return [row for row in self._rows.values() if row.run_id == run_id]

    def _remove(self, rows: Iterable[LockRow]) -> None:
        gone = list(rows)
        for row in gone:
            del self._rows[row.ticket]
        for name in sorted({row.name for row in gone}):
            self._grant(name)

    def _grant(self, name: str) -> None:
        """Give a lock to those at the head of its queue, as long as they may have it."""
        queue = self.queue(name)
        holders = [row.limit for row in queue if row.granted]
        for row in queue[len(holders) :]:
            if row.problem is not None:
                continue
            if len(holders) >= min(row.limit, *holders, row.limit):
                return
            holders.append(row.limit)
            self._set(replace(row, granted=True))

    def _set(self, row: LockRow) -> None:
        self._rows[row.ticket] = row
        self._wake(row.run_id)

    def _look_for_circle(self, ticket: int, now: int) -> None:
        while not (row := self._rows[ticket]).granted and any(one.granted for one in self._of(row.run_id)):
            closed = circle(row, self)
            if closed is None:
                return
            if not self._free(sorted(closed.run_ids), now):
                self._set(replace(row, problem=closed.problem))
                return

    # What circles are looked for in

    def holders(self, name: str) -> list[LockRow]:
        """Those that hold a lock."""
        return [row for row in self._rows.values() if row.granted and row.name == name]

    def inside(self, held: LockRow) -> list[LockRow]:
        """The places that keep a run from giving back what it holds."""
        return [row for row in self._rows.values() if blocks(row, held)]

    def least_before(self, place: LockRow) -> int | None:
        """The smallest limit of those who wait for a lock before this place."""
        before = (row for row in self.queue(place.name) if row.ticket < place.ticket)
        return min((row.limit for row in before if not row.granted and row.problem is None), default=None)
