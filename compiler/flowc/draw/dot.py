"""A diagram comes in; a graph in Graphviz's language goes out.

Boxes with boxes inside are clusters. Graphviz draws arrows between nodes only, so an arrow of a cluster
starts and ends at one of the nodes in it and is cut at the border (`lhead`, `ltail`); an empty one has an
invisible node. In labels, Graphviz reads the entities of HTML, so an ampersand is written as one.
"""

from collections.abc import Iterator

from flowc.draw.diagram import Arrow, Box, Diagram, Group
from flowc.draw.palette import COLORS, PLAIN

_INDENT = "  "


def write_dot(diagram: Diagram) -> str:
    """The graph."""
    lines = [
        f"digraph {_quoted(diagram.flows[0].key)} {{",
        f"{_INDENT}compound=true; fontname=Helvetica; style=rounded; newrank=true",
        f'{_INDENT}node [shape=box, style="rounded,filled", fontname=Helvetica, {_colors(None)}]',
        f"{_INDENT}edge [fontname=Helvetica, fontsize=11]",
    ]
    for flow in diagram.flows:
        head = f"{flow.head} · {diagram.title}" if diagram.title else flow.head
        lines.append(f"{_INDENT}subgraph {_quoted(f'cluster_{flow.key}')} {{")
        lines.append(f"{_INDENT * 2}label={_label(head)}")
        lines += [_INDENT * 2 + line for line in _group(flow.key, flow.body)]
        lines.append(f"{_INDENT}}}")
    return "\n".join([*lines, "}"]) + "\n"


def _group(key: str, group: Group) -> Iterator[str]:
    if not group.boxes:
        yield f'{_quoted(f"{key}_empty")} [label="", style=invis, width=0.1, height=0.1]'
    for box in group.boxes:
        yield from _box(box)
    for arrow in group.arrows:
        yield _arrow(group, arrow)


def _box(box: Box) -> Iterator[str]:
    label = _label("\n".join(part for part in (box.name, box.text, box.tally) if part))
    if not box.groups:
        shape = ", shape=box, peripheries=2" if box.ends else ""
        yield f"{_quoted(box.key)} [label={label}{shape}{', ' + _colors(box) if box.state != 'none' else ''}]"
        return
    yield f"subgraph {_quoted(f'cluster_{box.key}')} {{"
    shown = box.shows_labels
    yield f'{_INDENT}label={label}; style="rounded,filled"; {_colors(box).replace(", ", "; ")}'
    for number, group in enumerate(box.groups):
        key = _part(box, number)
        yield f"{_INDENT}subgraph {_quoted(f'cluster_{key}')} {{"
        label = _label(group.label if shown else "")
        yield f'{_INDENT * 2}label={label}; style="rounded,filled"; fillcolor=white'
        yield from (_INDENT * 2 + line for line in _group(key, group))
        yield f"{_INDENT}}}"
    yield "}"


def _arrow(group: Group, arrow: Arrow) -> str:
    source, target = group.boxes[arrow.source], group.boxes[arrow.target]
    said = [f"label={_label(', '.join(arrow.names))}"] if arrow.names else []
    said += [] if arrow.data else ["style=dashed"]
    said += [f"ltail={_quoted(f'cluster_{source.key}')}"] if source.groups else []
    said += [f"lhead={_quoted(f'cluster_{target.key}')}"] if target.groups else []
    return f"{_quoted(_node_in(source))} -> {_quoted(_node_in(target))} [{', '.join(said)}]"


def _node_in(box: Box) -> str:
    """A node inside a box, or the box itself."""
    while box.groups:
        if not box.groups[0].boxes:
            return f"{_part(box, 0)}_empty"
        box = box.groups[0].boxes[0]
    return box.key


def _part(box: Box, number: int) -> str:
    return f"{box.key}_{number}_part"


def _colors(box: Box | None) -> str:
    color = PLAIN if box is None or box.state == "none" else COLORS[box.state]
    return f'fillcolor="{color.fill}", color="{color.line}", fontcolor="{color.text}"'


def _label(text: str) -> str:
    return _quoted(text.replace("&", "&amp;"))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", " ").replace("\n", "\\n")
    return f'"{escaped}"'
