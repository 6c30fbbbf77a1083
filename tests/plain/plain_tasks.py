"""Tasks of the flows in `test_plain` and `test_dag_execute`."""

from collections import Counter

calls: Counter[str] = Counter()


class Busy(Exception):
    pass


class Rejected(Exception):
    pass


def add(a, b=1):
    return a + b


def double(x):
    return 2 * x


def note(name, value=None):
    """Count the call and hand the value on."""
    calls[name] += 1
    return value


def fails_at(x, bad):
    if x == bad:
        raise ValueError(f"{x} is bad")
    return x


def busy(name, times):
    """Fail with Busy that often, then return how often it was called."""
    calls[name] += 1
    if calls[name] <= times:
        raise Busy(name)
    return calls[name]


async def later(x):
    return x


def numbers(n):
    yield from range(n)


class Account:
    """An actor's class."""

    def __init__(self, owner):
        self.owner, self.amount = owner, 0

    def deposit(self, amount):
        self.amount += amount
        return self.amount

    async def deposit_later(self, amount):
        return self.deposit(amount)

    def withdraw(self, amount):
        self.amount -= amount
        if self.amount < 0:
            raise ValueError("not enough")
        return self.amount
