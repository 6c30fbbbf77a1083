"""Did you mean: a misspelt word and the words that are allowed come in, the nearest of them or None goes out.

The measure is the number of edits that turn one word into the other: a letter added, left out or changed,
or two neighbours swapped (optimal string alignment). Case, `-` and `_` cost nothing, for `maxRetries` and
`max-retries` are how people write `max_retries`. A word of up to two letters has so many neighbours that
only its own letters in another order or case are a suggestion; beyond that one edit is allowed, two from
six letters on, three from nine on. A guess further away tells more about the guesser than about the author.
"""

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache

_LONGEST = 64
_LENGTHS = (3, 6, 9)
"""From these lengths on one edit, two, three are allowed."""


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that the author most probably meant by `word`.

    Returns:
        The nearest candidate, or None when nothing is near. Of equals it is the one that shares the first
        letter, then the first in the alphabet, so that the order of a set does not show. A candidate
        equal to `word` is no suggestion and is passed over.
    """
    plain = _plain(word) if len(word) <= _LONGEST else ""
    if not plain:
        return None
    limit = bisect_right(_LENGTHS, len(plain))
    letters = set(plain)
    best: tuple[int, bool, str] | None = None
    for candidate in candidates:
        other = _plain(candidate)
        if candidate == word or not other or abs(len(other) - len(plain)) > limit:
            continue
        if len(letters.difference(other)) > limit:  # Each letter that is not there costs an edit.
            continue
        edits = _edits(plain, other, limit)
        if edits > limit and not (len(plain) > 1 and sorted(plain) == sorted(other) and edits == 1):
            continue
        rank = (edits, other[0] != plain[0], candidate)
        if best is None or rank < best:
            best = rank
    return best[2] if best else None


@lru_cache(maxsize=1024)
def _plain(word: str) -> str:
    return word.replace("_", "").replace("-", "").lower()


def _edits(a: str, b: str, limit: int) -> int:
    """The distance, or some number above `limit` and 1 as soon as it cannot come out smaller."""
    before_last: list[int] = []
    last = list(range(len(b) + 1))
    for i in range(1, len(a) + 1):
        row = [i]
        for j in range(1, len(b) + 1):
            changed = last[j - 1] + (a[i - 1] != b[j - 1])
            fewest = min(changed, last[j] + 1, row[j - 1] + 1)
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                fewest = min(fewest, before_last[j - 2] + 1)
            row.append(fewest)
        if min(row) > max(limit, 1) and min(last) > max(limit, 1):
            return max(limit, 1) + 1
        before_last, last = last, row
    return last[-1]
