"""Classes of the actors of the stories: what is done to one is noted, once for each time that it is done."""

from dataclasses import dataclass, field
from threading import Lock

import flowrt

CALLS: list[tuple[str, str]] = []
"""The key and the method of each call."""

CLOSED: set[str] = set()


class Account:
    """Money of one owner."""

    def __init__(self, owner):
        self.owner = owner
        self.amount = 0

    def deposit(self, amount):
        CALLS.append((self.owner, "deposit"))
        self.amount += amount
        return self.amount

    async def balance(self):
        return self.amount

    def take(self, amount):
        """Changes before it refuses: nothing of that may be seen."""
        CALLS.append((self.owner, "take"))
        self.amount -= amount
        if self.amount < 0:
            raise ValueError(f"{self.owner} has {self.amount + amount}")
        return self.amount

    def deposit_on(self, attempt, amount):
        if flowrt.current().attempt < attempt:
            self.amount += 1000
            raise ConnectionError("not yet")
        return self.deposit(amount)

    def deposit_if_open(self, name, amount):
        if name in CLOSED:
            raise OSError(f"{name} is closed")
        return self.deposit(amount)

    def keep_lock(self):
        self.lock = Lock()

    def fill(self, size):
        self.filling = "x" * size
        return len(self.filling)


@dataclass
class Tally:
    """Has no key, and slots and dicts to be kept."""

    counts: dict = field(default_factory=dict)

    def add(self, name, by=1):
        self.counts[name] = self.counts.get(name, 0) + by
        return dict(self.counts)
