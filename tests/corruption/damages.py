"""The kinds of damage. In: an undamaged store; out: numbered cases, each of which damages a copy of it."""

import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from flowrt.store.checksum import record_checksum


@dataclass(frozen=True)
class Damage:
    """`count` cases; `do` damages a fresh copy of the store by the case of a number."""

    count: int
    do: Callable[[Path, int], None]


def _flipped(data: bytes, at: int) -> bytes:
    """One byte is another one: which, is chosen by its place, so that a case is the same each time."""
    changed = bytearray(data)
    changed[at] ^= random.Random(at).randrange(1, 256)
    return bytes(changed)


def of_file(source: Path) -> Damage:
    """A byte of the journal."""
    data = (source / "journal.db").read_bytes()

    def do(place: Path, number: int) -> None:
        (place / "journal.db").write_bytes(_flipped(data, number))

    return Damage(len(data), do)


def of_end(source: Path) -> Damage:
    """The journal is cut off at an offset."""
    data = (source / "journal.db").read_bytes()

    def do(place: Path, number: int) -> None:
        (place / "journal.db").write_bytes(data[:number])

    return Damage(len(data), do)


def _records(source: Path) -> Sequence[tuple[str, int, int, int, bytes]]:
    connection = sqlite3.connect(source / "journal.db")
    try:
        return connection.execute(
            "SELECT run_id, run_no, seq, records.epoch, data FROM records JOIN runs USING (run_no) "
            "ORDER BY run_no, seq"
        ).fetchall()
    finally:
        connection.close()


def _of_records(source: Path, *, forged: bool) -> Damage:
    rows = _records(source)
    cases = [(row, at) for row in rows for at in range(len(row[4]))]

    def do(place: Path, number: int) -> None:
        (run_id, run_no, seq, epoch, data), at = cases[number]
        changed = _flipped(data, at)
        connection = sqlite3.connect(place / "journal.db")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("UPDATE records SET data = ? WHERE run_no = ? AND seq = ?", (changed, run_no, seq))
        if forged:
            checksum = record_checksum(run_id, seq, epoch, changed)
            connection.execute(
                "UPDATE records SET checksum = ? WHERE run_no = ? AND seq = ?", (checksum, run_no, seq)
            )
        connection.commit()
        connection.close()

    return Damage(len(cases), do)


def of_records(source: Path) -> Damage:
    """A byte of a record."""
    return _of_records(source, forged=False)


def of_forged_records(source: Path) -> Damage:
    """A byte of a record, with a checksum that is right."""
    return _of_records(source, forged=True)


def _blob(place: Path) -> Path:
    [found] = [path for path in (place / "blobs").rglob("*") if path.is_file() and path.stat().st_size]
    return found


def of_blob(source: Path) -> Damage:
    """A byte of a stored value."""
    data = _blob(source).read_bytes()
    return Damage(len(data), lambda place, number: _overwrite(_blob(place), _flipped(data, number)))


def of_blob_end(source: Path) -> Damage:
    """A stored value is cut off at an offset."""
    data = _blob(source).read_bytes()
    name = _blob(source).relative_to(source)
    return Damage(len(data), lambda place, number: _overwrite(place / name, data[:number]))


def _overwrite(path: Path, data: bytes) -> None:
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], Damage]] = {
    "record": of_records,
    "forged": of_forged_records,
    "file": of_file,
    "cut": of_end,
    "blob": of_blob,
    "blobcut": of_blob_end,
}


def fresh(source: Path, place: Path) -> None:
    """A new copy of the store."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(source, place)


def means_the_same(place: Path, rows: Sequence[object]) -> bool:
    """Whether a damaged journal is sound for SQLite and holds the same rows: so every answer is the same."""
    try:
        return logical(place) == rows
    except (sqlite3.Error, UnicodeDecodeError, OverflowError):
        return False


def logical(place: Path) -> Sequence[object]:
    """What a journal holds, and what SQLite says of it; nothing is written."""
    connection = sqlite3.connect(f"file:{place / 'journal.db'}?immutable=1", uri=True)
    try:
        pragmas = ("integrity_check", "application_id", "user_version", "encoding", "page_size")
        found: list[object] = [connection.execute(f"PRAGMA {name}").fetchall() for name in pragmas]
        schema = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()
        found.append(schema)
        found += [
            connection.execute(f'SELECT * FROM "{name}"').fetchall()
            for kind, name, _, _ in schema
            if kind == "table"
        ]
        header = (place / "journal.db").read_bytes()[:100]
        # The versions of the format: 2 is WAL, 1 is not.
        return [*found, header[18:20], header[:16]]
    finally:
        connection.close()
