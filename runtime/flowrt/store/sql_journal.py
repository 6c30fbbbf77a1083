"""Reading journals in SQL. In: a run's id; out: its records in order, checked.

A journal is read page by page, so that a long one neither fills the memory nor keeps a transaction open.
Numbers must follow one another without a gap up to the head, and nothing may be beyond it; epochs must
not fall and not pass that of the run. Anything else is damage, and is reported instead of being folded
into a wrong state.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from flowrt.errors import StoreCorrupt
from flowrt.store.checksum import record_checksum
from flowrt.store.port import JournalRow
from flowrt.store.schema import records, runs

_PAGE = 500


@dataclass(frozen=True, slots=True)
class Extent:
    """Which journal, how many records it has and which epoch is the newest that may have written one."""

    run_id: str
    run_no: int
    head: int
    epoch: int


def extent(connection: Connection, run_id: str) -> Extent | None:
    """How far a journal goes now; None when there is no such run. Raises StoreCorrupt."""
    run = connection.execute(
        select(runs.c.run_no, runs.c.head, runs.c.epoch).where(runs.c.run_id == run_id)
    ).first()
    if run is None:
        return None
    last = connection.scalar(select(func.max(records.c.seq)).where(records.c.run_no == run.run_no))
    if last is None or last + 1 != run.head:
        raise StoreCorrupt(
            f"The journal of run {run_id} is damaged: its last record is {last}, "
            f"and it should have {run.head}."
        )
    return Extent(run_id, run.run_no, run.head, run.epoch)


def page(connection: Connection, journal: Extent, seq: int) -> list[JournalRow]:
    """Some records from number `seq` on."""
    found = connection.execute(
        select(records.c.seq, records.c.epoch, records.c.checksum, records.c.data)
        .where(records.c.run_no == journal.run_no, records.c.seq >= seq, records.c.seq < journal.head)
        .order_by(records.c.seq)
        .limit(_PAGE)
    )
    rows: list[JournalRow] = []
    for row in found:
        # SQLite keeps a type with each value: a damaged page may hold any.
        sound = isinstance(row.data, bytes) and isinstance(row.epoch, int)
        if not sound or row.checksum != record_checksum(journal.run_id, row.seq, row.epoch, row.data):
            raise StoreCorrupt(f"Record {row.seq} of run {journal.run_id} is damaged.")
        rows.append(JournalRow(row.seq, row.epoch, row.data))
    return rows


def checked(journal: Extent, read: Callable[[int], list[JournalRow]], first_seq: int) -> Iterator[JournalRow]:
    """All records from `first_seq` on. Raises StoreCorrupt."""
    seq, epoch = first_seq, 0
    while seq < journal.head:
        rows = read(seq)
        if not rows:
            raise StoreCorrupt(f"The journal of run {journal.run_id} lacks record {seq} and all that follow.")
        for row in rows:
            if row.seq != seq:
                raise StoreCorrupt(f"The journal of run {journal.run_id} lacks record {seq}.")
            if not epoch <= row.epoch <= journal.epoch:
                raise StoreCorrupt(
                    f"Record {seq} of run {journal.run_id} is damaged: it is of epoch {row.epoch}, "
                    f"between records of epoch {epoch} and a run of epoch {journal.epoch}."
                )
            seq, epoch = seq + 1, row.epoch
            yield row
