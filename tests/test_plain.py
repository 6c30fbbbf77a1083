"""Flows run plainly: each comes to the value that its text says. The durable engine must agree."""

import time
from ast import literal_eval
from importlib import import_module
from pathlib import Path
from textwrap import indent

import pytest

from flowc.compile import check_source
from flowc.lower.file import lower
from flowc.span import Source
from flowrt.collected import Collected, ForError
from flowrt.errors import BadInput
from flowrt.executor.callee import put_first
from flowrt.plain.plain import run_plain
from flowrt.plain.scene import PlainEvent, PlainFailure

FOLDER = Path(__file__).parent / "plain"
put_first([str(FOLDER)])
plain_tasks = import_module("plain_tasks")

HEAD = """\
flowc: 1
use: {t: plain_tasks}
events: {ping: {key: any}}
actors: {account: t.Account}
flow: main
inputs: {n: {type: int, default: 3}, xs: {type: 'list[int]', default: [1, 2, 3]}}
steps:
"""


def program_of(text):
    file, found = check_source(Source("test.flow.yaml", text))
    errors = [each.message for each in found if each.severity == "error"]
    assert not errors, errors
    assert file is not None
    return lower(file, file.flows[0].name.text)


def run(steps, events=None, **inputs):
    text = steps if steps.startswith("flowc") else HEAD + indent(steps, "  ")
    return run_plain(program_of(text), inputs, events, (str(FOLDER),))


@pytest.fixture(autouse=True)
def _no_calls():
    plain_tasks.calls.clear()


def chunks():
    """The cases of plain/steps.txt: a name, the text of the steps, the value."""
    text = (FOLDER / "steps.txt").read_text(encoding="utf-8")
    for chunk in text.split("\n=== ")[1:]:
        name, _, rest = chunk.partition("\n")
        steps, _, value = rest.partition("\n--- ")
        yield pytest.param(steps + "\n", literal_eval(value), id=name)


@pytest.mark.parametrize(("steps", "value"), list(chunks()))
def test_value(steps, value):
    assert run(steps) == value


def test_the_errors_of_a_for():
    steps = (
        "- {id: r, for: x in xs, parallel: 2, errors: collect, do: [{call: 't.fails_at(x, 2)'}]}\n- return: r"
    )
    error = ForError(1, 2, "ValueError", "2 is bad")
    assert run(steps) == Collected([1, 3], [error])


FLOWS = {
    "result": ("result: a * 2", "steps:\n  - {id: a, value: 4}", 8),
    "result of a graph": ("result: '[a, t.double(b)]'", "graph: {b: a + 1, a: 1}", [1, 4]),
    "a graph without result": ("labels: {}", "graph: {b: a + 1, a: 1}", None),
}


@pytest.mark.parametrize("case", FLOWS)
def test_flow(case):
    key, body, value = FLOWS[case]
    assert run(f"flowc: 1\nuse: {{t: plain_tasks}}\nflow: main\n{body}\n{key}\n") == value


SUB = """\
flowc: 1
use: {t: plain_tasks}
flow: main
steps:
  - return: MAIN
---
flow: fib
inputs: {n: int}
steps:
  - if: n < 2
    then: [{return: n}]
  - return: fib(n - 1) + fib(n - 2)
---
flow: count
inputs: {n: int, seen: {type: int, default: 0}}
steps:
  - if: n == 0
    then: [{return: seen}]
  - return: count(n - 1, seen=seen + 1)
---
flow: first_over
inputs: {xs: 'list[int]', limit: {type: int, default: 2}}
steps:
  - for: x in xs
    do:
      - if: x > limit
        then: [{return: count(x)}]
"""


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("fib(10)", 55),
        ("[count(3), fib(2)]", [3, 1]),
        ("count(5_000)", 5_000),
        ("first_over([1, 2, 3, 4])", 3),
        ("first_over(xs=[1])", None),
        ("first_over([t.double(2)], limit=1 + 1)", 4),
    ],
)
def test_sub_flows(call, value):
    assert run(SUB.replace("MAIN", call)) == value


def test_recursion_that_is_too_deep():
    deep = "flowc: 1\nflow: main\ninputs: {n: {type: int, default: 0}}\nsteps:\n  - return: main(n + 1) + 1\n"
    with pytest.raises(PlainFailure, match="50 deep") as caught:
        run(deep)
    assert caught.value.type == "flowrt.RecursionLimit"


