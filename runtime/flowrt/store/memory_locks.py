"""The locks of a store in memory. In: what batches ask for and give back; out: rows, and runs to be woken."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from flowrt.noun import replace
from flowrt.store.lock_rules import blocks, circle
from flowrt.store.memory_rows import KeptRun
from flowrt.store.rows import Batch, LockRequest, LockRow

_TICKET = attrgetter("ticket")


@dataclass(slots=True)
class _Line:
    """Who holds a lock, who waits for it, and who never gets it, each in order, by ticket."""

    held: dict[int, LockRow] = field(default_factory=dict[int, LockRow])
    waiting: dict[int, LockRow] = field(default_factory=dict[int, LockRow])
    hopeless: dict[int, LockRow] = field(default_factory=dict[int, LockRow])

    def put(self, row: LockRow) -> None:
        """Have a row where it belongs."""
        self.remove(row)
        to = self.held if row.granted else self.waiting if row.problem is None else self.hopeless
        to[row.ticket] = row

    def remove(self, row: LockRow) -> None:
        """Have a row no more."""
        for there in (self.held, self.waiting, self.hopeless):
            there.pop(row.ticket, None)


class MemoryLocks:
    """The queues of these runs. `wake` makes the run of an id due if it is parked."""

    def __init__(self, runs: Mapping[str, KeptRun], wake: Callable[[str], None]) -> None:
        """Begin with none."""
        self._runs = runs
        self._wake = wake
        self._lines: dict[str, _Line] = {}
        self._steps: dict[str, dict[str, LockRow]] = {}
        self._last_ticket = 0

    def change(self, batch: Batch) -> None:
        """Give back and ask for what a batch says; what is free then goes to the next in line."""
        places = self._places(batch.run_id)
        self._remove([places[step] for step in batch.unlocks if step in places])
        asked: list[LockRequest] = []
        for one in batch.locks:
            if one.step not in self._places(batch.run_id):
                self._last_ticket += 1
                asked.append(one)
                row = LockRow(
                    self._last_ticket,
                    one.name,
                    batch.run_id,
                    one.step,
                    one.limit,
                    granted=False,
                    problem=None,
                    seal=one.seal,
                )
                self._put(row)
                self._grant(one.name)
        for one in asked:
            self._look_for_circle(batch.run_id, one)

    def drop(self, run_id: str) -> None:
        """A run goes on no more for now: what it has, and its places, are given to others."""
        self._remove(list(self._places(run_id).values()))

    def answered(self, run_id: str, steps: Collection[str]) -> bool:
        """Whether one of these steps of a run has got its lock, or never will."""
        places = self._places(run_id)
        return any(_is_answered(places[step]) for step in steps if step in places)

    def of_runs(self, run_ids: Collection[str], *, answered: bool) -> list[LockRow]:
        """All places of some runs, or those that have got their locks, or never will."""
        rows = [row for run_id in run_ids for row in self._places(run_id).values()]
        return sorted((row for row in rows if not answered or _is_answered(row)), key=_TICKET)

    def queue(self, name: str) -> list[LockRow]:
        """Who holds a lock, and then who waits for it, in order."""
        line = self._lines.get(name, _Line())
        waiting = sorted([*line.waiting.values(), *line.hopeless.values()], key=_TICKET)
        return [*sorted(line.held.values(), key=_TICKET), *waiting]

    def every(self) -> list[LockRow]:
        """All places, in order."""
        return self.of_runs(self._steps, answered=False)

    def free(self, now: int) -> int:
        """Give to others what those runs have that nobody goes on with; how many those are."""
        wanted = [line for line in self._lines.values() if line.waiting]
        return self._free({row.run_id: None for line in wanted for row in line.held.values()}, now)

    def _free(self, run_ids: Iterable[str], now: int) -> int:
        left = [run_id for run_id in run_ids if self._runs[run_id].left(now)]
        for run_id in left:
            self._runs[run_id].lose()
            self.drop(run_id)
        return len(left)

    def _places(self, run_id: str) -> Mapping[str, LockRow]:
        return self._steps.get(run_id, {})

    def _put(self, row: LockRow) -> None:
        self._lines.setdefault(row.name, _Line()).put(row)
        self._steps.setdefault(row.run_id, {})[row.step] = row

    def _remove(self, rows: Iterable[LockRow]) -> None:
        touched: set[str] = set()
        for row in rows:
            touched.add(row.name)
            self._lines[row.name].remove(row)
            del self._steps[row.run_id][row.step]
            if not self._steps[row.run_id]:
                del self._steps[row.run_id]
        for name in sorted(touched):
            self._grant(name)

    def _grant(self, name: str) -> None:
        """Give a lock to those at the head of its queue, as long as they may have it."""
        line = self._lines[name]
        most = min((row.limit for row in line.held.values()), default=None)
        while line.waiting:
            row = next(iter(line.waiting.values()))
            most = row.limit if most is None else min(most, row.limit)
            if len(line.held) >= most:
                return
            self._set(replace(row, granted=True))
        if not (line.held or line.hopeless):
            del self._lines[name]

    def _set(self, row: LockRow) -> None:
        self._put(row)
        self._wake(row.run_id)

    def _look_for_circle(self, run_id: str, asked: LockRequest) -> None:
        while not (row := self._steps[run_id][asked.step]).granted and self._holds(run_id):
            closed = circle(row, self)
            if closed is None:
                return
            if not self._free(sorted(closed.run_ids), asked.at):
                self._set(replace(row, problem=closed.problem))
                return

    def _holds(self, run_id: str) -> bool:
        return any(row.granted for row in self._places(run_id).values())

    # What circles are looked for in

    def holders(self, name: str) -> list[LockRow]:
        """Those that hold a lock."""
        return sorted(self._lines.get(name, _Line()).held.values(), key=_TICKET)

    def inside(self, held: LockRow) -> list[LockRow]:
        """The places that keep a run from giving back what it holds."""
        return [row for row in self._places(held.run_id).values() if blocks(row, held)]

    def least_before(self, place: LockRow) -> int | None:
        """The smallest limit of those who wait for a lock before this place."""
        waiting = self._lines.get(place.name, _Line()).waiting.values()
        return min((row.limit for row in waiting if row.ticket < place.ticket), default=None)


def _is_answered(row: LockRow) -> bool:
    return row.granted or row.problem is not None
