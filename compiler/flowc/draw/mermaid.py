"""A diagram comes in; a Mermaid flowchart goes out.

Every character of a text that could mean something to Mermaid or to HTML is written by its number, so that a
text is a text whatever is in it.
"""

from collections.abc import Iterator

from flowc.draw.diagram import Arrow, Box, Diagram, Group
from flowc.draw.palette import COLORS

_PLAIN = frozenset(" _.,:()=+*/-…")
_INDENT = "  "


def write_mermaid(diagram: Diagram) -> str:
    """The flowchart."""
    lines = ["flowchart TD"]
    for flow in diagram.flows:
        head = f"{flow.head} · {diagram.title}" if diagram.title else flow.head
        lines.append(f'{_INDENT}subgraph {flow.key}["{_escaped(head)}"]')
        lines += [_INDENT * 2 + line for line in _group(flow.key, flow.body)]
        lines.append(f"{_INDENT}end")
    for state, color in COLORS.items():
        lines.append(f"{_INDENT}classDef {state} fill:{color.fill},stroke:{color.line},color:{color.text}")
    return "\n".join(lines) + "\n"


def _group(key: str, group: Group) -> Iterator[str]:
    yield "direction TB"
    if not group.boxes:
        yield f'{key}_empty["#8709;"]'
    for box in group.boxes:
        yield from _box(box)
    for arrow in group.arrows:
        yield _arrow(group, arrow)


def _box(box: Box) -> Iterator[str]:
    label = "<br/>".join(_escaped(part) for part in (box.name, box.text, box.tally) if part)
    mark = "" if box.state == "none" else f":::{box.state}"
    if not box.groups:
        left, right = ("([", "])") if box.ends else ("[", "]")
        yield f'{box.key}{left}"{label}"{right}{mark}'
        return
    yield f'subgraph {box.key}["{label}"]'
    for number, group in enumerate(box.groups):
        key = f"{box.key}_{number}_part"
        inner = list(_group(key, group))
        if not box.shows_labels:
            yield from (_INDENT + line for line in inner)
            continue
        yield f'{_INDENT}subgraph {key}["{_escaped(group.label)}"]'
        yield from (_INDENT * 2 + line for line in inner)
        yield f"{_INDENT}end"
    yield "end"
    if mark:
        yield f"class {box.key} {box.state}"


def _arrow(group: Group, arrow: Arrow) -> str:
    source, target = group.boxes[arrow.source].key, group.boxes[arrow.target].key
    if not arrow.names:
        return f"{source} {'-->' if arrow.data else '-.->'} {target}"
    return f'{source} -->|"{_escaped(", ".join(arrow.names))}"| {target}'


def _escaped(text: str) -> str:
    return "".join(
        char if char.isalnum() or char in _PLAIN else f"#{ord(char)};" for char in " ".join(text.split())
    )
