"""Rows of the table of runs to and from nouns. In: a `NewRun` or a row; out: columns or a `RunRow`.

Where a run has no seal, a checksum of what never changes of it stands in the same column, so that a damaged
page does not pass for another run. What changes is under a checksum that the database keeps: see
`flowrt.store.sql_checksum`.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from types import UnionType
from typing import cast, get_args

from sqlalchemy import Row

from flowrt.errors import StoreCorrupt
from flowrt.store.rows import NewRun, Owner, RunRow, RunStatus
from flowrt.store.sealed_places import run_place
from flowrt.store.texts import spelt, unspelt, unspelt_or_none

_KINDS: Mapping[str, type | UnionType] = {
    "run_id": str,
    "flow": str,
    "status": str,
    "program_digest": str,
    "inputs_digest": str,
    "created_at": int,
    "started_at": int | None,
    "ended_at": int | None,
    "head": int,
    "epoch": int,
    "lease_until": int,
    "cancel_reason": str | None,
    "cancel_force": bool,
    "served": bool,
    "wake_at": int | None,
    "events_after": int,
    "snapshot": str | None,
    "problem": str | None,
    "seal": str,
    "head_seal": str,
}
"""What a damaged page may have changed: SQLite keeps a type with each value, not with the column."""


_STATUSES = frozenset(cast("tuple[str, ...]", get_args(RunStatus)))
_CHECKSUM = "crc "


def seal_text(run: NewRun | RunRow, seal: bytes) -> str:
    """The column of a seal, or the checksum that stands there without one."""
    return seal.hex() or f"{_CHECKSUM}{zlib.crc32(run_place(run)):08x}"


def columns(run: NewRun, events_after: int) -> dict[str, object]:
    """The columns of a new run, whose first record is written with it."""
    return {
        "run_id": run.run_id,
        "flow": spelt(run.flow),
        "status": "pending",
        "program_digest": run.program_digest,
        "inputs_digest": run.inputs_digest,
        "labels": json.dumps(dict(run.labels)),
        "versions": json.dumps(dict(run.versions)),
        "python_path": json.dumps(list(run.python_path)),
        "created_at": run.created_at,
        "started_at": None,
        "ended_at": None,
        "head": 1,
        "epoch": 0,
        "owner": None,
        "lease_until": 0,
        "cancel_reason": None,
        "cancel_force": False,
        "cancel_unseen": False,
        "served": run.served,
        "wake_at": run.created_at if run.served else None,
        "events_after": events_after,
        "snapshot": run.snapshot,
        "problem": None,
        "seal": seal_text(run, run.seal),
        "head_seal": run.head_seal.hex(),
    }


_INSTANTS_END = 253_402_300_800_000_000
"""The first microsecond of the year 10000, which no date can show."""


def run_row(row: Row[*tuple[object, ...]]) -> RunRow:
    """The noun of a row of `flowrt.store.sql_checksum.RUNS`. Raises StoreCorrupt."""
    read = unchecked(row)
    if not row.sound or not (read.seal or row.seal == seal_text(read, b"")):
        raise StoreCorrupt(f"The row of run {row.run_id} is damaged: its checksum is wrong.")
    return read


def unchecked(row: Row[*tuple[object, ...]]) -> RunRow:
    """The noun of a row, without a look at its checksums. Raises StoreCorrupt when it can be none."""
    for name, kind in _KINDS.items():
        if not isinstance(getattr(row, name), kind):
            raise StoreCorrupt(f"The row of run {row.run_id} is damaged: see its column {name}.")
    if row.status not in _STATUSES:
        raise StoreCorrupt(f"The row of run {row.run_id} is damaged: its status is {row.status!r}.")
    for name in ("created_at", "started_at", "ended_at"):
        at: int | None = getattr(row, name)
        if at is not None and not 0 <= at < _INSTANTS_END:
            raise StoreCorrupt(f"The row of run {row.run_id} is damaged: see its column {name}.")
    plain = row.seal.startswith(_CHECKSUM)
    try:
        return RunRow(
            run_id=row.run_id,
            flow=unspelt(row.flow),
            status=cast("RunStatus", row.status),
            program_digest=row.program_digest,
            inputs_digest=row.inputs_digest,
            labels=cast("Mapping[str, str]", json.loads(row.labels)),
            versions=cast("Mapping[str, str]", json.loads(row.versions)),
            python_path=tuple(json.loads(row.python_path)),
            created_at=row.created_at,
            started_at=row.started_at,
            ended_at=row.ended_at,
            head=row.head,
            epoch=row.epoch,
            owner=read_owner(row.owner),
            lease_until=row.lease_until,
            cancel_reason=unspelt_or_none(row.cancel_reason),
            cancel_force=row.cancel_force,
            served=row.served,
            wake_at=row.wake_at,
            events_after=row.events_after,
            snapshot=row.snapshot,
            problem=unspelt_or_none(row.problem),
            seal=b"" if plain else bytes.fromhex(row.seal),
            head_seal=bytes.fromhex(row.head_seal),
        )
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise StoreCorrupt(f"The row of run {row.run_id} is damaged: {error}.") from error


def owner_text(owner: Owner) -> str:
    """The column of an owner."""
    return json.dumps(asdict(owner))


def read_owner(text: str | None) -> Owner | None:
    """The owner of a column. Raises ValueError or TypeError for another text."""
    return None if text is None else Owner(**json.loads(text))
