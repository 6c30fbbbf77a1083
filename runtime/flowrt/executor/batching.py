"""Which attempts travel together: attempts go in, batches for the slots of a cluster come out.

One call of a worker costs about a millisecond, many steps take far less. So attempts of the same callable
and options share a call. What must not happen is that a slow step waits behind another one while a
CPU is idle. Hence:

* A lane (one callable and set of options) starts with batches of one, and its size at most doubles with
  each batch that comes back. It aims at TARGET_S of work for a batch, by a moving mean of what steps took.
* A step that takes longer than SLOW_S puts the size of its lane back to one at once.
* While slots are idle the attempts that are ready are spread over them; only what is left over is batched.
* At most DEPTH batches for each slot are under way, so that the rest can be stopped without asking
  anybody, and so that small crumbs gather into batches while the cluster is busy.

Attempts that need more than CPUs, that have a timeout (it is the worker's alarm clock), or that ask to be
isolated travel alone. So do those of a batch whose worker was lost: one of them may be what killed it.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

TARGET_S = 0.030
SLOW_S = 0.050
DEPTH = 3
MOST_STEPS = 512
MOST_BYTES = 1 << 20
MOST_ALONE = 256
MOST_WAITING = 100_000

T = TypeVar("T")


@dataclass(slots=True)
class Entry(Generic[T]):
    """Something that waits in a lane. `size` in bytes; `suspect`: it must travel alone."""

    what: T
    size: int = 0
    suspect: bool = False
    gone: bool = False


@dataclass(slots=True)
class Lane(Generic[T]):
    """Attempts of one callable and one set of options.

    `cpus` is what one attempt occupies; `alone`: no two in one batch; `waits`: they wait, and occupy nothing.
    """

    options: Mapping[str, object]
    cpus: float = 1.0
    alone: bool = False
    waits: bool = False
    under_way: int = 0
    ready: int = 0
    size: int = 1
    mean_s: float = 0.0
    queue: deque[Entry[T]] = field(default_factory=deque[Entry[T]])

    def add(self, entry: Entry[T], *, first: bool = False) -> None:
        """Put an entry at the end, or in front of all others."""
        self.ready += 1
        if first:
            self.queue.appendleft(entry)
        else:
            self.queue.append(entry)

    def drop(self, entry: Entry[T]) -> None:
        """Take an entry out, wherever it stands."""
        entry.gone = True
        self.ready -= 1
        if self.ready == 0:
            self.queue.clear()

    def room(self, total_cpus: float) -> int:
        """How many more batches may be under way on a cluster of that many CPUs."""
        if self.waits:
            return MOST_WAITING - self.under_way
        most = MOST_ALONE if self.cpus <= 0 else min(MOST_ALONE, max(2, int(DEPTH * total_cpus / self.cpus)))
        return most - self.under_way

    def take(self, idle: int) -> list[Entry[T]]:
        """The next batch, when that many slots are idle; empty when nothing is ready."""
        wanted = 1 if self.alone else self.size
        if idle > 0:
            wanted = min(wanted, -(-self.ready // idle))
        batch: list[Entry[T]] = []
        size = 0
        while self.queue and len(batch) < wanted:
            entry = self.queue[0]
            if not entry.gone:
                if batch and (entry.suspect or size + entry.size > MOST_BYTES):
                    break
                batch.append(entry)
                size += entry.size
            self.queue.popleft()
            if entry.suspect and batch:
                break
        self.ready -= len(batch)
        return batch

    def learn(self, steps: int, busy_s: float, longest_s: float) -> None:
        """Adapt the size of batches to what one that came back has taken."""
        if steps == 0:
            return
        mean_s = busy_s / steps
        self.mean_s = mean_s if self.mean_s == 0.0 else 0.5 * (self.mean_s + mean_s)
        if longest_s > SLOW_S:
            self.size = 1
            return
        fitting = int(TARGET_S / max(self.mean_s, 1e-6))
        self.size = max(1, min(fitting, 2 * self.size, MOST_STEPS))
