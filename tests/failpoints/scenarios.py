"""What processes die in: eight shapes of runs, and everything else that a store is asked to do.

A scenario prepares a place in an undisturbed life. Its `act` is then done in lives that die, again and
again until one of them comes to its end, so it must be what a person would do who starts over. `check`
says what is wrong with what is left.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Timer

from actor_lives import call_actors
from durable_runs import (
    Place,
    begin_run,
    go_on,
    go_on_together,
    problems_of,
    program_of,
    serve_until,
    serve_until_ended,
)
from effects import made, read_effects
from holds import inside

from flowrt.encoding.values import Values
from flowrt.engine.cancelling import cancel
from flowrt.program import Program
from flowrt.run_id import slot_run_id
from flowrt.schedule import SECOND_US
from flowrt.serve.deploy import deployment_of
from flowrt.snapshot.pack import Packed, pack
from flowrt.store.rows import NewEvent
from flowrt.store.status import ENDED
from flowrt.upkeep.check import check_store
from flowrt.upkeep.collect import collect_garbage
from flowrt.upkeep.delete import delete_run

SHAPES = Path(__file__).resolve().parent / "shapes"
SUPPORT = SHAPES.parent.parent / "support"
DOORS = SHAPES.parent.parent / "crash" / "doors.flow.yaml"

HOUR_US = 3_600 * SECOND_US

SHAPE_NAMES = ("chain", "fan", "loop", "pauses", "recursion", "graph", "saga", "blocks")


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


def _reopen(python_path: Sequence[str] = ()) -> Scenario:
    """A run that has failed goes on once the cause is mended."""
    program = program_of(SHAPES / "needs.flow.yaml")

    def prepare(place: Place) -> None:
        begin_run(place, program, {"needed": str(_needed(place))}, python_path)
        ended = go_on(place)
        assert ended["status"] == "failed", ended

    def act(place: Place) -> object:
        _needed(place).touch()
        return _succeeded(go_on(place, reopen=True))

    return Scenario("reopen", act, prepare)


def _succeeded(outcome: dict[str, object]) -> object:
    assert outcome["status"] == "succeeded", outcome
    return outcome


def _needed(place: Place) -> Path:
    return place.effects.with_suffix(".needed")


def _suspend() -> Scenario:
    """An engine that is told to stop in the middle of a run, and another one that ends it."""
    program = program_of(SHAPES / "loop.flow.yaml")

    def act(place: Place) -> object:
        begin_run(place, program)
        interrupt = Event()
        Timer(0.02, interrupt.set).start()
        go_on(place, interrupt=interrupt)
        return go_on(place)

    return Scenario("suspend", act)


def _reopen_elsewhere() -> Scenario:
    """A failed run goes on with other code than it was started with."""
    scenario = _reopen([str(SUPPORT)])

    def act(place: Place) -> object:
        _needed(place).touch()
        packed = pack([str(SUPPORT)])
        assert isinstance(packed, Packed), packed
        _, blobs = place.opened(create=False)
        digest, _ = blobs.put([packed.data])
        return _succeeded(go_on(place, reopen=True, anew={place.run_id: digest}))

    return Scenario("reopen anew", act, scenario.prepare)


def _served(name: str) -> Scenario:
    """A run that is handed to those who serve the store; it is parked whenever it waits."""
    program = program_of(SHAPES / f"{name}.flow.yaml")

    def act(place: Place) -> object:
        begin_run(place, program)
        store, _ = place.opened()
        store.serve(place.run_id, _now())
        store.close()
        if name == "pauses":
            _send(place, "outside", 7)
        return serve_until_ended(place)

    return Scenario(f"served {name}", act)


def _served_cancel() -> Scenario:
    """A parked run that waits for what nobody sends is cancelled."""
    program = program_of(SHAPES / "waits.flow.yaml")

    def act(place: Place) -> object:
        begin_run(place, program)
        store, _ = place.opened()
        if store.run(place.run_id).status == "pending":
            store.serve(place.run_id, _now())
        serve_until(place, lambda store: store.run(place.run_id).status in {"waiting", *ENDED})
        store.request_cancel(place.run_id, "enough")
        store.close()
        return serve_until_ended(place)

    return Scenario("served cancel", act)


def _schedule() -> Scenario:
    """A schedule three of whose slots have come while nobody served the store."""
    program = program_of(SHAPES / "hourly.flow.yaml")

    def act(place: Place) -> object:
        store, _ = place.opened()
        now = _now()
        made = deployment_of(program, python_path=(), snapshot=None, now=now - 3 * HOUR_US - SECOND_US)
        if not store.deployments():
            store.deploy(made)
        store.close()
        serve_until(place, lambda store: len(store.runs(["succeeded"])) == 3, scheduled=True)
        return None

    def check(place: Place) -> list[str]:
        store, blobs = place.opened()
        rows, [deployment] = store.runs(), store.deployments()
        problems = [finding.message for finding in check_store(store, blobs).findings]
        store.close()
        slots = sorted(slot_run_id("hourly", deployment.cursor - n * HOUR_US) for n in range(3))
        if sorted(row.run_id for row in rows) != slots:
            problems.append(f"the slots {slots} have the runs {[row.run_id for row in rows]}")
        return problems

    return Scenario("schedule", act, check=check)


def _delete() -> Scenario:
    """One run is deleted and the garbage collected; another one shares some of its values."""
    program = program_of(SHAPES / "graph.flow.yaml")

    def other(place: Place) -> Place:
        return replace(place, run_id=f"{place.run_id}-kept")

    def prepare(place: Place) -> None:
        for one in (place, other(place)):
            begin_run(one, program)
            go_on(one)
        store, blobs = place.opened()
        long_ago = NewEvent("old", None, Values(blobs).encode(1), 1)
        store.send(long_ago)
        blobs.put([b"nobody's " * 10_000])
        store.close()

    def act(place: Place) -> object:
        store, blobs = place.opened()
        later = _now() + SECOND_US
        if any(row.run_id == place.run_id for row in store.runs()):
            delete_run(store, blobs, place.run_id, now=later, grace_us=0)
        collect_garbage(store, blobs, now=later, grace_us=0)
        store.close()
        return None

    def check(place: Place) -> list[str]:
        store, blobs = place.opened()
        left = {facts.digest for facts in blobs.every()}
        problems = [finding.message for finding in check_store(store, blobs).findings]
        if left != store.needed(left):
            problems.append(f"{len(left)} blobs are left, and {len(store.needed(left))} are needed")
        if [row.run_id for row in store.runs()] != [other(place).run_id]:
            problems.append("not exactly the other run is left")
        if any(event.name == "old" for event in store.all_events(0, 100)):
            problems.append("an event that nobody can take is left")
        store.close()
        return problems + problems_of(other(place))

    return Scenario("delete", act, prepare, check)


def _starts() -> Scenario:
    """Runs that a step starts are made once each, and a server takes them to their ends."""
    program = program_of(SHAPES / "starts.flow.yaml")

    def act(place: Place) -> object:
        begin_run(place, program)
        result = go_on(place)
        serve_until(place, lambda store: all(row.status in ENDED for row in store.runs()))
        store, _ = place.opened(create=False)
        ended = [(row.flow, row.status) for row in store.runs()]
        store.close()
        return [result, sorted(ended)]

    return Scenario("starts", act, check=_problems_of_all)


def _problems_of_all(place: Place) -> list[str]:
    """What is wrong with any of the runs of the store."""
    store, _ = place.opened(create=False)
    runs = [row.run_id for row in store.runs()]
    store.close()
    return [problem for run in runs for problem in problems_of(replace(place, run_id=run))]


def _locks() -> Scenario:
    """Two runs that take one lock after the other; in the body nobody else is."""
    program = program_of(SHAPES / "locks.flow.yaml")

    def act(place: Place) -> object:
        begin_run(place, program, {"n": 1})
        second = replace(place, run_id=f"{place.run_id}-b")
        begin_run(second, program, {"n": 2})
        first = go_on(place)
        return [first, go_on(second), left(place)]

    def left(place: Place) -> int:
        store, _ = place.opened(create=False)
        count = len(store.all_locks(0, 100))
        store.close()
        return count

    return Scenario("locks", act, check=_problems_of_all)


def _locks_wanted() -> Scenario:
    """Two runs that want one lock at the same time: who has it when the process dies has it in the next one.

    So nobody else is inside before it is out, wherever that was: behind the grant, and nothing done yet.
    """
    program = program_of(DOORS)

    def act(place: Place) -> object:
        both = [place, replace(place, run_id=f"{place.run_id}-b")]
        for n, one in enumerate(both):
            begin_run(one, program, {"n": n, "most": 1})
        return go_on_together(both)

    def check(place: Place) -> list[str]:
        most = inside(read_effects(place.effects), kept=True).most
        return [*_problems_of_all(place), *([f"{most} were inside at once"] if most > 1 else [])]

    return Scenario("locks wanted", act, check=check)


def _locks_left() -> Scenario:
    """A run that nobody goes on with loses its lock to the next."""
    program = program_of(SHAPES / "locks.flow.yaml")

    def prepare(place: Place) -> None:
        _die_inside(replace(place, run_id=f"{place.run_id}-b"), program)

    def act(place: Place) -> object:
        begin_run(place, program, {"n": 1})
        return go_on(place)

    return Scenario("locks left", act, prepare)


def _die_inside(place: Place, program: Program) -> None:
    begin_run(place, program, {"n": 2})
    from flowrt import failpoint  # noqa: PLC0415 - this life is to end here

    failpoint._ACT = failpoint._act_of("lock.given_back", None)
    go_on(place)


def _cached() -> Scenario:
    """A run takes over what another has made."""
    program = program_of(SHAPES / "cached.flow.yaml")

    def act(place: Place) -> object:
        begin_run(place, program)
        first = go_on(place)
        second = replace(place, run_id=f"{place.run_id}-b")
        begin_run(second, program)
        return [first, go_on(second)]

    def check(place: Place) -> list[str]:
        """The first run has ended, with all of its entries: the second one makes nothing."""
        made = {effect.step for effect in read_effects(place.effects) if effect.run.endswith("-b")}
        return [*_problems_of_all(place), *(f"{step} was made again" for step in sorted(made))]

    return Scenario("cached", act, check=check)


def scenarios() -> list[Scenario]:
    """All of them."""
    shapes = map(_shape, SHAPE_NAMES)
    served = map(_served, ("pauses", "fan", "saga"))
    others = [
        _suspend(),
        _cancel(),
        _served_cancel(),
        _reopen(),
        _reopen_elsewhere(),
        _schedule(),
        _delete(),
        _starts(),
        _locks(),
        _locks_wanted(),
        Scenario("actors", call_actors),
        _cached(),
        _locks_left(),
    ]
    return [*shapes, *others, *served]
