"""A diagram comes in; a Mermaid flowchart goes out.

Every character of a text that could mean something to Mermaid, to HTML or to Markdown is written by its
number, so that a text is a text whatever is in it. Mermaid reads labels as Markdown, quoted or not: `a *b* c`
would be slanted, and a label that begins with `1. ` or `- ` is refused as a list. And before it reads
anything it takes the last semicolon away from what looks to it like a style: `style`, a colon, a number sign
behind it without a space between. In a line with that word a colon stands as it is only before a space.

By itself Mermaid draws so many arrows and reads so long a text; only who embeds it can allow more.
"""

from collections.abc import Iterator

from flowc.draw.diagram import Arrow, Box, Diagram, Group
from flowc.draw.palette import COLORS

_PLAIN = frozenset(" ,(/…")
_STYLES = ("style", "classDef")
_NOT_FIRST = frozenset("=+-")
_INDENT = "  "

ARROWS_MAX = 500
CHARACTERS_MAX = 50_000
"""What Mermaid draws when nobody has told it otherwise."""


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


def too_large(text: str) -> str:
    """Why Mermaid, as it is, would not draw a flowchart; empty when it would."""
    arrows = sum(" --> " in line or " -->|" in line or " -.-> " in line for line in text.splitlines())
    if arrows > ARROWS_MAX:
        return f"it has {arrows:,} arrows, and Mermaid draws {ARROWS_MAX} unless its `maxEdges` is raised"
    if len(text) > CHARACTERS_MAX:
        return (
            f"it has {len(text):,} characters, and Mermaid reads {CHARACTERS_MAX:,} unless its `maxTextSize` "
            "is raised"
        )
    return ""


def _group(key: str, group: Group) -> Iterator[str]:
    yield "direction TB"
    if not group.boxes:
        yield f'{key}_empty["#8709;"]'
    for box in group.boxes:
        yield from _box(box)
    for arrow in group.arrows:
        yield _arrow(group, arrow)


def _box(box: Box) -> Iterator[str]:
    parts = [part for part in (box.name, box.text, box.tally) if part]
    label = "<br/>".join(_escaped(part, " ".join(parts)) for part in parts)
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


def _escaped(text: str, around: str = "") -> str:
    """A text as a label, or as a part of one; `around` is what else stands in the line."""
    line = " ".join(text.split())
    styled = any(word in f"{around} {line}" for word in _STYLES)
    return "".join(
        char if _is_plain(line, at, styled=styled) else f"#{ord(char)};" for at, char in enumerate(line)
    )


def _is_plain(line: str, at: int, *, styled: bool) -> bool:
    """Whether the character at a place of a line can stand as it is."""
    char, before, after = line[at], line[:at], line[at + 1 : at + 2]
    match char:
        case "_":
            return before[-1:].isalnum() and after.isalnum()
        case ":":
            return after == " " or not styled
        case "." | ")":
            return not before.isdigit()
        case _:
            return char.isalnum() or char in _PLAIN or (at > 0 and char in _NOT_FIRST)
