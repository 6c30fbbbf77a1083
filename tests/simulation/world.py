"""The world of a simulation: true time, what will happen when, chance, and the trace of what happened.

In: a seed. Out: one order of events, the same for the same seed, bit by bit.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b

SECOND = 1_000_000
NOON = 1_800_000_000_000_000
HOUR = 3_600 * SECOND
YEAR = 365 * 24 * HOUR


class Violation(AssertionError):
    """A promise was broken."""


@dataclass
class World:
    """True time and the queue of what is to come."""

    seed: int
    now: int = NOON
    faulty: bool = True
    lines: list[str] | None = None
    turns: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._made = 0
        self._hash = blake2b(digest_size=16)

    def at(self, instant: int, action: Callable[[], None]) -> None:
        """Let something happen at an instant of true time."""
        self._made += 1
        heapq.heappush(self._heap, (max(instant, self.now), self._made, action))

    def after(self, delay: int, action: Callable[[], None]) -> None:
        """Let something happen after a while."""
        self.at(self.now + delay, action)

    def step(self) -> bool:
        """Let the next thing happen; false when nothing is to come."""
        if not self._heap:
            return False
        instant, _, action = heapq.heappop(self._heap)
        self.now = max(self.now, instant)
        self.turns += 1
        action()
        return True

    def count(self, what: str) -> None:
        """Something of a kind has happened."""
        self.counts[what] += 1

    def note(self, *words: object) -> None:
        """Add a line to the trace."""
        line = f"{self.now - NOON} {' '.join(map(str, words))}"
        self._hash.update(line.encode())
        self._hash.update(b"\n")
        if self.lines is not None:
            self.lines.append(line)

    def chance(self, probability: float) -> bool:
        """Whether something of this probability happens, while faults happen at all."""
        return self.faulty and probability > 0 and self.rng.random() < probability

    @property
    def trace(self) -> str:
        """The hash of everything that was noted."""
        return self._hash.hexdigest()
