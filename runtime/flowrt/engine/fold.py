"""Fold: a journal becomes the state of its run.

In: the rows of a journal. Out: the state, and what is needed to go on. A `Reopened` record voids earlier
ones: they are left out of the fold as if they had never been written, which is how a failed run goes on
behind its failure without any recorded step being run again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from flowrt.core.state import State
from flowrt.encoding.pack import decode_record
from flowrt.errors import StoreCorrupt
from flowrt.observer import Observer
from flowrt.program import Program
from flowrt.record import CancelRequested, Ended, Record, Reopened, Started
from flowrt.store.port import JournalRow, Store


@dataclass(frozen=True, slots=True)
class Folded:
    """A state, the number of the next record, and the numbers that reopening the run would void."""

    state: State
    head: int
    undone_by_reopening: tuple[int, ...]


def fold(
    store: Store,
    run_id: str,
    program: Program,
    observer: Observer | None = None,
    also_void: tuple[int, ...] = (),
) -> Folded:
    """Fold a run's journal. Raises UnknownRun, StoreCorrupt."""
    voided = _voided(store, run_id).union(also_void)
    state = State(program, observer)
    head = 0
    ended_at: int | None = None
    cancels: list[int] = []
    for row, record in _records(store, run_id):
        head = row.seq + 1
        if row.seq in voided:
            continue
        if isinstance(record, Ended):
            ended_at = row.seq
        if isinstance(record, CancelRequested):
            cancels.append(row.seq)
        state.apply(record, row.seq)
    if state.started is None:
        message = f"The journal of run {run_id} does not begin with its start."
        raise StoreCorrupt(message)
    return Folded(state, head, _undone(state, ended_at, cancels))


def _undone(state: State, ended_at: int | None, cancels: list[int]) -> tuple[int, ...]:
    """A run that failed while it was to be cancelled goes on as one that is not."""
    if ended_at is None:
        return ()
    return tuple(sorted({*state.failed_seqs, *cancels, ended_at}))


def _voided(store: Store, run_id: str) -> frozenset[int]:
    voided: set[int] = set()
    for _, record in _records(store, run_id):
        if isinstance(record, Reopened):
            voided.update(record.voided)
    return frozenset(voided)


def _records(store: Store, run_id: str) -> Iterator[tuple[JournalRow, Record]]:
    for expected, row in enumerate(store.journal(run_id)):
        record = decode_record(row.data)
        if row.seq != expected or (row.seq == 0) != isinstance(record, Started):
            message = f"The journal of run {run_id} has a gap or a stray record at number {expected}."
            raise StoreCorrupt(message)
        yield row, record
