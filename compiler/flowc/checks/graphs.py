"""Graphs whose steps wait for each other, for themselves, or for steps that are not there."""

from collections import deque
from collections.abc import Iterator

from flowc.checks.nearest import Nearest
from flowc.checks.places import listed
from flowc.diagnostic import Diagnostic, Fix, Label
from flowc.scope.facts import Edge, FlowFacts, GraphFacts

_LONG_WAY = 12
"""A way around is shown whole up to so many steps."""


def cycles(facts: FlowFacts) -> Iterator[Diagnostic]:
    """One finding for each group of steps that wait for each other: the shortest way around.

    The groups are the strongly connected components, found by Tarjan's algorithm with a stack of its own
    (a graph may be deeper than Python's); the way around is found breadth first. Each edge is looked at
    twice, however many cycles there are.
    """
    for graph in facts.graphs:
        names = _names(graph)
        out: dict[int, list[Edge]] = {}
        for edge in graph.edges:
            out.setdefault(edge.reader, []).append(edge)
        for group in _groups(len(names), out):
            yield _cycle(_way_around(min(group), out, group), names, facts)


def _names(graph: GraphFacts) -> tuple[str, ...]:
    return tuple(step.meta.id.text if step.meta.id is not None else "" for step in graph.body.steps)


def _groups(count: int, out: dict[int, list[Edge]]) -> list[frozenset[int]]:
    """The strongly connected components of more than one step."""
    search = _Search(out)
    for start in range(count):
        if start not in search.order:
            search.run(start)
    return [group for group in search.groups if len(group) > 1]


class _Search:
    """Tarjan's search: the number of each node, and the lowest number that it leads back to."""

    def __init__(self, out: dict[int, list[Edge]]) -> None:
        self.out = out
        self.order: dict[int, int] = {}
        self.lowest: dict[int, int] = {}
        self.unfinished: dict[int, None] = {}
        self.groups: list[frozenset[int]] = []

    def run(self, start: int) -> None:
        way = [self.enter(start)]
        while way:
            node, edges = way[-1]
            edge = next(edges, None)
            if edge is None:
                way.pop()
                if way:
                    self.lower(way[-1][0], self.lowest[node])
                self.leave(node)
            elif edge.source not in self.order:
                way.append(self.enter(edge.source))
            elif edge.source in self.unfinished:
                self.lower(node, self.order[edge.source])

    def enter(self, node: int) -> tuple[int, Iterator[Edge]]:
        self.order[node] = self.lowest[node] = len(self.order)
        self.unfinished[node] = None
        return node, iter(self.out.get(node, ()))

    def lower(self, node: int, number: int) -> None:
        self.lowest[node] = min(self.lowest[node], number)

    def leave(self, node: int) -> None:
        """When nothing before `node` can be reached from it, all that was entered since is its group."""
        if self.lowest[node] == self.order[node]:
            group: set[int] = set()
            while node not in group:
                group.add(self.unfinished.popitem()[0])
            self.groups.append(frozenset(group))


def _way_around(start: int, out: dict[int, list[Edge]], group: frozenset[int]) -> list[Edge]:
    """The edges of a shortest way from `start` back to it, inside its group."""
    came: dict[int, Edge] = {}
    todo = deque([start])
    while start not in came:
        node = todo.popleft()
        for edge in out[node]:
            if edge.source in group and edge.source not in came and edge.source != node:
                came[edge.source] = edge
                todo.append(edge.source)
    way = [came[start]]
    while way[0].reader != start:
        way.insert(0, came[way[0].reader])
    return way


def _cycle(way: list[Edge], names: tuple[str, ...], facts: FlowFacts) -> Diagnostic:
    steps = [f"`{names[node]}`" for node in (*(edge.reader for edge in way), way[0].reader)]
    if len(steps) > _LONG_WAY:
        steps[_LONG_WAY - 1 : -1] = [f"… {len(steps) - _LONG_WAY:,} more …"]
    path = " → ".join(steps)
    labels = tuple(Label(edge.at, _edge_text(edge, names)) for edge in way[1:_LONG_WAY])
    return Diagnostic(
        "F0208",
        f"these steps wait for each other: {path}",
        facts.file.source,
        way[0].at,
        hint=_edge_text(way[0], names),
        help="a step of a graph runs when all that it reads is there: take one of these references away",
        labels=labels,
    )


def _edge_text(edge: Edge, names: tuple[str, ...]) -> str:
    verb = "runs after" if edge.is_order else "reads"
    return f"`{names[edge.reader]}` {verb} `{names[edge.source]}`"


def orders(facts: FlowFacts) -> Iterator[Diagnostic]:
    """Names in `after` that are no steps of the graph, or the step itself."""
    nearest = Nearest()
    for graph in facts.graphs:
        names = _names(graph)
        for edge in graph.edges:
            if edge.is_order and edge.reader == edge.source:
                yield Diagnostic(
                    "F0207",
                    f"`{names[edge.reader]}` cannot run after itself",
                    facts.file.source,
                    edge.at,
                    help="take it out of `after`",
                )
        for ident in graph.strangers:
            meant = nearest.to(ident.text, names)
            yield Diagnostic(
                "F0209",
                f"`{ident.text}` is not a step of this graph",
                facts.file.source,
                ident.span,
                hint="" if meant is None else f"did you mean `{meant}`?",
                help=f"`after` names steps of the same graph: {listed(names)}",
                fixes=() if meant is None else (Fix(ident.span, meant, f"write `{meant}`"),),
            )
