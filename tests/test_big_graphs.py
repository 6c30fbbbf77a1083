"""Hand-written Ray graphs of ten thousand nodes run durably, and a second time from the journal alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray_cluster import ray_cluster

import flowrt

pytestmark = [pytest.mark.ray, pytest.mark.slow]

COUNT = 10_000


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    with ray_cluster():
        yield


@ray.remote
def increment(x: int) -> int:
    return x + 1


@ray.remote
def total(*xs: int) -> int:
    return sum(xs)


@ray.remote
def never() -> None:
    raise AssertionError("a recorded graph runs nothing")


def test_ten_thousand_in_a_chain(tmp_path: Path) -> None:
    node = increment.bind(0)
    for _ in range(COUNT - 1):
        node = increment.bind(node)
    assert flowrt.run(node, run_id="chain", store=tmp_path / "store") == COUNT
    assert flowrt.run(node, run_id="chain", store=tmp_path / "store") == COUNT


def test_ten_thousand_side_by_side(tmp_path: Path) -> None:
    graph = total.bind(*[increment.bind(n) for n in range(COUNT)])
    assert flowrt.run(graph, run_id="fan", store=tmp_path / "store") == COUNT * (COUNT + 1) // 2
    assert flowrt.output("fan", "increment", store=tmp_path / "store") == 1


def test_a_failure_is_raised_and_the_run_stays_resumable(tmp_path: Path) -> None:
    graph = total.bind(increment.bind(1), never.bind())
    with pytest.raises(flowrt.RunFailed, match="a recorded graph runs nothing"):
        flowrt.run(graph, run_id="bad", store=tmp_path / "store")
    with pytest.raises(flowrt.RunFailed):
        flowrt.resume("bad", store=tmp_path / "store", failed=True)
