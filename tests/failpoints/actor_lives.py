"""Two runs call methods of the same objects. In: a place; out: what they gave, and the states' versions."""

from dataclasses import replace
from pathlib import Path

from durable_runs import Place, begin_run, go_on, program_of

PROGRAM = program_of(Path(__file__).resolve().parent / "shapes" / "actors.flow.yaml")


def call_actors(place: Place) -> object:
    """Each deposit is there once, whoever died in between."""
    begin_run(place, PROGRAM, {"n": 5})
    second = replace(place, run_id=f"{place.run_id}-b")
    begin_run(second, PROGRAM, {"n": 7})
    results = [go_on(place), go_on(second)]
    store, _ = place.opened(create=False)
    states = [(row.name, row.version) for row in store.actors.every("", 10)]
    store.close()
    return [*results, states]
