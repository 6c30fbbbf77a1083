"""Runs of the campaigns: started and driven on a real store, by the local executor, in this process."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import TypeVar
from uuid import uuid4

from effects import journal_of, plain, read_effects, violations
from grounds import Ground

from flowc.compile import compile_file
from flowrt.encoding.values import Values
from flowrt.engine.drive import RunResult, drive, recorded_result, start
from flowrt.engine.pace import Pace
from flowrt.engine.serve import serve
from flowrt.executor.local import LocalExecutor
from flowrt.program import Program
from flowrt.serve.scheduler import Scheduler
from flowrt.snapshot.versions import versions_here
from flowrt.store.open import open_store
from flowrt.store.port import Blobs, Store
from flowrt.store.status import ENDED
from flowrt.upkeep.check import check_store

T = TypeVar("T")

QUICK = Pace(news_us=10_000)
"""Looks for events often: a campaign has no time to lose."""

PARKING = Pace(news_us=10_000, ahead_us=5_000, park_us=15_000)
"""Lets go of a run that waits for more than some milliseconds."""


@dataclass(frozen=True)
class Place:
    """Where a trial's run lives: its store, its blobs (None: where the store has them), its effects."""

    store: str
    effects: Path
    run_id: str
    blobs: str | None = None

    def opened(self, *, create: bool = True) -> tuple[Store, Blobs]:
        return open_store(self.store, self.blobs, create=create)


def place_in(folder: str, ground: Ground) -> Place:
    """A place of a trial's own."""
    name = f"r{uuid4().hex[:12]}"
    return Place(ground.store(folder), Path(folder) / "effects", name, ground.blobs(folder))


def warm() -> None:
    """Import what a run imports when it needs it, so that a fork finds it there."""
    with TemporaryDirectory() as folder:
        place = Place(f"{folder}/store", Path(folder) / "effects", "warm")
        store, blobs = place.opened()
        digest, _ = blobs.put([b"warm"])
        blobs.get(digest)
        store.close()
    versions_here(["effect_tasks"], ())
    for room in ("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql.psycopg", "psycopg"):
        import_module(room)


def program_of(path: Path) -> Program:
    """The program of a flow's file, which has no errors."""
    compiled = compile_file(path)
    assert compiled.program is not None, compiled
    return compiled.program


def begin_run(
    place: Place,
    program: Program,
    inputs: Mapping[str, object] | None = None,
    python_path: Sequence[str] = (),
) -> None:
    """Make the run, or find it there."""
    store, blobs = place.opened()
    given = {"effects": str(place.effects), **(inputs or {})}
    start(store, blobs, program, given, run_id=place.run_id, labels={}, python_path=python_path)
    store.close()


def go_on(
    place: Place,
    *,
    reopen: bool = False,
    anew: Mapping[str, str] | None = None,
    interrupt: Event | None = None,
    pace: Pace = QUICK,
) -> dict[str, object]:
    """Drive the run to its end; its status and plain value."""
    store, blobs = place.opened(create=False)
    executor = LocalExecutor(threads=4)
    results = drive(
        store, blobs, executor, [place.run_id], reopen=reopen, anew=anew, interrupt=interrupt, pace=pace
    )
    executor.close()
    told = outcome(results[place.run_id], blobs)
    store.close()
    return told


def go_on_together(places: Sequence[Place]) -> list[dict[str, object]]:
    """Drive runs of one store in one engine to their ends; their statuses and plain values."""
    store, blobs = places[0].opened(create=False)
    executor = LocalExecutor(threads=4)
    run_ids = [place.run_id for place in places]
    results = drive(store, blobs, executor, run_ids, pace=QUICK)
    executor.close()
    told = [outcome(results[run_id], blobs) for run_id in run_ids]
    store.close()
    return told


def serve_until_ended(place: Place) -> dict[str, object]:
    """Serve the store until the run has ended; its status and plain value."""
    serve_until(place, lambda store: store.run(place.run_id).status in ENDED)
    store, blobs = place.opened(create=False)
    told = outcome(recorded_result(store, store.run(place.run_id)), blobs)
    store.close()
    return told


def serve_until(
    place: Place, over: Callable[[Store], bool], *, scheduled: bool = False, pace: Pace = PARKING
) -> None:
    """Serve the store until `over` says so."""
    store, blobs = place.opened(create=False)
    executor, interrupt = LocalExecutor(threads=4), Event()

    def look(_: int) -> None:
        if over(store):
            interrupt.set()

    hooks = [Scheduler(store, blobs)] if scheduled else []
    serve(store, blobs, executor, interrupt=interrupt, hooks=hooks, on_turn=look, pace=pace)
    executor.close()
    store.close()


def outcome(result: RunResult, blobs: Blobs) -> dict[str, object]:
    """A result as JSON."""
    value = plain(Values(blobs).load(result.value)) if result.value is not None else None
    failure = result.failure and f"{result.failure.type}: {result.failure.message}"
    return {"status": result.status, "value": value, "failure": failure}


def looked(place: Place, look: Callable[[Store], T]) -> T:
    """What a look at the store of a run gives."""
    store, _ = place.opened(create=False)
    try:
        return look(store)
    finally:
        store.close()


def epochs_of(place: Place) -> list[int]:
    """The epochs of a run's records, in their order."""
    return looked(place, lambda store: [row.epoch for row in store.journal(place.run_id)])


def is_owned(place: Place) -> bool:
    """Whether a run has an owner."""
    return looked(place, lambda store: store.run(place.run_id).owner is not None)


def problems_of(place: Place, *, superseded: bool = False) -> list[str]:
    """What the checker finds wrong with the run that a trial has left."""
    store, blobs = place.opened(create=False)
    try:
        journal = journal_of(store, blobs, place.run_id)
        effects = [effect for effect in read_effects(place.effects) if effect.run == place.run_id]
        damage = [finding.message for finding in check_store(store, blobs, [place.run_id]).findings]
        return damage + list(violations(effects, journal, superseded=superseded))
    finally:
        store.close()
