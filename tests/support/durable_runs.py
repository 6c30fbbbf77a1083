"""Runs of the campaigns: started and driven on a real store, by the local executor, in this process."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from effects import journal_of, plain, read_effects, violations
from grounds import Ground

from flowc.compile import compile_file
from flowrt.encoding.values import Values
from flowrt.engine.drive import RunResult, drive, start
from flowrt.engine.engine import Pace
from flowrt.executor.local import LocalExecutor
from flowrt.program import Program
from flowrt.store.open import open_store
from flowrt.store.port import Blobs, Store

QUICK = Pace(news_us=10_000)
"""Looks for events often: a campaign has no time to lose."""


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
    for room in ("sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql.psycopg", "psycopg"):
        import_module(room)


def program_of(path: Path) -> Program:
    """The program of a flow's file, which has no errors."""
    compiled = compile_file(path)
    assert compiled.program is not None, compiled
    return compiled.program


def begin_run(place: Place, program: Program, inputs: Mapping[str, object] | None = None) -> None:
    """Make the run, or find it there."""
    store, blobs = place.opened()
    given = {"effects": str(place.effects), **(inputs or {})}
    start(store, blobs, program, given, run_id=place.run_id, labels={}, python_path=())
    store.close()


def go_on(place: Place, *, reopen: bool = False, pace: Pace = QUICK) -> dict[str, object]:
    """Drive the run to its end; its status and plain value."""
    store, blobs = place.opened(create=False)
    executor = LocalExecutor(threads=4)
    result = drive(store, blobs, executor, [place.run_id], reopen=reopen, pace=pace)[place.run_id]
    executor.close()
    told = outcome(result, blobs)
    store.close()
    return told


def outcome(result: RunResult, blobs: Blobs) -> dict[str, object]:
    """A result as JSON."""
    value = plain(Values(blobs).load(result.value)) if result.value is not None else None
    failure = result.failure and f"{result.failure.type}: {result.failure.message}"
    return {"status": result.status, "value": value, "failure": failure}


def problems_of(place: Place, *, superseded: bool = False) -> list[str]:
    """What the checker finds wrong with the run that a trial has left."""
    store, blobs = place.opened(create=False)
    try:
        journal = journal_of(store, blobs, place.run_id)
        effects = [effect for effect in read_effects(place.effects) if effect.run == place.run_id]
        return list(violations(effects, journal, superseded=superseded))
    finally:
        store.close()
