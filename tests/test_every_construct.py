"""Every construct of the language, down to each key, is held in all ways there are.

The flows of `core/flows` have every key among them. Each flow is there in YAML and in the DSL, which say the
same; it is run on a real Ray, where it comes to the same value as in a story; and `core/test_cut.py` cuts it
after every record. A key that is new to the language fails here until one of these flows has it.
"""

from pathlib import Path

import pytest
from ir_equal import plain
from keys_used import all_keys, keys_used
from ray_cluster import ray_cluster
from skip_clock import Counted, SkipClock
from stories import FLOWS, HOUR, Story, program_of

from flowc.compile import checked_file
from flowc.lower.file import lower_linked
from flowrt.encoding.values import Values
from flowrt.engine.drive import drive, start
from flowrt.engine.pace import Pace
from flowrt.executor.ray import RayExecutor
from flowrt.store.open import open_store

NAMES = sorted(path.name.removesuffix(".flow.yaml") for path in FLOWS.glob("*.flow.yaml"))
TASKS = Path(__file__).resolve().parent / "support"


def test_every_key_of_the_language_is_in_one_of_the_flows():
    used = set().union(*(keys_used(name, _yaml(name).read_bytes()) for name in NAMES))
    missing = all_keys() - used
    assert missing == set(), f"give {FLOWS} a flow that has these, in both syntaxes"


def test_every_flow_is_there_in_both_syntaxes():
    assert [path.name.removesuffix(".flow") for path in sorted(FLOWS.glob("*.flow"))] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_both_syntaxes_give_the_same_flow(name):
    one, other = checked_file(_yaml(name)), checked_file(FLOWS / f"{name}.flow")
    assert plain(one.file) == plain(other.file)
    for flow in one.file.flows:
        assert lower_linked(one, flow.name.text) == lower_linked(other, flow.name.text)


@pytest.fixture(scope="module")
def on_ray(tmp_path_factory):
    """How each flow ends on a real Ray: all of them at once, on a clock that skips what nobody works in."""
    store, blobs = open_store(str(tmp_path_factory.mktemp("constructs")))
    executor = Counted(RayExecutor())
    clock = SkipClock(executor)
    with ray_cluster():
        for name in NAMES:
            start(
                store,
                blobs,
                program_of(name),
                {},
                run_id=name,
                labels={},
                python_path=[str(TASKS)],
                versions={},
                clock=clock,
            )
        pace = Pace(renew_us=24 * HOUR, news_us=24 * HOUR)
        results = drive(store, blobs, executor, NAMES, clock=clock, pace=pace)
        executor.close()
    store.close()
    return {name: (result, blobs) for name, result in results.items()}


@pytest.mark.ray
@pytest.mark.parametrize("name", NAMES)
def test_a_run_on_ray_comes_to_the_same_value(name, on_ray):
    result, blobs = on_ray[name]
    assert result.status == "succeeded", result
    story = Story(program_of(name))
    assert Values(blobs).load(result.value) == story.value(story.play())


def _yaml(name):
    return FLOWS / f"{name}.flow.yaml"
