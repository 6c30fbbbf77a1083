"""A run as JSON. In: what the store knows of it, or a view of it. Out: what `--json` and HTTP give."""

from datetime import UTC, datetime, timedelta

from flowrt.record import Failure
from flowrt.shown.json_value import plain
from flowrt.shown.load import load
from flowrt.store.port import Blobs
from flowrt.store.rows import RunRow, RunStatus
from flowrt.view import RunView, StepView, Waiting

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(at: int | None) -> str | None:
    """An instant in microseconds as ISO 8601 in UTC, to the microsecond."""
    if at is None:
        return None
    return f"{_EPOCH + timedelta(microseconds=at):%Y-%m-%dT%H:%M:%S.%fZ}"


def row_json(row: RunRow, status: RunStatus) -> dict[str, object]:
    """What the store knows of a run."""
    return {
        "run": row.run_id,
        "flow": row.flow,
        "status": status,
        "labels": dict(row.labels),
        "created_at": iso(row.created_at),
        "started_at": iso(row.started_at),
        "ended_at": iso(row.ended_at),
    }


def run_json(run: RunView, blobs: Blobs) -> dict[str, object]:
    """All of a run. Raises StoreCorrupt."""
    known = row_json(run.row, run.status)
    return {
        "run": known["run"],
        "flow": known["flow"],
        "status": known["status"],
        "inputs": {name: plain(load(blobs, handle)) for name, handle in run.inputs},
        "labels": known["labels"],
        "created_at": known["created_at"],
        "started_at": known["started_at"],
        "ended_at": known["ended_at"],
        "result": None if run.value is None else plain(load(blobs, run.value)),
        "error": failure_json(run.failure),
        "waiting": [_waiting_json(one) for one in run.waiting],
        "steps": [_step_json(one) for one in run.steps],
    }


def failure_json(failure: Failure | None) -> dict[str, object] | None:
    """A failure."""
    if failure is None:
        return None
    return {"type": failure.type, "message": failure.message, "step": failure.step}


def _waiting_json(one: Waiting) -> dict[str, object]:
    return {
        "step": one.step,
        "kind": one.kind,
        "event": one.event,
        "key": one.key,
        "until": iso(one.until),
    }


def _step_json(one: StepView) -> dict[str, object]:
    return {
        "id": one.id,
        "kind": one.kind,
        "status": one.status,
        "attempts": one.attempts,
        "started_at": iso(one.started_at),
        "ended_at": iso(one.ended_at),
        "error": one.error,
    }
