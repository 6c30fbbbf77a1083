"""Runs that take locks inside of locks by chance: none waits for ever untold, and none is told falsely.

An oracle plays on from where a circle is told: whoever waits for nothing gives all back, again and again.
Who was told must have nothing to wait for in the end but those who wait as well.
"""

import random
from collections.abc import Sequence

from flowrt.noun import replace
from flowrt.store.memory import MemoryStore
from flowrt.store.rows import LockRequest, LockRow
from stores import batch, owned_run

SEEDS = 150


class Runs:
    """A few runs that hold locks inside of one another."""

    def __init__(self, chance: random.Random) -> None:
        self.store = MemoryStore()
        self.chance = chance
        self.epochs = {f"r{n}": owned_run(self.store, f"r{n}") for n in range(chance.randint(2, 5))}
        self.depth = dict.fromkeys(self.epochs, 0)
        self.told: list[tuple[LockRow, list[LockRow]]] = []

    def write(self, run_id: str, **parts: object) -> None:
        head = self.store.run(run_id).head
        assert not self.store.append([batch(run_id, self.epochs[run_id], head, b"x", **parts)])

    def ask(self, run_id: str) -> None:
        self.depth[run_id] += 1
        step = ".".join(["s"] * self.depth[run_id])
        asked = LockRequest(step, self.chance.choice("abc"), self.chance.randint(1, 3))
        self.write(run_id, locks=[asked])
        rows = self.store.all_locks(0, 100)
        mine = next(row for row in rows if (row.run_id, row.step) == (run_id, step))
        if mine.problem is not None:
            self.told.append((mine, rows))
            self.give_all_back(run_id)

    def give_back(self, run_id: str) -> None:
        self.write(run_id, unlocks=[".".join(["s"] * self.depth[run_id])])
        self.depth[run_id] -= 1

    def give_all_back(self, run_id: str) -> None:
        self.write(run_id, unlocks=[row.step for row in self.store.locks_of([run_id])])
        self.depth[run_id] = 0

    def going_on(self) -> list[str]:
        stand = {row.run_id for row in self.store.all_locks(0, 100) if not row.granted}
        return [run_id for run_id in self.epochs if run_id not in stand]

    def play(self) -> None:
        """Asks and returns as chance has it; then all who can give everything back."""
        for _ in range(60):
            if not (free := self.going_on()):
                break
            run_id = self.chance.choice(free)
            if self.chance.random() < 0.6 and self.depth[run_id] < 4:
                self.ask(run_id)
            elif self.depth[run_id]:
                self.give_back(run_id)
        while holding := [run_id for run_id in self.going_on() if self.depth[run_id]]:
            for run_id in holding:
                self.give_all_back(run_id)


def comes(told: LockRow, rows: Sequence[LockRow]) -> bool:
    """Whether who was told would have got its lock after all."""
    left = {row.ticket: replace(row, problem=None) for row in rows}
    while not left[told.ticket].granted:
        stand = {row.run_id for row in left.values() if not row.granted}
        kept = {ticket: row for ticket, row in left.items() if row.run_id in stand}
        if len(kept) == len(left):
            return False
        left = kept
        for name in {row.name for row in left.values()}:
            queue = [row for _, row in sorted(left.items()) if row.name == name]
            limits = [row.limit for row in queue if row.granted]
            for row in (one for one in queue if not one.granted):
                if len(limits) >= min(row.limit, *limits, row.limit):
                    break
                limits.append(row.limit)
                left[row.ticket] = replace(row, granted=True)
    return True


def test_circles_are_told_when_they_are_there_and_only_then():
    told = 0
    for seed in range(SEEDS):
        runs = Runs(random.Random(seed))
        runs.play()
        assert runs.store.all_locks(0, 100) == [], f"seed {seed}: some wait for ever"
        for row, rows in runs.told:
            told += 1
            assert not comes(row, rows), f"seed {seed}: {row.problem}"
    assert told > SEEDS
