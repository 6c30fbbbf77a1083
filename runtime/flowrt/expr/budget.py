"""Budgets: what an evaluation has spent so far in; an error before it can exhaust the engine out.

No expression can hang the engine or fill its memory, whatever its text and its values are. Three limits
see to that. They are checked before the work is done, never after:

    steps       1,000,000 for an evaluation
    elements    1,000,000 in a list, tuple, set, dict
    characters  10,000,000 in a text (and bytes in a bytes object); 1,000,000 bits in an int

What a step is: one iteration of a comprehension (one step more for every ten nodes in it), or one item
that an iterator hands out. Work that Python does in one go in C is cheaper: ten elements copied or
compared, three elements hashed, ten characters made, a thousand characters looked through are one step.
Multiplying and dividing long ints costs what it would cost by hand, a thousand products of digits a step;
any other work with one, a thousand bits a step. Keys whose hashes collide cost what Python pays for them:
each is compared with all those before. So a million steps are about a second at worst, and what an
evaluation allocates in all stays near a hundred megabytes.
"""

from collections.abc import Collection
from typing import cast

MAX_STEPS = 1_000_000
MAX_ELEMENTS = 1_000_000
MAX_CHARACTERS = 10_000_000
MAX_BITS = 1_000_000
_BITS_PER_DIGIT = 30
_MAX_KEYS = 10_000
_LIGHT = frozenset({float, bool, type(None)})
SHORT = 1 << 62
"""Ints from here on are long: to add, compare or hash one takes longer the longer it is."""


class ExpressionError(Exception):
    """An expression asks for something that the language does not do."""


class BudgetExceeded(ExpressionError):
    """An expression asks for more than the language allows one to compute."""


class Budget:
    """What one evaluation may still spend."""

    __slots__ = ("keys", "left")

    def __init__(self) -> None:
        """Start with all steps."""
        self.left = MAX_STEPS
        self.keys: dict[int, tuple[object, int]] = {}

    def spend(self, steps: int) -> None:
        """Pay for steps that are about to be done."""
        self.left -= steps
        if self.left < 0:
            raise BudgetExceeded(
                f"The expression takes more than {MAX_STEPS:,} steps; give the work to a task."
            )

    def elements(self, count: int) -> None:
        """Pay for a collection of so many elements that is about to be made."""
        if count > MAX_ELEMENTS:
            raise BudgetExceeded(
                f"The expression works on a collection of {_count(count)} elements;"
                f" {MAX_ELEMENTS:,} are the most. Give the work to a task."
            )
        self.spend(count // 10)

    def characters(self, count: int) -> None:
        """Pay for a text of so many characters that is about to be made."""
        if count > MAX_CHARACTERS:
            raise BudgetExceeded(
                f"The expression makes a text of {_count(count)} characters; {MAX_CHARACTERS:,} are the most."
                " Give the work to a task."
            )
        self.spend(count // 10)

    def scan(self, count: int) -> None:
        """Pay for looking through so many characters."""
        self.spend(count // 1000)

    def bits(self, count: int) -> None:
        """Pay for an int of so many bits that is about to be made."""
        if count > MAX_BITS:
            raise BudgetExceeded(
                f"The expression makes an int of {_count(count)} bits; {MAX_BITS:,} are the most."
            )

    def integer(self, value: int) -> None:
        """Pay for having made an int, or for going through it; a short one is free."""
        if not -SHORT < value < SHORT:
            self.spend(value.bit_length() // 1000)

    def hashed(self, count: int) -> None:
        """Pay for so many elements that are about to be hashed."""
        self.spend(count // 3)

    def collision(self, key: object) -> None:
        """Pay for the keys of the same hash that this one is compared with.

        Only ints beyond the modulus of Python's hashes, tuples and frozensets can be made to collide, as
        `{i * (2**61 - 1) for i in range(n)}` does; it would take n² comparisons.
        """
        found = hash(key)
        known, count = self.keys.get(found, (key, 0))
        if count and known == key:
            return
        if len(self.keys) >= _MAX_KEYS:
            self.keys.clear()
        self.keys[found] = (key, count + 1)
        self.spend(count // 10)

    def product(self, left: int, right: int) -> None:
        """Pay for multiplying or dividing ints of so many bits."""
        digits = (left // _BITS_PER_DIGIT + 1) * (right // _BITS_PER_DIGIT + 1)
        self.spend(digits // 1000)

    def walk(self, value: object) -> None:
        """Pay for an operation that goes through a whole value, such as a comparison."""
        most = self.left * 10 + 10
        self.spend(weigh(value, most) // 10)


def weigh(value: object, most: int) -> int:
    """How many elements a walk through a value meets; it stops counting soon after `most`.

    An element that stands in several places is counted each time: `[[[0] * 1000] * 1000] * 1000` is small
    in memory and 10⁹ elements to whoever compares, prints or encodes it.
    """
    total, stack = 1, [value]
    while stack and total <= most:
        item = stack.pop()
        if isinstance(item, (str, bytes)):
            total += len(item) // 100
        elif isinstance(item, int):
            total += item.bit_length() // 100
        elif isinstance(item, (list, tuple, set, frozenset)):
            parts = cast("Collection[object]", item)
            total += len(parts)
            if total <= most:
                stack.extend(part for part in parts if _has_size(part))
        elif isinstance(item, dict):
            pairs = cast("dict[object, object]", item)
            total += 2 * len(pairs)
            if total <= most:
                stack.extend(part for part in pairs if _has_size(part))
                stack.extend(part for part in pairs.values() if _has_size(part))
    return total


def _has_size(value: object) -> bool:
    return not -SHORT < value < SHORT if type(value) is int else type(value) not in _LIGHT


def _count(count: int) -> str:
    # A count may itself be too long to print.
    return f"{count:,}" if count < 10**18 else "more than 10¹⁸"
