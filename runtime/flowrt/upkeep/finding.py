"""Findings: what a check of a store has to say, and how damage becomes one. In: errors; out: findings."""

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from flowrt.errors import CodecError, StoreError, StoreUnavailable
from flowrt.noun import noun

T = TypeVar("T")

UNREACHABLE = 3
"""So many failures to reach the store, one after another, end a check."""


@noun
class Finding:
    """Something in a store is not as it was written. `message` is a whole sentence.

    `place` is what is damaged: `database`, `run`, `journal`, `program`, `code`, `blob`, `event`,
    `actor`, `lock`, `cached value` or `deployment`. `run_id` and `record` say where, as far as it belongs to
    a run and its journal.
    """

    place: str
    message: str
    run_id: str | None = None
    record: int | None = None


@noun
class Checked:
    """What a check went through, and what it found."""

    findings: tuple[Finding, ...]
    run_count: int
    record_count: int
    blob_count: int
    blob_bytes: int
    event_count: int


class Findings:
    """Findings as they are made."""

    def __init__(self) -> None:
        """Begin with none."""
        self.found: list[Finding] = []
        self._failures: Counter[str] = Counter()

    def note(self, place: str, message: str, run_id: str | None = None, record: int | None = None) -> None:
        """Keep a finding."""
        self.found.append(Finding(place, message, run_id, record))

    def attempt(
        self, place: str, work: Callable[[], T], run_id: str | None = None, record: int | None = None
    ) -> T | None:
        """What `work` returns, or a finding and None.

        Raises:
            UnknownRun: The run is not there any more.
            StoreUnavailable: The store has not been reached several times.
        """
        try:
            done = work()
        except StoreUnavailable as error:
            self._failures[place] += 1
            if self._failures[place] >= UNREACHABLE:
                raise
            self.note(place, str(error), run_id, record)
        except (StoreError, CodecError) as error:
            self.note(place, str(error), run_id, record)
        else:
            del self._failures[place]
            return done
        return None
