"""A compiled graph on Ray's own executor comes to the same value as a plain run. Ray is real here."""

from pathlib import Path

import pytest
import ray

from flowc.bind import bind
from flowc.compile import check_source
from flowc.lower.file import lower
from flowc.span import Source
from flowrt.errors import UnsupportedGraph
from flowrt.plain.plain import run_plain

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore::ray.util.annotations.RayDeprecationWarning"),
]

FOLDER = (str(Path(__file__).parent / "plain"),)

FLOW = """\
flowc: 1
use: {t: plain_tasks}
flow: main
inputs: {n: int, xs: {type: 'list[int]', default: [1, 2, 3]}}
steps:
  - id: doubled
    for: x in xs
    parallel: 2
    graph: {a: t.double(x), b: "t.add(a, b=n)"}
    collect: '[x, b]'
  - id: s
    value: 0
  - for: x in xs
    do:
      - if: x == n
        then: [break]
      - id: s
        value: s + x
  - id: i
    value: 0
  - until: t.double(i) > n
    do:
      - id: i
        value: i + 1
  - if: n > 2
    then:
      - if: n > 3
        then:
          - return: sub(s + i)
      - return: '[doubled, s, i]'
  - id: after
    call: t.note('after', s)
  - return: '[after, s, i]'
---
flow: sub
inputs: {n: int}
steps:
  - return: '["sub", n]'
"""

GRAPH = """\
flowc: 1
use: {t: plain_tasks}
flow: main
inputs: {n: int}
graph:
  c: a + b
  a: t.double(n)
  b:
    call: t.add(a, n)
    options: {num_cpus: 0.5}
result: '{"a": a, "c": c}'
"""

FAILS = """\
flowc: 1
use: {t: plain_tasks}
flow: main
inputs: {n: int}
steps:
  - call: t.fails_at(n, 1)
  - return: n
"""


@pytest.fixture(scope="module", autouse=True)
def _ray():
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


def program_of(text):
    file, found = check_source(Source("test.flow.yaml", text))
    assert file is not None
    assert not [each.message for each in found if each.severity == "error"]
    return lower(file, "main")


def executed(program, inputs):
    return ray.get(bind(program, inputs, FOLDER).execute())


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("text", [FLOW, GRAPH])
def test_the_value_is_that_of_a_plain_run(text, n):
    program = program_of(text)
    assert executed(program, {"n": n}) == run_plain(program, {"n": n}, python_path=FOLDER)


def test_what_a_task_raises_comes_out():
    program = program_of(FAILS)
    assert executed(program, {"n": 2}) == 2
    with pytest.raises(ValueError, match="1 is bad"):
        executed(program, {"n": 1})


def test_options_that_ray_refuses_name_the_step():
    program = program_of(GRAPH.replace("num_cpus: 0.5", "num_cpus: -1"))
    with pytest.raises(UnsupportedGraph, match="options of the step `b`"):
        bind(program, {"n": 1})
