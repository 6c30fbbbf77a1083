"""Did you mean, within a budget: words that are wrong come in, the names that were probably meant go out."""

from collections.abc import Iterable
from itertools import islice

from flowc.suggest import closest

COMPARISONS_MAX = 20_000
"""A rule compares so many pairs of words in a flow at most: about half a second. Nobody reads further."""


class Nearest:
    """The nearest names for the wrong words of one rule; gives none when its budget is used up."""

    def __init__(self) -> None:
        """A fresh budget."""
        self._left = COMPARISONS_MAX

    def to(self, word: str, names: Iterable[str]) -> str | None:
        """The name that was probably meant by `word`."""
        candidates = tuple(islice(names, self._left))
        self._left -= len(candidates)
        return closest(word, candidates)
