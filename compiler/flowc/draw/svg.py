"""A diagram comes in; an SVG goes out, with a ground of its own, for light and for dark pages."""

from collections.abc import Iterator
from html import escape

from flowc.draw.diagram import Diagram
from flowc.draw.palette import COLORS, PLAIN
from flowc.draw.place import LINE, PAD, PlacedArrow, PlacedBox, PlacedGroup, label_of, lines_of, place

MARGIN = 16.0
_STYLE = f"""
text {{ font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: {PLAIN.text} }}
.name, .head {{ font-weight: bold }}
.label {{ font-size: 11px; fill: #44506a; stroke: #ffffff; stroke-width: 3px; paint-order: stroke }}
.word {{ font-size: 11px; fill: #5b6780 }}
.arrow {{ fill: none; stroke: #5b6780; stroke-width: 1.2 }}
.order {{ stroke-dasharray: 3 3; stroke: #97a1b5 }}
"""


def write_svg(diagram: Diagram) -> str:
    """The picture."""
    flows = place(diagram)
    width = max(flow.size.width for flow in flows) + 2 * MARGIN
    height = max(flow.y + flow.size.height for flow in flows) + 2 * MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}">',
        f"<title>{escape(diagram.flows[0].head)}</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0.5 L7.5 4 L0 7.5 z" fill="#5b6780"/></marker></defs>',
        f'<rect width="{_n(width)}" height="{_n(height)}" rx="8" fill="#ffffff"/>',
    ]
    for flow in flows:
        lines.append(f'<g transform="translate({_n(MARGIN)} {_n(flow.y + MARGIN)})">')
        lines.append(_rect(flow.size.width, flow.size.height, "#ffffff", "#c3cad6"))
        lines.append(_text("head", PAD, LINE, flow.head))
        lines += [*_group(flow.body), "</g>"]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _group(placed: PlacedGroup) -> Iterator[str]:
    yield f'<g transform="translate({_n(placed.x)} {_n(placed.y)})">'
    if placed.head:
        yield _rect(placed.size.width, placed.size.height, "#ffffff", "#d5dae3")
        yield _text("word", PAD / 2, LINE - 3, placed.group.label)
    if not placed.boxes:
        yield _text("word", PAD, placed.head + LINE, "∅")
    for box in placed.boxes:
        yield from _box(box)
    for arrow in placed.arrows:
        yield _arrow(arrow)
    for arrow in placed.arrows:
        if arrow.arrow.names:
            x, y = arrow.points[-1]
            yield _text("label", x, y - 13, label_of(arrow.arrow), middle=True)
    yield "</g>"


def _box(placed: PlacedBox) -> Iterator[str]:
    box, size = placed.box, placed.size
    color = COLORS.get(box.state, PLAIN)
    yield f'<g transform="translate({_n(placed.x)} {_n(placed.y)})">'
    yield _rect(size.width, size.height, color.fill, color.line, round_=16 if box.ends else 6)
    y = LINE + 1
    for line in lines_of(box):
        kind = "name" if line is box.name else "word" if line is box.tally else "text"
        if placed.groups:
            yield _text(kind, PAD, y, line, fill=color.text)
        else:
            yield _text(kind, size.width / 2, y, line, middle=True, fill=color.text)
        y += LINE
    for group in placed.groups:
        yield from _group(group)
    yield "</g>"


def _arrow(placed: PlacedArrow) -> str:
    (x, y), *rest = placed.points
    path = [f"M{_n(x)} {_n(y)}"]
    for to_x, to_y in rest:
        if to_x == x:
            path.append(f"L{_n(to_x)} {_n(to_y)}")
        else:
            middle = _n((y + to_y) / 2)
            path.append(f"C{_n(x)} {middle} {_n(to_x)} {middle} {_n(to_x)} {_n(to_y)}")
        x, y = to_x, to_y
    kind = "arrow" if placed.arrow.data else "arrow order"
    return f'<path class="{kind}" d="{" ".join(path)}" marker-end="url(#tip)"/>'


def _rect(width: float, height: float, fill: str, line: str, round_: float = 6) -> str:
    return (
        f'<rect width="{_n(width)}" height="{_n(height)}" rx="{_n(round_)}" fill="{fill}" stroke="{line}"/>'
    )


def _text(kind: str, x: float, y: float, text: str, *, middle: bool = False, fill: str = "") -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    color = f' style="fill: {fill}"' if fill else ""
    return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}"{anchor}{color}>{escape(text)}</text>'


def _n(value: float) -> str:
    """A number, short."""
    return f"{value:.1f}".removesuffix(".0")
