"""Making runs in SQL. In: a connection within a transaction, and a run; out: its rows."""

import hashlib
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, Table, bindparam, func, insert, select

from flowrt.errors import StoreCorrupt
from flowrt.failpoint import hit
from flowrt.store.checksum import pair_checksum, record_checksum
from flowrt.store.rows import NewRun
from flowrt.store.run_rows import columns
from flowrt.store.schema import blob_refs, code, events, program_code, programs, records, runs
from flowrt.store.sql_checksum import CHECKED, checksum_of
from flowrt.store.sql_insert import insert_absent, insert_if_absent
from flowrt.store.sql_turns import Turn, take_turn


def _given(column: str) -> str:
    """The parameter by which the checksum gets what a column gets: an INSERT keeps the column's name."""
    return f"given_{column}"


_COMPUTED = {
    "checksum": checksum_of({name: bindparam(_given(name), type_=runs.c[name].type) for name in CHECKED})
}
"""What the database computes of a new row. Made once: to make it anew takes longer than to insert the row."""


def create(connection: Connection, run: NewRun) -> bool:
    """Write a run with its program and its first record; False when its id is taken."""
    return create_all(connection, [run]) == 1


def create_all(connection: Connection, made: Sequence[NewRun]) -> int:
    """Write runs with their programs and first records; how many. One whose id is taken is left as it is.

    What they have in common is written once: a loop may start thousands with one program.
    """
    for run in {run.program_digest: run for run in made}.values():
        keep_program(connection, run.program_digest, run.program, run.code)
    hit("create.kept")
    newest = connection.scalar(select(func.max(events.c.event_id))) or 0
    numbers = [_run_no(connection, run, newest) for run in made]
    written = [(run, run_no) for run, run_no in zip(made, numbers, strict=True) if run_no is not None]
    if written:
        firsts = [record_row(run.run_id, run_no, 0, 0, run.first) for run, run_no in written]
        connection.execute(insert(records), firsts)
        refs = {
            (run_no, digest)
            for run, run_no in written
            for digest in (*run.blobs, *([run.snapshot] if run.snapshot else []))
        }
        insert_absent(connection, blob_refs, [ref_row(run_no, digest) for run_no, digest in sorted(refs)])
    hit("create.written")
    return len(written)


def _run_no(connection: Connection, run: NewRun, newest: int) -> int | None:
    """Insert the row of a run; its number, or None when the id is taken."""
    values = columns(run, newest)
    given = {_given(name): values[name] for name in CHECKED}
    run_no = insert_if_absent(connection, runs, {**values, **given}, _COMPUTED)
    return None if run_no is None else int(run_no)


def keep_program(connection: Connection, digest: str, program: bytes, callables: Mapping[str, bytes]) -> None:
    """Add a program and its callables unless they are there."""
    take_turn(connection, Turn.PROGRAMS, shared=True)
    _keep(connection, programs, digest, program)
    for key in sorted(callables):
        _keep(connection, code, key, callables[key])
    insert_absent(connection, program_code, [_code_row(digest, key) for key in sorted(callables)])


def _code_row(program: str, key: str) -> dict[str, object]:
    return {"program": program, "code": key, "checksum": pair_checksum(program, key)}


def _keep(connection: Connection, table: Table, digest: str, data: bytes) -> None:
    checksum = hashlib.sha256(data).hexdigest()
    insert_if_absent(connection, table, {"digest": digest, "sha256": checksum, "data": data})


def refer(connection: Connection, run_no: int, digests: Collection[str]) -> None:
    """Note that a run refers to blobs."""
    insert_absent(connection, blob_refs, [ref_row(run_no, one) for one in sorted(digests)])


def ref_row(run_no: int, digest: str) -> dict[str, object]:
    """The row that says that a run needs a blob."""
    return {"run_no": run_no, "digest": digest, "checksum": pair_checksum(run_no, digest)}


def record_row(run_id: str, run_no: int, seq: int, epoch: int, data: bytes) -> dict[str, object]:
    """The row of a record."""
    checksum = record_checksum(run_id, seq, epoch, data)
    return {"run_no": run_no, "seq": seq, "epoch": epoch, "checksum": checksum, "data": data}


def kept(connection: Connection, table: Table, digest: str, what: str, place: str) -> bytes:
    """The bytes of a program or a callable. Raises StoreCorrupt."""
    row = connection.execute(select(table).where(table.c.digest == digest)).first()
    if row is None:
        raise StoreCorrupt(f"The {what} is missing from the store {place}.")
    if not isinstance(row.data, bytes) or hashlib.sha256(row.data).hexdigest() != row.sha256:
        raise StoreCorrupt(f"The {what} in the store {place} is damaged.")
    return row.data
