"""What processes die in: six shapes of runs, and everything else that a store is asked to do.

A scenario prepares a place in an undisturbed life. Its `act` is then done in lives that die, again and
again until one of them comes to its end, so it must be what a person would do who starts over. `check`
says what is wrong with what is left.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from durable_runs import Place, begin_run, go_on, problems_of, program_of
from effects import made

from flowrt.encoding.values import Values
from flowrt.engine.drive import cancel
from flowrt.program import Program
from flowrt.store.port import NewEvent

SHAPES = Path(__file__).resolve().parent / "shapes"

SHAPE_NAMES = ("chain", "fan", "loop", "pauses", "recursion", "graph")


@dataclass(frozen=True)
class Scenario:
    """Something that is done to a store; `expected` is what an undisturbed `act` gives, None to learn it."""

    name: str
    act: Callable[[Place], object]
    prepare: Callable[[Place], object] = lambda _: None
    check: Callable[[Place], list[str]] = problems_of


def _now() -> int:
    return time.time_ns() // 1000


def _send(place: Place, name: str, number: int) -> None:
    store, blobs = place.opened()
    payload = Values(blobs).encode(made(number, "@outside"))
    store.send(NewEvent(name, place.run_id, payload, _now(), dedupe=f"{name} for {place.run_id}"))
    store.close()


def _shape(name: str) -> Scenario:
    program = program_of(SHAPES / f"{name}.flow.yaml")

    def act(place: Place) -> object:
        begin_run(place, program)
        if name == "pauses":
            _send(place, "outside", 7)
        return go_on(place)

    return Scenario(name, act)


def _interrupted(place: Place, program: Program) -> None:
    """A run that waits for an event that nobody sends, and whose engine is gone."""
    begin_run(place, program)
    from flowrt import failpoint  # noqa: PLC0415 - this life is to end here

    failpoint._ACT = failpoint._act_of("inbox.looked", None)
    go_on(place)


def _cancel() -> Scenario:
    program = program_of(SHAPES / "waits.flow.yaml")

    def prepare(place: Place) -> None:
        _interrupted(place, program)

    def act(place: Place) -> object:
        store, _ = place.opened(create=False)
        if store.run(place.run_id).status != "cancelled":
            cancel(store, place.run_id, "enough")
        store.close()
        return go_on(place)

    return Scenario("cancel", act, prepare)


def _reopen() -> Scenario:
    program = program_of(SHAPES / "needs.flow.yaml")

    def prepare(place: Place) -> None:
        begin_run(place, program, {"needed": str(_needed(place))})
        ended = go_on(place)
        assert ended["status"] == "failed", ended

    def act(place: Place) -> object:
        _needed(place).touch()
        return go_on(place, reopen=True)

    return Scenario("reopen", act, prepare)


def _needed(place: Place) -> Path:
    return place.effects.with_suffix(".needed")


def scenarios() -> list[Scenario]:
    """All of them."""
    return [*map(_shape, SHAPE_NAMES), _cancel(), _reopen()]
