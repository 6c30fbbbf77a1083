"""Reading journals in SQL. In: a run's id; out: its records in order, checked.

A journal is read page by page, so that a long one neither fills the memory nor keeps a transaction open.
Numbers must follow one another without a gap up to the head, and nothing may be beyond it; epochs must
not fall and not pass that of the run. Anything else is damage, and is reported instead of being folded
into a wrong state.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from sqlalchemy import Connection, Row, func, select

from flowrt.errors import StoreCorrupt
from flowrt.store.bounds import JOURNALS_MAX
from flowrt.store.checksum import record_checksum
from flowrt.store.rows import JournalRow
from flowrt.store.schema import records, runs
from flowrt.store.sql_checksum import SOUND
from flowrt.store.sql_rows import as_list, given_texts

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
    last = select(func.max(records.c.seq)).where(records.c.run_no == runs.c.run_no).scalar_subquery()
    # One statement: between two of them another process may append.
    run = connection.execute(
        select(runs.c.run_no, runs.c.head, runs.c.epoch, last.label("last"), SOUND.label("sound")).where(
            runs.c.run_id == run_id
        )
    ).first()
    if run is None:
        return None
    # SQLite keeps a type with each value: a damaged page may hold any.
    are_numbers = isinstance(run.last, int) and isinstance(run.head, int)
    if not are_numbers or run.last + 1 != run.head:
        raise StoreCorrupt(
            f"The journal of run {run_id} is damaged: its last record is {run.last}, "
            f"and it should have {run.head}."
        )
    if not run.sound:
        raise StoreCorrupt(f"The row of run {run_id} is damaged: its checksum is wrong.")
    return Extent(run_id, run.run_no, run.head, run.epoch)


def exists(connection: Connection, journal: Extent) -> bool:
    """Whether the run is still there."""
    query = select(runs.c.run_no).where(runs.c.run_no == journal.run_no)
    return connection.execute(query).first() is not None


def page(connection: Connection, journal: Extent, seq: int) -> list[JournalRow]:
    """Some records from number `seq` on."""
    found = connection.execute(
        select(records.c.seq, records.c.epoch, records.c.checksum, records.c.data)
        .where(records.c.run_no == journal.run_no, records.c.seq >= seq, records.c.seq < journal.head)
        .order_by(records.c.seq)
        .limit(_PAGE)
    )
    return [_sound(journal.run_id, row) for row in found]


def _sound(run_id: str, row: Row[*tuple[object, ...]]) -> JournalRow:
    # SQLite keeps a type with each value: a damaged page may hold any.
    sound = isinstance(row.data, bytes) and isinstance(row.epoch, int)
    if not sound or row.checksum != record_checksum(run_id, row.seq, row.epoch, row.data):
        raise StoreCorrupt(f"Record {row.seq} of run {run_id} is damaged.")
    return JournalRow(row.seq, row.epoch, row.data)


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


def several(connection: Connection, run_ids: Collection[str]) -> dict[str, list[JournalRow]]:
    """The journals of several runs, read by one statement; those that are long or damaged are left out."""
    found = connection.execute(
        select(
            runs.c.run_id,
            runs.c.run_no,
            runs.c.head,
            runs.c.epoch.label("run_epoch"),
            records.c.seq,
            records.c.epoch,
            records.c.checksum,
            records.c.data,
        )
        .select_from(runs.join(records, records.c.run_no == runs.c.run_no))
        .where(runs.c.run_id.in_(given_texts(connection.dialect.name)), runs.c.head <= JOURNALS_MAX, SOUND)
        .order_by(runs.c.run_no, records.c.seq),
        as_list(run_ids),
    )
    journals: dict[str, list[JournalRow]] = {}
    for _, group in groupby(found, _run_no):
        rows = list(group)
        first = rows[0]
        journal = Extent(first.run_id, first.run_no, first.head, first.run_epoch)
        with suppress(StoreCorrupt):
            sound = [_sound(first.run_id, row) for row in rows]
            if len(sound) == journal.head:
                journals[first.run_id] = list(checked(journal, partial(_from, sound), 0))
    return journals


def _run_no(row: Row[*tuple[object, ...]]) -> int:
    return int(row.run_no)


def _from(rows: list[JournalRow], seq: int) -> list[JournalRow]:
    return rows[seq:]