FAILURES = {
    "fail": ("- fail: order ${{ n }} was declined", "flowrt.FlowFailed", "order 3 was declined"),
    "need": (
        "- {id: r, for: x in xs, need: 3, errors: drop, do: [{call: 't.fails_at(x, 2)'}]}\n- return: r",
        "flowrt.NeedNotMet",
        "3 bodies had to succeed and 2 of 3 did.",
    ),
    "while": ("- while: n > 0\n  max: 4\n  do: [{value: 1}]", "flowrt.LoopLimit", "its `max` of 4 rounds"),
    "until": ("- until: n < 0\n  max: 4\n  do: [{value: 1}]", "flowrt.LoopLimit", "does not hold yet"),
    "no inbox": ("- wait: ping", "flowrt.NoInbox", "A plain run has no inbox"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failure(case):
    steps, kind, message = FAILURES[case]
    with pytest.raises(PlainFailure) as caught:
        run(steps)
    assert caught.value.type == kind
    assert message in str(caught.value)


def test_what_a_task_raises():
    with pytest.raises(ValueError, match="2 is bad"):
        run("- call: t.fails_at(2, 2)")
    with pytest.raises(plain_tasks.Rejected, match="no"):
        run("- raise: t.Rejected('no')")


def test_a_retry_calls_again():
    retried = "- id: r\n  call: t.busy('r', 2)\n  retry: {{max: {}, delay: 1ms, catch: [{}]}}\n- return: r"
    assert run(retried.format(2, "t.Busy")) == 3
    plain_tasks.calls.clear()
    with pytest.raises(plain_tasks.Busy):
        run(retried.format(1, "t.Busy"))
    assert plain_tasks.calls["r"] == 2
    plain_tasks.calls.clear()
    with pytest.raises(plain_tasks.Busy):
        run(retried.format(5, "ValueError"))
    assert plain_tasks.calls["r"] == 1


def test_delays_are_slept():
    started = time.monotonic()
    run("- call: t.busy('d', 2)\n  retry: {max: 2, delay: 20ms, factor: 2, jitter: none}")
    assert time.monotonic() - started >= 0.06


WAIT = """\
- {id: a, value: 1}
- id: d
  wait: ping
  key: n
  match: event > 1
  timeout: 1s
  else:
    - {id: a, value: 2}
    - {id: d, value: a * 100}
- return: '[a, d]'
"""


def test_a_wait():
    events = [PlainEvent("ping", "3", 1), PlainEvent("ping", "4", 5), PlainEvent("ping", "3", 6)]
    assert run(WAIT, events) == [1, 6]
    assert run(WAIT, [PlainEvent("ping", "3", 1)]) == [2, 200]


def test_a_wait_whose_else_assigns_nothing():
    steps = "- {id: d, wait: ping, timeout: 1s, else: [{value: 4}]}\n- return: d"
    assert run(steps, []) is None
    assert run(steps, [PlainEvent("ping", None, 7)]) == 7


def test_an_emitted_event_is_there_to_be_taken():
    steps = "- {emit: ping, key: n, with: {x: 1}}\n- {id: d, wait: ping, key: n}\n- return: d"
    assert run(steps, []) == {"x": 1}


def test_a_time_out_without_else():
    with pytest.raises(PlainFailure, match="No event `ping` came in time"):
        run("- {wait: ping, timeout: 1s}", [])


def test_a_graph_that_finishes():
    graph = (
        "- graph: {{bad: 't.fails_at(1, 1)', after: \"t.note('after', bad)\", other: \"t.note('other')\"}}\n"
        "  failure: {}"
    )
    with pytest.raises(ValueError, match="1 is bad"):
        run(graph.format("finish"))
    assert plain_tasks.calls == {"other": 1}


def test_inputs():
    assert run("- return: n", n=8) == 8
    with pytest.raises(BadInput, match="no input `m`"):
        run("- return: n", m=8)
    with pytest.raises(BadInput, match="needs its input `n`"):
        run("flowc: 1\nflow: main\ninputs: {n: int}\nsteps: [{return: n}]\n")


def test_a_secret(monkeypatch):
    monkeypatch.setenv("TOKEN", "x1")
    assert run("- return: t.double(secret('TOKEN'))") == "x1x1"
    monkeypatch.delenv("TOKEN")
    with pytest.raises(PlainFailure, match=r"secret `TOKEN`"):
        run("- return: t.double(secret('TOKEN'))")
