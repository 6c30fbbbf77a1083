"""A diagram comes in; the same with a place and a size for everything goes out."""

from flowc.draw.diagram import Arrow, Box, Diagram, Group
from flowc.draw.layers import Layered, Link, Sized, lay_out
from flowc.render.text_cells import cells
from flowrt.noun import noun, replace

CHAR = 7.3
LABEL_CHAR = 6.7
LINE = 17.0
PAD = 12.0
HEAD = 22.0
LABEL_GAP = 14.0
LEAST = 70.0
EMPTY = Sized(40.0, 26.0)


@noun
class PlacedBox:
    """A box at `x`, `y` of its group."""

    box: Box
    x: float
    y: float
    size: Sized
    groups: tuple["PlacedGroup", ...]


@noun
class PlacedArrow:
    """An arrow along points of its group."""

    arrow: Arrow
    points: tuple[tuple[float, float], ...]


@noun
class PlacedGroup:
    """A group at `x`, `y` of its box; its content begins `head` below."""

    group: Group
    x: float
    y: float
    size: Sized
    head: float
    boxes: tuple[PlacedBox, ...]
    arrows: tuple[PlacedArrow, ...]


@noun
class PlacedFlow:
    """A flow in a frame at `y`."""

    head: str
    y: float
    size: Sized
    body: PlacedGroup


def place(diagram: Diagram) -> tuple[PlacedFlow, ...]:
    """The flows of a diagram, one below the other."""
    flows: list[PlacedFlow] = []
    y = 0.0
    for flow in diagram.flows:
        head = f"{flow.head} · {diagram.title}" if diagram.title else flow.head
        body = _group(flow.body, PAD * 1.5, HEAD + PAD * 1.5, shows_label=False)
        width = max(body.size.width, cells(head) * CHAR) + 3 * PAD
        size = Sized(width, body.size.height + HEAD + 3 * PAD)
        flows.append(PlacedFlow(head, y, size, body))
        y += size.height + 2 * PAD
    return tuple(flows)


def lines_of(box: Box) -> tuple[str, ...]:
    """What is written in a box, line by line."""
    return tuple(part for part in (box.name, box.text, box.tally) if part)


def _box(box: Box, room: float) -> PlacedBox:
    """A box that has `room` for the labels of the arrows that end at it; it is placed later."""
    lines = lines_of(box)
    width = max(LEAST, room, *(cells(line) * CHAR + 2 * PAD for line in lines))
    height = len(lines) * LINE + PAD
    if not box.groups:
        return PlacedBox(box, 0.0, 0.0, Sized(width, height), ())
    groups: list[PlacedGroup] = []
    x = PAD
    for group in box.groups:
        placed = _group(group, x, height, shows_label=box.shows_labels)
        groups.append(placed)
        x += placed.size.width + PAD
    tallest = max(group.size.height for group in groups)
    spare = max(0.0, width - x) / 2
    centred = tuple(replace(group, x=group.x + spare) for group in groups)
    return PlacedBox(box, 0.0, 0.0, Sized(max(width, x), height + tallest + PAD), centred)


def _group(group: Group, x: float, y: float, *, shows_label: bool) -> PlacedGroup:
    rooms = [0.0] * len(group.boxes)
    links: list[Link] = []
    for arrow in group.arrows:
        room = cells(label_of(arrow)) * LABEL_CHAR + LABEL_GAP if arrow.names else LABEL_GAP
        rooms[arrow.target] += room
        links.append(Link(arrow.source, arrow.target, room))
    boxes = [_box(box, room) for box, room in zip(group.boxes, rooms, strict=True)]
    layered = lay_out([box.size for box in boxes], links)
    head = HEAD if shows_label else 0.0
    inner = layered.size if boxes else EMPTY
    width = max(inner.width, cells(group.label) * CHAR if shows_label else 0.0)
    pad = PAD if shows_label else 0.0
    return PlacedGroup(
        group,
        x,
        y,
        Sized(width + 2 * pad, inner.height + head + pad),
        head,
        tuple(_moved(box, layered, index, pad, head) for index, box in enumerate(boxes)),
        tuple(
            PlacedArrow(arrow, tuple((px + pad, py + head) for px, py in route))
            for arrow, route in zip(group.arrows, layered.routes, strict=True)
        ),
    )


def _moved(box: PlacedBox, layered: Layered, index: int, pad: float, head: float) -> PlacedBox:
    x, y = layered.corners[index]
    return PlacedBox(box.box, x + pad, y + head, box.size, box.groups)


def label_of(arrow: Arrow) -> str:
    """What is written at an arrow."""
    return ", ".join(arrow.names)
