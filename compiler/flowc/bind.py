"""Write a Ray bind graph: in a `Program` and its inputs, out the root of a graph of `flowrt.graph.ops`.

Each node of the main flow's body is one node of the graph. What it reads and comes after are arguments
at the top, so that Ray (or any other executor of bind graphs) orders them and hands over their values;
all that is fixed travels in one static argument. Bodies inside an operation travel in it whole, for how
often they run is known only then. `flowrt.graph.read_dag` is the exact inverse.

    inputs ──▶ parts ──▶ loads ──▶ step#3 ──▶ result
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from flowc.expr.names import free_names
from flowrt.errors import UnsupportedGraph
from flowrt.expr.evaluate import evaluate
from flowrt.graph import ops
from flowrt.graph.nested import called_flows
from flowrt.noun import replace
from flowrt.program import Body, Flow, Node, Out, Param, Program, Source, Task

_OURS = frozenset({"isolated"})
"""Options of a step that are not Ray's."""


def bind(program: Program, inputs: Mapping[str, object], python_path: Sequence[str] = ()) -> ops.Bound:
    """The bind graph of a program.

    Args:
        program: What is to run.
        inputs: The values of the main flow's inputs; those left out take their defaults when it runs.
        python_path: Where workers look for callables first.

    Raises:
        UnsupportedGraph: Ray refuses the options of a step.
    """
    main = program.flows[program.main]
    called = called_flows(flow.body for flow in program.flows.values())
    given = ops.Given(
        flow=replace(main, body=Body((), failure=main.body.failure)),
        inputs=dict(inputs),
        flows={name: flow for name, flow in program.flows.items() if name != main.name or name in called},
        code=dict(program.code),
        python_path=tuple(python_path),
    )
    scene = ops.inputs.options(name=f"{main.name}: inputs").bind(given)
    nodes: list[ops.Bound] = []
    for position, node in enumerate(main.body.nodes):
        captured = _captured([source for _, source in node.env], node.after)
        step = ops.Step(
            position=position,
            id=node.id,
            op=node.op,
            env=tuple((name, _slot(source, captured)) for name, source in node.env),
            after=tuple(captured[index] for index in node.after),
        )
        nodes.append(_remote(main, node).bind(step, scene, *(nodes[index] for index in captured)))
    return _root(main.body, scene, nodes)


def _root(body: Body, scene: ops.Bound, nodes: Sequence[ops.Bound]) -> ops.Bound:
    """The root reads the body's value and comes after every node that no other comes after."""
    read = {source.node for node in body.nodes for _, source in node.env if isinstance(source, Out)}
    read.update(index for node in body.nodes for index in node.after)
    handed_on = [source for _, source in body.exports] + ([] if body.value is None else [body.value])
    captured = _captured(handed_on, [index for index in range(len(nodes)) if index not in read])
    root = ops.Root(
        value=None if body.value is None else _slot(body.value, captured),
        exports=tuple((name, _slot(source, captured)) for name, source in body.exports),
    )
    return ops.result.bind(root, scene, *(nodes[index] for index in captured))


def _captured(sources: Iterable[Source], after: Iterable[int]) -> dict[int, int]:
    """The nodes among the sources and those to come after, each with its number as an argument."""
    nodes = [*(source.node for source in sources if isinstance(source, Out)), *after]
    return {node: arg for arg, node in enumerate(dict.fromkeys(nodes))}


def _slot(source: Source, captured: Mapping[int, int]) -> ops.Captured:
    return source if isinstance(source, Param) else ops.Slot(captured[source.node], source.field)


def _remote(main: Flow, node: Node) -> ops.Remote:
    """The function of a node, named for its step, with those of its options that are known by now."""
    options: dict[str, object] = {"name": f"{main.name}: {node.id}"}
    if isinstance(node.op, Task) and node.op.options is not None and not free_names(node.op.options):
        said = cast("Mapping[object, object]", evaluate(node.op.options, {}))
        options.update({str(name): value for name, value in said.items() if name not in _OURS})
    try:
        return ops.remote_for(node.op).options(**options)
    except (TypeError, ValueError) as error:
        raise UnsupportedGraph(f"Ray refuses the options of the step `{node.id}`: {error}") from error
