"""Read a compiled bind graph back: in its nodes (see `flowrt.graph.ops`), out the program and its inputs.

The edges are what counts: a step says which of the nodes that it captured is which name, and the
position of that node is what the program refers to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from flowrt.graph.ops import Captured, Given, Root, Step
from flowrt.plain.scene import Values
from flowrt.program import Node, Out, Param, Program, Source


class GraphNode(Protocol):
    """The part of a Ray bind graph's node that is read here."""

    def get_args(self) -> Sequence[object]:
        """What the node is bound to."""
        ...

    def get_stable_uuid(self) -> str:
        """What tells the node from others."""
        ...


def read_compiled(nodes: Iterable[GraphNode]) -> tuple[Program, Values]:
    """The program of all nodes of a compiled graph, in any order."""
    given: Given | None = None
    root: tuple[Root, list[str]] | None = None
    steps: list[tuple[Step, list[str]]] = []
    positions: dict[str, int] = {}
    for node in nodes:
        first, *rest = node.get_args()
        captured = [_uuid(each) for each in rest[1:]]
        if isinstance(first, Given):
            given = first
        elif isinstance(first, Root):
            root = first, captured
        else:
            assert isinstance(first, Step), "every other node is a step"
            positions[node.get_stable_uuid()] = first.position
            steps.append((first, captured))
    assert given is not None, "a compiled graph has inputs"
    assert root is not None, "a compiled graph has a root"
    steps.sort(key=lambda step: step[0].position)

    def source(read: Captured, captured: list[str]) -> Source:
        return read if isinstance(read, Param) else Out(positions[captured[read.arg]], read.field)

    body = replace(
        given.flow.body,
        nodes=tuple(
            Node(
                step.id,
                step.op,
                tuple((name, source(read, captured)) for name, read in step.env),
                tuple(positions[captured[arg]] for arg in step.after),
            )
            for step, captured in steps
        ),
        value=None if root[0].value is None else source(root[0].value, root[1]),
        exports=tuple((name, source(read, root[1])) for name, read in root[0].exports),
    )
    main = replace(given.flow, body=body)
    flows = {**given.flows, main.name: main}
    return Program(flows, main.name, given.code), given.inputs


def _uuid(node: object) -> str:
    get = getattr(node, "get_stable_uuid", None)
    assert get is not None, "what a step captures is a node"
    return str(get())
