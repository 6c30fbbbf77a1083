"""Reading journals in SQL. In: a run's number and head; out: its records in order, checked.

A journal is read page by page, so that a long one neither fills the memory nor keeps a transaction open.
Numbers must follow one another without a gap up to the head, and epochs must not fall: anything else is
damage, and is reported instead of being folded into a wrong state.
"""

from collections.abc import Callable, Iterator

from sqlalchemy import Connection, select

from flowrt.errors import StoreCorrupt
from flowrt.store.port import JournalRow
from flowrt.store.schema import records

_PAGE = 500


def page(connection: Connection, run_no: int, seq: int, head: int) -> list[JournalRow]:
    """Some records from number `seq` on, below `head`."""
    found = connection.execute(
        select(records.c.seq, records.c.epoch, records.c.data)
        .where(records.c.run_no == run_no, records.c.seq >= seq, records.c.seq < head)
        .order_by(records.c.seq)
        .limit(_PAGE)
    )
    return [JournalRow(row.seq, row.epoch, row.data) for row in found]


def checked(
    run_id: str, read: Callable[[int], list[JournalRow]], first_seq: int, head: int
) -> Iterator[JournalRow]:
    """All records from `first_seq` to `head`. Raises StoreCorrupt."""
    seq, epoch = first_seq, 0
    while seq < head:
        rows = read(seq)
        if not rows:
            raise StoreCorrupt(f"The journal of run {run_id} ends at record {seq}; it should have {head}.")
        for row in rows:
            if row.seq != seq:
                raise StoreCorrupt(f"The journal of run {run_id} lacks record {seq}.")
            if row.epoch < epoch:
                raise StoreCorrupt(
                    f"Record {seq} of run {run_id} was written under epoch {row.epoch}, after {epoch}."
                )
            seq, epoch = seq + 1, row.epoch
            yield row
