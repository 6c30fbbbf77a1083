"""Lower graphs: steps that run as soon as what they read is there.

In: a `GraphBody`. Out: its steps as nodes, each behind those that it reads or comes `after`, otherwise
in the order of the text, with no order among them but the edges.
"""

from collections.abc import Callable
from heapq import heappop, heappush

from flowc.ir import GraphBody, Step
from flowc.lower.maker import Maker
from flowc.lower.reads import reads_of
from flowrt.program import Block, Body, Out, Param, Source


def lower_graph(maker: Maker, graph: GraphBody, lower_step: Callable[[Maker, Step], int]) -> None:
    """Add the steps of a graph; what is added later comes after all of them."""
    first = len(maker.nodes)
    maker.ordered = False
    before = maker.last
    ends: dict[str, int] = {}
    for step in _in_order(graph):
        maker.last = (*before, *(ends[ident.text] for ident in step.meta.after))
        index = lower_step(maker, step)
        if step.meta.id is not None:
            ends[step.meta.id.text] = index
    read = {
        index
        for node in maker.nodes[first:]
        for index in (*(s.node for _, s in node.env if isinstance(s, Out)), *node.after)
    }
    maker.last = tuple(index for index in range(first, len(maker.nodes)) if index not in read) or before
    maker.ordered = True


def graph_value(maker: Maker, graph: GraphBody) -> Source:
    """The mapping of a graph's names to their values, made by a block that hands them on."""
    exports = maker.export(names_of_graph(graph))
    body = Body((), None, tuple((name, Param(name)) for name, _ in exports))
    return Out(maker.add("graph/value", Block(body, names=True), (), exports))


def names_of_graph(graph: GraphBody) -> list[str]:
    """The names of a graph's steps."""
    return [step.meta.id.text for step in graph.steps if step.meta.id is not None]


def _in_order(graph: GraphBody) -> list[Step]:
    """The steps, each behind those that it reads or comes after; else as the author wrote them."""
    positions = {name: index for index, name in enumerate(names_of_graph(graph))}
    waits: list[int] = []
    followers: list[list[int]] = [[] for _ in graph.steps]
    for index, step in enumerate(graph.steps):
        names = reads_of(step).union(ident.text for ident in step.meta.after)
        before = {positions[name] for name in names if name in positions} - {index}
        waits.append(len(before))
        for each in before:
            followers[each].append(index)
    ready = [index for index, count in enumerate(waits) if not count]
    ordered: list[Step] = []
    while ready:
        index = heappop(ready)
        ordered.append(graph.steps[index])
        for follower in followers[index]:
            waits[follower] -= 1
            if not waits[follower]:
                heappush(ready, follower)
    assert len(ordered) == len(graph.steps), "the checks have found every cycle"
    return ordered
