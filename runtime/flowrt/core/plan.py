"""A plan: what the core needs to know of a body at every turn, worked out once.

In: a `Body`. Out: for each node, how many nodes it waits for, which nodes wait for it, and how many will
read its value. A value is dropped when its last reader has started, unless the body hands it on.
"""

from dataclasses import dataclass

from flowrt.program import Body, Out


@dataclass(frozen=True, slots=True)
class Plan:
    """`waits[i]` nodes come before node i, `followers[i]` after it; `readers[i]` read its value.

    `first` are the nodes that wait for nothing, `reads[i]` the nodes whose values node i reads.
    """

    waits: tuple[int, ...]
    followers: tuple[tuple[int, ...], ...]
    readers: tuple[int, ...]
    reads: tuple[tuple[int, ...], ...]
    first: tuple[int, ...]


class Plans:
    """The plans of the bodies of one program, worked out when they are asked for; all its runs share them."""

    def __init__(self) -> None:
        """Begin without any."""
        # The body is kept beside its plan: its identity must not be given to another one.
        self._known: dict[int, tuple[Body, Plan]] = {}

    def of(self, body: Body) -> Plan:
        """The plan of a body."""
        known = self._known.get(id(body))
        if known is None:
            known = self._known[id(body)] = (body, plan_body(body))
        return known[1]


def plan_body(body: Body) -> Plan:
    """Work out the plan of a body, in time linear in its references."""
    count = len(body.nodes)
    waits = [0] * count
    readers = [0] * count
    followers: list[list[int]] = [[] for _ in range(count)]
    reads: list[tuple[int, ...]] = []
    for index, node in enumerate(body.nodes):
        read = {source.node for _, source in node.env if isinstance(source, Out)}
        reads.append(tuple(sorted(read)))
        for before in read:
            readers[before] += 1
        for before in read.union(node.after):
            assert before < index, f"node {node.id} refers forwards"
            waits[index] += 1
            followers[before].append(index)
    for source in (body.value, *(source for _, source in body.exports)):
        if isinstance(source, Out):
            readers[source.node] += 1
    return Plan(
        waits=tuple(waits),
        followers=tuple(map(tuple, followers)),
        readers=tuple(readers),
        reads=tuple(reads),
        first=tuple(index for index in range(count) if not waits[index]),
    )
