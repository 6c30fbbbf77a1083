"""What a seal is about: rows of a store go in, the places that `flowrt.store.seal` authenticates come out.

A run has a nonce, made when it is created and kept in the seal of its row. Everything else of the run
names it, so that records of an earlier run of the same id, or of a run of that id in another store with
the same key, do not fit.
"""

import json
import struct
from collections.abc import Mapping, Sequence

from flowrt.store.rows import Deployment, EventRow, LockRequest, LockRow, NewEvent, NewRun, RunRow
from flowrt.store.seal import place

_NUMBERS = struct.Struct(">qq")


def run_place(run: NewRun | RunRow) -> bytes:
    """What never changes of a run, but by `reopen`."""
    return place(
        "run",
        _json(
            run.run_id,
            run.flow,
            run.program_digest,
            run.inputs_digest,
            run.created_at,
            _sorted(run.labels),
            _sorted(run.versions),
            list(run.python_path),
            run.snapshot,
        ),
    )


def head_place(run_id: str, nonce: bytes, head: int) -> bytes:
    """How many records a run has."""
    return place("head", run_id.encode(), nonce, _number(head))


def records_place(run_id: str, nonce: bytes) -> bytes:
    """What the places of all records of a run begin with."""
    return place("record", run_id.encode(), nonce)


def record_place(of_run: bytes, seq: int, epoch: int) -> bytes:
    """Which record of a run, and who wrote it; `of_run` is the `records_place` of the run."""
    return of_run + _NUMBERS.pack(seq, epoch)


def event_place(event: NewEvent | EventRow) -> bytes:
    """An event without its number, which is not known when it is sent."""
    return place("event", _json(event.name, event.key, event.run_id, event.at))


def lock_place(run_id: str, nonce: bytes, asked: LockRequest | LockRow) -> bytes:
    """What a run asks for, without its ticket, which is not known then."""
    return place("lock", nonce, _json(run_id, asked.step, asked.name, asked.limit))


def deployment_place(deployment: Deployment) -> bytes:
    """What is served, without the cursor of its schedule, which moves."""
    return place(
        "deployment",
        _json(
            deployment.name,
            deployment.program_digest,
            _sorted(deployment.labels),
            _sorted(deployment.versions),
            list(deployment.python_path),
            deployment.snapshot,
            deployment.schedule,
            deployment.deployed_at,
        ),
    )


def _json(*fields: str | int | Sequence[object] | None) -> bytes:
    return json.dumps(fields, separators=(",", ":")).encode()


def _sorted(texts: Mapping[str, str]) -> Sequence[object]:
    return sorted(texts.items())


def _number(number: int) -> bytes:
    return number.to_bytes(8, "big", signed=True)
