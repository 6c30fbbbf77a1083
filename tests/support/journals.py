"""Recorded journals as text: a program, its records, and after each record the commands that followed.

    program BASE64
    record 3 Succeeded BASE64
      RunTask b/args.0 1 0 0 0 {a=1f0c2ab9}
    end succeeded

Values of environments stand there as the start of their digest.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from flowrt.command import Command, EndRun
from flowrt.core.state import State
from flowrt.encoding import flat_form
from flowrt.encoding.pack import decode_program, decode_record
from flowrt.expr.tree import Expr
from flowrt.program import Emit, Program, Sample, Sleep, Task, Wait
from flowrt.record import Record, Reopened

JOURNALS = Path(__file__).resolve().parent.parent / "replay"


def shown(command: Command) -> str:
    """A command as one line."""
    words = [type(command).__name__]
    words += [_word(getattr(command, name)) for name in type(command).__match_args__]
    return " ".join(words) if not isinstance(command, EndRun) else f"EndRun {command.status} {words[2]}"


def _word(part: object) -> str:
    if isinstance(part, Mapping):
        return "{" + " ".join(f"{name}={_digest(part[name])}" for name in sorted(part)) + "}"
    if isinstance(part, Task | Sleep | Wait | Emit | Sample) or _is_expr(part):
        return _digest(part)
    if part is None or isinstance(part, str | int | float):
        return str(part) or "-"
    return _digest(part)


def _is_expr(part: object) -> bool:
    return isinstance(part, Expr)


def _digest(noun: object) -> str:
    return hashlib.sha256(flat_form.to_bytes(noun)).hexdigest()[:8]


def followed(program: Program, records: Iterable[tuple[bytes, Record]]) -> Iterator[str]:
    """The lines of a journal: each record, and the commands that became possible with it."""
    listed = list(records)
    voided = {seq for _, record in listed if isinstance(record, Reopened) for seq in record.voided}
    state = State(program)
    for seq, (data, record) in enumerate(listed):
        yield f"record {seq} {type(record).__name__} {b64encode(data).decode()}"
        if seq not in voided:
            state.apply(record, seq)
            yield from (f"  {shown(command)}" for command in state.take())
    yield "end " + (state.ended.status if state.ended else "open")
    yield from (f"  {shown(command)}" for command in state.open_commands)


def written(program: bytes, records: Iterable[bytes]) -> str:
    """The text of a journal."""
    pairs = [(data, decode_record(data)) for data in records]
    lines = [f"program {b64encode(program).decode()}", *followed(decode_program(program), pairs)]
    return "\n".join(lines) + "\n"


def read(text: str) -> tuple[bytes, list[bytes]]:
    """The bytes of a journal's program and of its records."""
    words = [line.split() for line in text.splitlines()]
    program = b64decode(next(word[1] for word in words if word[0] == "program"))
    return program, [b64decode(word[3]) for word in words if word[0] == "record"]
