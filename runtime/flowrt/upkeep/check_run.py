"""Check of one run. In: its id; out: how many records it has, and findings on what is not sound in it."""

import re
from collections.abc import Iterator

from flowrt.core.state import END
from flowrt.encoding.pack import decode_record
from flowrt.engine.fold import fold, fold_rows
from flowrt.errors import FlowrtError, UnknownRun
from flowrt.noun import replace
from flowrt.program import Program
from flowrt.record import TERMINATED, Ended, Record, digests_of
from flowrt.store.port import Store
from flowrt.store.rows import JournalRow, RunRow
from flowrt.store.status import ENDED
from flowrt.upkeep.check_blobs import NamedBlobs
from flowrt.upkeep.check_programs import Programs
from flowrt.upkeep.finding import Finding, Findings

_RECORD = re.compile(r"\b[Rr]ecord ([0-9]+)\b")


def check_run(store: Store, run_id: str, programs: Programs, blobs: NamedBlobs, found: Findings) -> int:
    """Check a run and return the number of its records.

    A run that is deleted meanwhile gives no findings. Raises StoreUnavailable when the store is gone.
    """
    before = len(found.found)
    try:
        count = _check(store, run_id, programs, blobs, found)
        if len(found.found) > before:
            found.attempt("run", lambda: store.run(run_id), run_id)
    except UnknownRun:
        del found.found[before:]
        return 0
    return count


def _check(store: Store, run_id: str, programs: Programs, blobs: NamedBlobs, found: Findings) -> int:
    row = found.attempt("run", lambda: store.run(run_id), run_id)
    if row is None:
        return 0
    if row.snapshot is not None:
        blobs.check(row.snapshot, found, run_id)
    program = programs.check(row.program_digest, found, run_id)
    before = len(found.found)
    count, last = _read(store, run_id, blobs, found)
    blobs.check_references(found)
    if count < row.head:
        message = f"The journal of run {run_id} has {count} records that can be read, of {row.head}."
        found.note("journal", message, run_id)
    journal_is_sound = all(finding.place != "journal" for finding in found.found[before:])
    if program is not None and journal_is_sound:
        _fold(store, row, program, last if isinstance(last, Ended) else None, found)
    return count


def _read(store: Store, run_id: str, blobs: NamedBlobs, found: Findings) -> tuple[int, Record | None]:
    """Read the records, as far as it goes, and the blobs that they name; how many there are, and the last."""
    lines = store.journal(run_id)
    count, epoch, last = 0, 0, None
    while True:
        before = len(found.found)
        line = found.attempt("journal", lambda: next(lines, None), run_id)
        if line is None:
            found.found[before:] = [_located(finding) for finding in found.found[before:]]
            return count, last
        if line.seq != count or line.epoch < epoch:
            message = f"Record {line.seq} of epoch {line.epoch} follows record {count - 1} of epoch {epoch}."
            found.note("journal", message, run_id, line.seq)
        count, epoch = line.seq + 1, line.epoch
        last = _read_record(line, run_id, blobs, found)


def _located(finding: Finding) -> Finding:
    """A store reads many records at a time; which of them is damaged stands in its message."""
    number = _RECORD.search(finding.message)
    return finding if number is None else replace(finding, record=int(number[1]))


def _read_record(line: JournalRow, run_id: str, blobs: NamedBlobs, found: Findings) -> Record | None:
    record = found.attempt("journal", lambda: decode_record(line.data), run_id, line.seq)
    if record is not None:
        for digest in digests_of(record):
            blobs.check(digest, found, run_id, line.seq)
    return record


def _fold(store: Store, row: RunRow, program: Program, ended: Ended | None, found: Findings) -> None:
    """See that the records make a state, one that has come to its end, and that the run's row says so."""
    run_id = row.run_id
    try:
        comes_to_an_end = _folds(store, run_id, program, ended)
    except UnknownRun:
        raise
    except FlowrtError as error:
        found.note("journal", str(error), run_id)
        return
    except Exception as error:  # noqa: BLE001 - records that do not fit each other may do anything to a fold
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        found.note(
            "journal", f"The records of run {run_id} do not follow from its program: {reason}.", run_id
        )
        return
    if store.run(run_id).head != row.head:
        return  # The journal has been added to since the row was read, and what was read last is not its end.
    if not comes_to_an_end:
        message = f"The records of run {run_id} do not follow from its program: it ends before its steps do."
        found.note("journal", message, run_id)
    status = None if ended is None else ended.status
    if row.status in ENDED and status != row.status:
        how = "does not end" if status is None else f"ends with {status}"
        found.note("run", f"Run {run_id} has the status {row.status}, and its journal {how}.", run_id)


def _folds(store: Store, run_id: str, program: Program, ended: Ended | None) -> bool:
    """Fold the records; whether the run has come to its end by the records before its last."""
    if ended is None:
        fold(store, run_id, program)
        return True

    def rows() -> Iterator[JournalRow]:
        lines = store.journal(run_id)
        line = next(lines, None)
        for following in lines:
            if line is not None:
                yield line
            line = following

    open_at_end = fold_rows(rows, run_id, program).state.is_open(END)
    return open_at_end or (ended.failure is not None and ended.failure.type == TERMINATED)
