"""Listing: the runs of a store with their status. In: a store. Out: its runs, and what of them is damaged.

A run whose row is damaged is told and left out, so that the others can still be seen and driven.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import get_args

from flowrt.clock import WallClock
from flowrt.engine.drive import owned
from flowrt.errors import StoreCorrupt, UnknownRun
from flowrt.store.port import Store
from flowrt.store.rows import RunRow, RunStatus
from flowrt.store.status import ENDED

_NOT_ENDED: Collection[RunStatus] = tuple(each for each in get_args(RunStatus) if each not in ENDED)


@dataclass(frozen=True, slots=True)
class Damage:
    """A run that cannot be read, and why."""

    run_id: str
    problem: str


@dataclass(frozen=True, slots=True)
class Listing:
    """Runs with their status, the newest first, and those whose rows are damaged."""

    rows: tuple[tuple[RunRow, RunStatus], ...]
    damaged: tuple[Damage, ...]


def listed(store: Store, wanted: RunStatus | None, flow: str | None, limit: int | None) -> Listing:
    """Runs with their status.

    Whether a run is suspended is not stored: its owner may just be gone. So the store can tell the ended
    ones from the others, and limits what it is asked for only where it can tell what was wanted. Whether a
    damaged run is one of those that are wanted nobody knows: all of them are told.

    Raises StoreCorrupt when it is not single runs that are damaged.
    """
    stored: Collection[RunStatus] | None = None
    if wanted is not None:
        stored = [wanted] if wanted in ENDED else _NOT_ENDED
    exact = stored is not _NOT_ENDED
    rows, damaged = readable(store, stored, flow, limit if exact else None)
    pairs: list[tuple[RunRow, RunStatus]] = [(row, status_of(row)) for row in rows]
    return Listing(tuple([pair for pair in pairs if exact or pair[1] == wanted][:limit]), damaged)


def readable(
    store: Store,
    status: Collection[RunStatus] | None = None,
    flow: str | None = None,
    limit: int | None = None,
) -> tuple[list[RunRow], tuple[Damage, ...]]:
    """The runs as `Store.runs` has them, and those that it cannot give because their rows are damaged."""
    try:
        return store.runs(status, flow, limit), ()
    except StoreCorrupt:
        return _one_by_one(store, status, flow, limit)


def _one_by_one(
    store: Store, status: Collection[RunStatus] | None, flow: str | None, limit: int | None
) -> tuple[list[RunRow], tuple[Damage, ...]]:
    found: list[RunRow] = []
    damaged: list[Damage] = []
    lost: list[str] = []
    for run_id in store.run_ids():
        try:
            row = store.run(run_id)
        except StoreCorrupt as error:
            damaged.append(Damage(run_id, str(error)))
        except UnknownRun:
            lost.append(run_id)
        else:
            if (status is None or row.status in status) and flow in (None, row.flow):
                found.append(row)
    # Deleted meanwhile, or there and not to be found by its id, for that or the index of ids is damaged.
    there = set(store.run_ids()) if lost else set[str]()
    damaged += [Damage(each, f"Run {each} cannot be found by its id.") for each in lost if each in there]
    return found[:limit], tuple(damaged)


def status_of(row: RunRow) -> RunStatus:
    """The status of a run: one that was left without its process is suspended.

    One that is served is not left: whoever serves the store takes it when it is due.
    """
    if row.status in ENDED or row.status in {"pending", "suspended"} or owned(row, WallClock().now()):
        return row.status
    if not row.served:
        return "suspended"
    return "waiting" if row.status == "waiting" else "pending"
