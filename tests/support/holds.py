"""Who was inside of a lock, as the tasks themselves saw it. In: an effects file; out: what is wrong with it.

A *hold* is one body of a lock in one run: the steps `one` and `two` of it (see `crash/doors.flow.yaml`). It
begins with the first line of its `one` and is over with the end of its `two`; in between the run has the
lock, whichever of its processes happens to live. The lines of a file that is only appended to stand in the
order in which things happened, so nothing depends on a clock.

A process that is killed, or stopped for longer than its lease, is marked in the file before that. What a
run that nobody serves held in it is then for others to take, so its holds are over; a run that is served
keeps them. What a marked process says later, or one whose run has a newer epoch, does not count: it is
superseded, knows it or not, and nothing of it is kept. But a server that was stopped and goes on may take a
run of the store anew: what it does under an epoch that is newer than all before counts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from effects import Effect, append

KILLED = "killed"
FIRST, LAST = "one", "two"

Body = tuple[str, str]
"""A run, and the path of the body."""


def mark_killed(file: str | Path, pid: int) -> None:
    """Say in the effects file that a process is about to be killed, or stopped past its lease."""
    append(file, phase=KILLED, run="", step=str(pid), attempt=0, epoch=0)


@dataclass
class Inside:
    """Who is inside, line by line. `most` were there at once; `order` are the runs as they came in."""

    kept: bool
    now: dict[Body, int] = field(default_factory=dict)
    most: int = 0
    order: list[str] = field(default_factory=list)
    epochs: dict[str, int] = field(default_factory=dict)
    marked: set[int] = field(default_factory=set)
    back: dict[tuple[int, str], int] = field(default_factory=dict)

    def take(self, effect: Effect) -> None:
        """The next line."""
        if effect.phase == KILLED:
            self.marked.add(int(effect.step))
            self.back = {key: epoch for key, epoch in self.back.items() if key[0] != int(effect.step)}
            if not self.kept:
                self.now = {body: pid for body, pid in self.now.items() if pid not in self.marked}
            return
        body, _, name = effect.step.rpartition(".")
        newest = self.epochs.get(effect.run, 0)
        if self.kept and effect.epoch > newest:
            self.back[effect.pid, effect.run] = effect.epoch
        out = effect.pid in self.marked and self.back.get((effect.pid, effect.run)) != effect.epoch
        if name not in (FIRST, LAST) or out or effect.epoch < newest:
            return
        self.epochs[effect.run] = effect.epoch
        this = effect.run, body
        if name == FIRST and effect.phase == "start" and effect.run not in self.order:
            self.order.append(effect.run)
        if name == LAST and effect.phase == "end":
            self.now.pop(this, None)
        else:
            self.now[this] = effect.pid
        self.most = max(self.most, len(self.now))


def inside(effects: Sequence[Effect], *, kept: bool) -> Inside:
    """What a whole effects file says; with `kept` the runs are served, and keep what a dead process held."""
    seen = Inside(kept)
    for effect in effects:
        seen.take(effect)
    return seen


def out_of_turn(asked: Sequence[str], came: Sequence[str], limit: int) -> Iterator[str]:
    """Who came in before somebody who had asked earlier: of those who are given the lock at the same moment
    any may be the first, so fewer than `limit` may be ahead of one in line.
    """
    waiting = [run for run in asked if run in came]
    for run in came:
        if run in waiting:
            ahead = waiting.index(run)
            if ahead >= limit:
                yield f"{run} came in while {waiting[:ahead]} were ahead of it"
            waiting.remove(run)
