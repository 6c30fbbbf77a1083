"""Loading: a run in the store becomes a run that an engine moves on.

In: the row of a run that was claimed, and its journal. Out: an `ActiveRun`. Programs are decoded once and
shared: a hundred thousand runs of one flow have one program.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

from flowrt.clock import Clock
from flowrt.core.plan import Plans
from flowrt.encoding.pack import decode_program
from flowrt.encoding.pickles import pickles_allowed
from flowrt.engine.active import ActiveRun
from flowrt.engine.data_only import refuse_pickled_code
from flowrt.engine.fold import Folded, fold_rows, undone_records, voided_records
from flowrt.executor.port import RunFacts
from flowrt.observer import Observer
from flowrt.program import Program
from flowrt.record import Reopened
from flowrt.store.port import Store
from flowrt.store.rows import Cancel, JournalRow, RunRow

ObserverOf = Callable[[str], Observer]

_PROGRAMS = 256


class Loader:
    """Loads runs out of one store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Read from `store`."""
        self._store = store
        self._clock = clock
        self._programs: OrderedDict[str, tuple[Program, Plans]] = OrderedDict()

    def load(
        self,
        row: RunRow,
        epoch: int,
        *,
        journal: Sequence[JournalRow] | None = None,
        observer: Observer | None = None,
        reopen: bool = False,
    ) -> ActiveRun:
        """The run of a row, under an epoch that is ours. With `reopen` one that failed goes on.

        `journal` are its records, if they were read already. Raises StoreError, CodecError.
        """
        program, plans = self._program(row.program_digest)

        def read() -> Iterable[JournalRow]:
            return self._store.journal(row.run_id) if journal is None else journal

        folded = fold_rows(read, row.run_id, program, None if reopen else observer, plans=plans)
        notes: list[Reopened] = []
        if reopen and folded.state.ended is not None and folded.state.ended.status == "failed":
            undone = folded.state.undone
            begun_anew = undone_records(read, undone, voided_records(read()))
            voided = tuple(sorted({*folded.undone_by_reopening, *begun_anew}))
            notes.append(Reopened(self._clock.now(), voided, tuple(sorted({one.prefix for one in undone}))))
            folded = fold_rows(read, row.run_id, program, observer, voided, plans)
        return self._active(row, epoch, program, folded, notes)

    def _program(self, digest: str) -> tuple[Program, Plans]:
        """The program of a digest, and its plans. Raises StoreError, CodecError, UnsupportedGraph."""
        known = self._programs.get(digest)
        if known is None:
            program = decode_program(self._store.program(digest))
            refuse_pickled_code(program)
            known = self._programs[digest] = (program, Plans())
            if len(self._programs) > _PROGRAMS:
                self._programs.popitem(last=False)
        return known

    def _active(
        self, row: RunRow, epoch: int, program: Program, folded: Folded, notes: Sequence[Reopened]
    ) -> ActiveRun:
        started = folded.state.started
        assert started is not None, "a journal begins with Started"
        facts = RunFacts(
            row.run_id,
            row.flow,
            started.at,
            row.labels,
            epoch,
            row.python_path,
            row.snapshot,
            pickles_allowed(),
        )
        run = ActiveRun(
            run_id=row.run_id,
            epoch=epoch,
            program=program,
            facts=facts,
            state=folded.state,
            head=folded.head,
            status=row.status,
            events_after=row.events_after,
            versions=row.versions,
            cancel=None if row.cancel_reason is None else Cancel(row.cancel_reason, row.cancel_force),
            served=row.served,
        )
        for note in notes:
            run.note(note)
        return run
