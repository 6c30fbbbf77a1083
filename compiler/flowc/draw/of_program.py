"""A program comes in, and perhaps the tally of a run; its diagram goes out."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from flowc.draw.diagram import Arrow, Box, Diagram, FlowBox, Group, State
from flowc.expr.types import show
from flowc.render.text_cells import printable
from flowc.write.expr import write_expr
from flowc.write.program import labelled_bodies, operation_text, worded
from flowrt.noun import noun
from flowrt.program import Body, Bounded, Fail, Flow, ForEach, Imported, Leave, Loop, Node, Out, Program, Task

_MODULE = re.compile(r"[\w.]+:(?=\w)")

WIDEST = 46
"""Texts are cut at so many characters."""


@noun
class Standing:
    """How a step stands in a run."""

    state: State
    tally: str = ""


Standings = Mapping[str, Standing]
"""By the key of a box; what is missing has not been reached."""

_NOTHING: Standings = MappingProxyType({})


def diagram_of(program: Program, standings: Standings = _NOTHING, title: str = "") -> Diagram:
    """The diagram of a program, coloured by the standings of a run if there are any."""
    flows = [_flow(program.flows[name], key, standings) for name, key in flow_keys(program).items()]
    return Diagram(tuple(flows), title)


def box_key(outer: str, *parts: object) -> str:
    """The key of a box inside of another."""
    return "_".join([outer, *map(str, parts)])


def flow_keys(program: Program) -> dict[str, str]:
    """The keys of a program's flows, the main one first."""
    names = [program.main, *(name for name in program.flows if name != program.main)]
    return {name: f"f{number}" for number, name in enumerate(names)}


def cut(text: str) -> str:
    """A text in one line, cut when it is too long."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= WIDEST else f"{line[: WIDEST - 1]}…"


def keyed_bodies(key: str, node: Node) -> Iterator[tuple[str, str, Body]]:
    """The bodies inside a node, each with its label and the key that its boxes begin with."""
    for number, (label, body) in enumerate(labelled_bodies(node.op)):
        yield box_key(key, number), label, body


def _flow(flow: Flow, key: str, standings: Standings) -> FlowBox:
    inputs = ", ".join(f"{one.name}: {show(one.type)}" for one in flow.inputs)
    returns = "" if flow.returns is None else f" -> {show(flow.returns)}"
    return FlowBox(key, printable(f"{flow.name}({inputs}){returns}"), _group(key, "", flow.body, standings))


def _group(key: str, label: str, body: Body, standings: Standings) -> Group:
    boxes = [_box(box_key(key, index), node, standings) for index, node in enumerate(body.nodes)]
    return Group(label, tuple(boxes), tuple(_arrows(body)))


def _box(key: str, node: Node, standings: Standings) -> Box:
    groups = tuple(
        _group(inner, cut(_title(label)), body, standings) for inner, label, body in keyed_bodies(key, node)
    )
    standing = standings.get(key, Standing("none"))
    return Box(
        key=key,
        name=_name(node.id),
        text=cut(_text(node)),
        groups=groups,
        state=standing.state,
        tally=standing.tally,
        ends=isinstance(node.op, Leave | Fail) or (isinstance(node.op, Task) and node.op.raises),
    )


def _title(label: str) -> str:
    """The label of a body; a catch names its classes without their modules."""
    return _MODULE.sub("", label) if label.startswith("catch ") else label


def _name(node_id: str) -> str:
    """The name that the author gave; ids of other steps are ordinals and say nothing."""
    return node_id if node_id.partition("#")[0].isidentifier() and not node_id.startswith("step#") else ""


def _text(node: Node) -> str:
    """What a step does; of a task its call alone, for the rest is about how; of a retry how often."""
    op = node.op
    if isinstance(op, ForEach | Loop):
        return f"↻ {operation_text(op)}"
    if isinstance(op, Leave) and op.kind == "return" and (op.value or "").startswith("$"):
        return "return"
    if isinstance(op, Bounded):
        return f"do{worded('timeout', op.timeout)}{'' if op.retry is None else worded('retry', op.retry.max)}"
    if not isinstance(op, Task):
        return operation_text(op)
    callee = op.callee.path.rpartition(":")[2] if isinstance(op.callee, Imported) else op.callee.name
    if op.actor is not None:
        callee += f"({write_expr(op.actor.key)}).{op.actor.method}"
    args = [*map(write_expr, op.args), *(f"{name}={write_expr(value)}" for name, value in op.kwargs)]
    return f"{'raise ' if op.raises else ''}{callee}({', '.join(args)})"


def _arrows(body: Body) -> Iterator[Arrow]:
    for index, node in enumerate(body.nodes):
        names: dict[int, list[str]] = {before: [] for before in node.after}
        for name, source in node.env:
            if isinstance(source, Out):
                names.setdefault(source.node, []).append(name)
        for before, said in sorted(names.items()):
            yield Arrow(before, index, tuple(name for name in said if not name.startswith("$")), bool(said))
