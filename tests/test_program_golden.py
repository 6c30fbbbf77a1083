"""Every flow of tests/compile/ok compiles to the program beside it. FLOWC_UPDATE_GOLDEN=1 rewrites them."""

import json
import os
from pathlib import Path

import pytest

from flowc.bind import bind
from flowc.compile import compile_file
from flowc.write.program import write_json, write_text
from flowrt.graph.nested import bodies_of
from flowrt.graph.read_dag import read_dag
from flowrt.program import Out, Param, Task, Try

FLOWS = sorted((Path(__file__).parent / "compile" / "ok").glob("*.flow.yaml"))


@pytest.fixture(params=FLOWS, ids=lambda path: path.name.removesuffix(".flow.yaml"))
def flow_file(request):
    return request.param


def test_there_are_flows():
    assert len(FLOWS) >= 15


def test_text(flow_file):
    text = write_text(compile_file(flow_file).program)
    golden = flow_file.with_name(flow_file.name.replace(".flow.yaml", ".program"))
    if os.environ.get("FLOWC_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_json(flow_file):
    program = compile_file(flow_file).program
    shown = json.loads(write_json(program))
    assert shown["main"] == program.main
    assert list(shown["flows"]) == list(program.flows)


def test_a_graph_is_read_back_exactly(flow_file):
    program = compile_file(flow_file).program
    inputs = {"day": [1, {"a": 2.5}], "x": None}
    assert read_dag(bind(program, inputs)) == (program, inputs)


def test_every_reference_is_met(flow_file):
    """References point backwards, parameters are in the environment, ids are unique in a body."""
    program = compile_file(flow_file).program
    for flow in program.flows.values():
        assert_met(flow.body, {declared.name for declared in flow.inputs})


def assert_met(body, params):
    assert len({node.id for node in body.nodes}) == len(body.nodes)
    sources = [(len(body.nodes), source) for _, source in body.exports]
    sources += [(len(body.nodes), body.value)] if body.value is not None else []
    for index, node in enumerate(body.nodes):
        sources += [(index, source) for _, source in node.env]
        assert all(before < index for before in node.after)
        names = {name for name, _ in node.env}
        own = {getattr(node.op, "var", "")} | set(getattr(node.op, "carried", ()))
        own |= {node.op.undo.own} if isinstance(node.op, Task) and node.op.undo is not None else set()
        if isinstance(node.op, Try):
            own |= {catch.name for catch in node.op.catches}
        for inner in bodies_of(node.op):
            checked = {name for each in bodies_of(node.op) for name, _ in each.exports}
            assert_met(inner, names | own | checked)
    for index, source in sources:
        match source:
            case Param(name):
                assert name in params
            case Out(node, field):
                assert node < index
                exports = {name for each in bodies_of(body.nodes[node].op) for name, _ in each.exports}
                assert not field or field in exports
