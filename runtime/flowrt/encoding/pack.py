"""Programs and records to bytes and back; the digest of a program. The format is `flat_form`'s.

A program's bytes are canonical: equal programs give equal bytes in every process and on every version of
Python, as long as the constants in them are data (a constant of a hand-written graph may be pickled).
Its code is not among them: it is stored apart, by content, and the digests stand in the callees.
"""

import hashlib
from typing import TypeAlias, cast, get_args

from flowrt.encoding import flat_form
from flowrt.encoding.classes import Library
from flowrt.errors import StoreCorrupt
from flowrt.program import Program
from flowrt.record import CancelRequested, Ended, Record, Reopened, Started, StepRecord

_RecordTypes: TypeAlias = tuple[type, ...]
_RECORDS: _RecordTypes = (Started, *get_args(StepRecord), CancelRequested, Reopened, Ended)


def encode_program(program: Program) -> bytes:
    """The canonical bytes of a program, without its code.

    Raises:
        CodecError: A constant in it cannot be encoded.
    """
    return flat_form.to_bytes(Library(program.main, tuple(sorted(program.flows.items(), key=_name))))


def decode_program(data: bytes) -> Program:
    """The program of bytes that `encode_program` gave; its `code` is empty.

    Raises:
        StoreCorrupt: The bytes are damaged or no program.
        StoreTooNew: They are of a newer version.
        CodecError: A constant in it needs what this process lacks.
    """
    library = flat_form.from_bytes(data)
    if not isinstance(library, Library):
        raise StoreCorrupt(f"Where a program should be stored there is a {type(library).__name__}.")
    try:
        return Program(dict(library.flows), library.main)
    except (TypeError, ValueError) as error:
        raise StoreCorrupt("A stored program has no table of flows.") from error


def program_digest(program: Program) -> str:
    """The SHA-256 (hex) of a program's canonical bytes."""
    return hashlib.sha256(encode_program(program)).hexdigest()


def encode_record(record: Record) -> bytes:
    """The bytes of a record.

    Raises:
        CodecError: A constant in it cannot be encoded.
    """
    return flat_form.to_bytes(record)


def decode_record(data: bytes) -> Record:
    """The record of bytes that `encode_record` gave.

    Raises:
        StoreCorrupt: The bytes are damaged or no record.
        StoreTooNew: They are of a newer version.
    """
    record = flat_form.from_bytes(data)
    if not isinstance(record, _RECORDS):
        raise StoreCorrupt(f"Where a record should be stored there is a {type(record).__name__}.")
    return cast("Record", record)


def is_reopened(data: bytes) -> bool:
    """Whether the bytes of a record are those of a `Reopened`, by a look at one of them."""
    return flat_form.is_of(Reopened, data)


def _name(item: tuple[str, object]) -> str:
    return item[0]
