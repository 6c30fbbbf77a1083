"""Tasks of the flows that are simulated."""

import flowrt


def add(a, b):
    return a + b


def mix(a: int, b: int) -> int:
    return (a * 31 + b * 17 + 5) % 101


def text(value: str) -> str:
    return value


def pair(a, b) -> list:
    return [a, b]


def numbers(count: int) -> list[int]:
    return list(range(count))


def total(values: list[int]) -> int:
    return sum(values)


def fails_before(times: int) -> int:
    """Raises in as many first attempts, and gives their number in the next."""
    if flowrt.current().attempt <= times:
        raise ConnectionError(f"attempt {flowrt.current().attempt}")
    return times


class Account:
    """What is deposited, each time once."""

    def __init__(self):
        self.amount = 0

    def deposit(self, amount: int) -> int:
        self.amount += amount
        return self.amount

    def deposit_at_last(self, amount: int) -> int:
        self.amount += amount
        if flowrt.current().attempt < 2:
            raise ConnectionError("not yet")
        return self.amount

    def balance(self) -> int:
        return self.amount
