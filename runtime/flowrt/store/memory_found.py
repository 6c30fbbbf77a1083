"""What is found among the rows of a store in memory. In: rows; out: those that were asked for."""

from collections.abc import Collection, Iterable, Sequence

from flowrt.store.memory_rows import KeptRun, Place
from flowrt.store.rows import Cancel, EventRow, RunRow, RunStatus
from flowrt.store.status import ENDED


def matching(rows: Sequence[RunRow], status: Collection[RunStatus] | None, flow: str | None) -> list[RunRow]:
    """Those of some rows that have one of these statuses and are of that flow."""
    return [
        row for row in rows if (status is None or row.status in status) and (flow is None or row.flow == flow)
    ]


def due_of(runs: Iterable[KeptRun], now: int, ahead: int) -> list[KeptRun]:
    """Those that are due, the earliest first; a run that nobody has is due `ahead` of its time."""
    due = [
        (run.row.wake_at, place, run)
        for place, run in enumerate(runs)
        if run.row.wake_at is not None
        and run.row.wake_at <= now + (ahead if run.row.owner is None else 0)
        and run.row.status not in ENDED
    ]
    return [run for _, _, run in sorted(due, key=lambda one: one[:2])]


def inbox_of(events: Sequence[EventRow]) -> dict[Place, list[EventRow]]:
    """Events by name and key."""
    inbox: dict[Place, list[EventRow]] = {}
    for event in events:
        inbox.setdefault((event.name, event.key), []).append(event)
    return inbox


def cancels_of(rows: Sequence[RunRow]) -> dict[str, Cancel]:
    """Which of some runs are to be cancelled."""
    return {
        row.run_id: Cancel(row.cancel_reason, row.cancel_force)
        for row in rows
        if row.cancel_reason is not None and row.status not in ENDED
    }
