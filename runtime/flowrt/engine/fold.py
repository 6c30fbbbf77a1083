"""Fold: a journal becomes the state of its run.

In: the rows of a journal. Out: the state, and what is needed to go on. A `Reopened` record voids earlier
ones: they are left out of the fold as if they had never been written, which is how a failed run goes on
behind its failure without any recorded step being run again.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field

from flowrt.core.outcome import Anew
from flowrt.core.path import attempt_prefix, prefixes_of
from flowrt.core.plan import Plans
from flowrt.core.state import State
from flowrt.encoding.pack import decode_record, is_reopened
from flowrt.errors import StoreCorrupt
from flowrt.observer import Observer
from flowrt.program import Program
from flowrt.record import (
    Begun,
    CancelRequested,
    Ended,
    Entered,
    Record,
    Reopened,
    Started,
    StepRecord,
    Stopped,
)
from flowrt.store.port import Store
from flowrt.store.rows import JournalRow


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
    return fold_rows(lambda: store.journal(run_id), run_id, program, observer, also_void)


def fold_rows(
    read: Callable[[], Iterable[JournalRow]],
    run_id: str,
    program: Program,
    observer: Observer | None = None,
    also_void: tuple[int, ...] = (),
    plans: Plans | None = None,
) -> Folded:
    """Fold the rows of a journal, which `read` gives as often as it is called. Raises StoreCorrupt."""
    voided = voided_records(read()).union(also_void)
    state = State(program, observer, plans)
    head = 0
    ended_at: int | None = None
    cancels: list[int] = []
    for row, record in _records(run_id, read()):
        head = row.seq + 1
        if row.seq in voided:
            if not isinstance(record, Started | CancelRequested | Reopened | Ended):
                state.void(record)
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


def undone_records(
    read: Callable[[], Iterable[JournalRow]], undone: Iterable[Anew], already: Collection[int] = ()
) -> tuple[int, ...]:
    """The numbers of what sagas recorded from their cuts on, so that they begin anew: see `flowrt.core.saga`.

    `already` counts no more before this.
    """
    cuts: dict[str, int] = {}
    for saga in undone:
        cuts[saga.prefix] = min(saga.since, cuts.get(saga.prefix, saga.since))
    if not cuts:
        return ()
    found: set[int] = set()
    beginnings = _Beginnings()
    for row in read():
        if row.seq in already:
            continue
        record = decode_record(row.data)
        if isinstance(record, Started | CancelRequested | Reopened | Ended):
            continue
        beginnings.note(record, row.seq)
        around = tuple(prefixes_of(record.step))
        if any(row.seq >= cuts.get(prefix, row.seq + 1) for prefix in around):
            found.update(beginnings.gone_with(record, row.seq, around))
    return tuple(sorted(found))


@dataclass(slots=True)
class _Beginnings:
    """What may stand before a cut and counts no more when what stands behind it does not.

    `begun`: that the one attempt of a step was begun goes with its end, but not when it was stopped: see
    `flowrt.core.once`. `bounds`: so does the bound on an attempt of a block with anything inside of it, which
    then has all of its time again.
    """

    begun: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    bounds: dict[str, int] = field(default_factory=dict[str, int])

    def note(self, record: StepRecord, seq: int) -> None:
        """Note a record that says that something begins."""
        if isinstance(record, Begun):
            self.begun.setdefault(record.step, []).append(seq)
        elif isinstance(record, Entered):
            self.bounds[attempt_prefix(record.step, record.attempt)] = seq

    def gone_with(self, record: StepRecord, seq: int, around: Iterable[str]) -> Iterator[int]:
        """The numbers that count no more when a record does not that is made anew."""
        if not isinstance(record, Begun):
            yield seq
        if not isinstance(record, Begun | Stopped):
            yield from self.begun.get(record.step, ())
        yield from (self.bounds[prefix] for prefix in around if prefix in self.bounds)


def voided_records(rows: Iterable[JournalRow]) -> frozenset[int]:
    """The numbers of the records that count no more."""
    voided: set[int] = set()
    for row in rows:
        if is_reopened(row.data) and isinstance(record := decode_record(row.data), Reopened):
            voided.update(record.voided)
    return frozenset(voided)


def _records(run_id: str, rows: Iterable[JournalRow]) -> Iterator[tuple[JournalRow, Record]]:
    for expected, row in enumerate(rows):
        record = decode_record(row.data)
        if row.seq != expected or (row.seq == 0) != isinstance(record, Started):
            message = f"The journal of run {run_id} has a gap or a stray record at number {expected}."
            raise StoreCorrupt(message)
        yield row, record
