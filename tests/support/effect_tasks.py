"""Tasks of the campaigns' flows: each notes what it was given and what it gave in an effects file.

Values are made values (see `effects`): a dict with `value`, its maker and a nonce.
"""

import time
from pathlib import Path
from random import random

from effects import effect, plain

import flowrt


def add(effects: str, *numbers: object) -> dict[str, object]:
    """The sum of numbers, and of lists of numbers."""
    return effect(effects, numbers, lambda: sum(map(_sum, numbers)))


def _sum(number: object) -> int:
    value = plain(number)
    return sum(map(_sum, value)) if isinstance(value, list) else value


def slow(effects: str, number: object) -> dict[str, object]:
    """The number, after a few random milliseconds, so that completions change places."""

    def work() -> object:
        time.sleep(random() * 0.005)
        return plain(number)

    return effect(effects, [number], work)


def even_only(effects: str, number: object) -> dict[str, object]:
    """The number; an odd one is refused."""

    def work() -> object:
        value = plain(number)
        if value % 2:
            raise ValueError(f"{value} is odd")
        return value

    return effect(effects, [number], work)


def third_time_lucky(effects: str, number: object) -> dict[str, object]:
    """The number, at the third attempt."""

    def work() -> object:
        if flowrt.current().attempt < 3:
            raise ConnectionError("not yet")
        return plain(number)

    return effect(effects, [number], work)


def second_block(effects: str, number: object) -> dict[str, object]:
    """The number, in the second attempt of the block around."""

    def work() -> object:
        if "~r2." not in flowrt.current().step:
            raise ConnectionError("not in this block")
        return plain(number)

    return effect(effects, [number], work)


def large(effects: str, number: object, count: int) -> dict[str, object]:
    """A list too large for a record, whose first element is the number."""
    return effect(effects, [number], lambda: [plain(number), *range(count)])


def head(effects: str, values: object) -> dict[str, object]:
    """The first element of a list."""
    return effect(effects, [values], lambda: plain(values)[0])


def held(effects: str, number: object, until: str) -> dict[str, object]:
    """The number, after a few random milliseconds, and not before a file is there, if one is named."""

    def work() -> object:
        time.sleep(random() * 0.005)
        end = time.monotonic() + 60
        while until and not Path(until).exists() and time.monotonic() < end:
            time.sleep(0.005)
        return plain(number)

    return effect(effects, [number], work)


def needs(effects: str, number: object, file: str) -> dict[str, object]:
    """The number, if a file is there."""

    def work() -> object:
        if not Path(file).exists():
            raise FileNotFoundError(f"{file} is missing")
        return plain(number)

    return effect(effects, [number], work)


class Account:
    """An actor's class: what is deposited comes together, each time once."""

    def __init__(self) -> None:
        self.amount = 0

    def deposit(self, effects: str, number: object) -> dict[str, object]:
        """The amount with the number."""

        def work() -> object:
            self.amount += plain(number)
            return self.amount

        return effect(effects, [number], work)

    def deposit_at_last(self, effects: str, number: object) -> dict[str, object]:
        """The amount with the number, at the second attempt."""

        def work() -> object:
            self.amount += plain(number)
            if flowrt.current().attempt < 2:
                raise ConnectionError("not yet")
            return self.amount

        return effect(effects, [number], work)

    def balance(self, effects: str) -> dict[str, object]:
        """The amount."""
        return effect(effects, [], lambda: self.amount)
