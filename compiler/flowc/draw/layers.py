"""Sizes of boxes and the arrows between them come in; places and routes go out, with no box over another.

The classical way to draw a graph whose arrows all point onwards (Sugiyama, Tagawa, Toda 1981), in its
simplest form:

1. Each box stands one layer below the lowest box that it has an arrow from. A list so becomes a column.
2. An arrow over several layers gets a point in each layer between, which takes a little room there, so that
it passes
   between boxes and never behind one.
3. Within each layer boxes and points are ordered by the mean place of their neighbours, downwards and upwards
a few
   times, which takes out most crossings.
4. Each wants to stand at the mean of its neighbours, none may overlap: for a given order that is a regression
with
   monotone values, which "pool adjacent violators" solves exactly in one pass.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from flowrt.noun import field, noun

GAP_X = 26.0
GAP_Y = 46.0
THREAD = 10.0
SWEEPS = 4
PULLS = 8

Point = tuple[float, float]


@noun
class Sized:
    """The size of a box."""

    width: float
    height: float


@noun
class Link:
    """An arrow between boxes by number, from a lower to a higher one; `room` is the width of its label."""

    source: int
    target: int
    room: float = 0.0


@noun
class Layered:
    """The top left corner of each box, the points of each arrow down to its target, and the whole size."""

    corners: tuple[Point, ...]
    routes: tuple[tuple[Point, ...], ...]
    size: Sized


@noun(frozen=False)
class _Cell:
    """A box (the first cells, by number) or a point of a long arrow; `x` is that of its middle."""

    width: float
    layer: int
    is_box: bool = False
    x: float = 0.0
    above: list[int] = field(default_factory=list[int])
    below: list[int] = field(default_factory=list[int])


def lay_out(boxes: Sequence[Sized], links: Sequence[Link]) -> Layered:
    """Place boxes and arrows."""
    cells = [
        _Cell(box.width, layer, is_box=True)
        for box, layer in zip(boxes, _layers(len(boxes), links), strict=True)
    ]
    paths = [_path(cells, link) for link in links]
    for path in paths:
        for upper, lower in pairwise(path):
            cells[upper].below.append(lower)
            cells[lower].above.append(upper)
    rows = _rows(cells)
    _order(cells, rows)
    for turn in range(PULLS):
        for row in rows if turn % 2 == 0 else reversed(rows):
            _pull(cells, row)
    left = min((cell.x - cell.width / 2 for cell in cells), default=0.0)
    for cell in cells:
        cell.x -= left
    return _placed(boxes, links, cells, paths, len(rows))


def _layers(count: int, links: Sequence[Link]) -> list[int]:
    layers = [0] * count
    for link in sorted(links, key=lambda link: link.target):
        layers[link.target] = max(layers[link.target], layers[link.source] + 1)
    return layers


def _path(cells: list[_Cell], link: Link) -> list[int]:
    """The cells that an arrow goes through; points are made as needed."""
    path = [link.source]
    for layer in range(cells[link.source].layer + 1, cells[link.target].layer):
        path.append(len(cells))
        cells.append(_Cell(THREAD, layer))
    return [*path, link.target]


def _rows(cells: Sequence[_Cell]) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(max((cell.layer for cell in cells), default=-1) + 1)]
    for number, cell in enumerate(cells):
        rows[cell.layer].append(number)
    return rows


def _order(cells: Sequence[_Cell], rows: list[list[int]]) -> None:
    place = {number: float(index) for row in rows for index, number in enumerate(row)}

    def mean(number: int, neighbours: Sequence[int]) -> float:
        return sum(place[each] for each in neighbours) / len(neighbours) if neighbours else place[number]

    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            row.sort(key=lambda number: mean(number, cells[number].above if down else cells[number].below))
            place.update({number: float(index) for index, number in enumerate(row)})


def _pull(cells: Sequence[_Cell], row: Sequence[int]) -> None:
    """Move the cells of a row to the mean of their neighbours, as far as they do not overlap."""
    offsets: list[float] = []
    at = 0.0
    for index, number in enumerate(row):
        if index:
            at += (cells[row[index - 1]].width + cells[number].width) / 2 + GAP_X
        offsets.append(at)
    wanted: list[float] = []
    for number, offset in zip(row, offsets, strict=True):
        cell = cells[number]
        around = [(cells[each].x, _weight(cell, cells[each])) for each in (*cell.above, *cell.below)]
        total = sum(weight for _, weight in around)
        middle = sum(x * weight for x, weight in around) / total if around else cell.x
        wanted.append(middle - offset)
    for number, offset, value in zip(row, offsets, _monotone(wanted), strict=True):
        cells[number].x = value + offset


def _weight(one: _Cell, other: _Cell) -> float:
    """How much an arrow wants to be straight: between boxes most, for it is what makes a list a column."""
    return 8.0 if one.is_box and other.is_box else 1.0 if one.is_box or other.is_box else 4.0


def _monotone(values: Iterable[float]) -> list[float]:
    """The values that never fall and are the nearest to those given, in squares: pool adjacent violators."""
    pools: list[tuple[float, int]] = []
    for value in values:
        total, count = value, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            total, count = total + pools[-1][0], count + pools[-1][1]
            pools.pop()
        pools.append((total, count))
    return [total / count for total, count in pools for _ in range(count)]


def _placed(
    boxes: Sequence[Sized],
    links: Sequence[Link],
    cells: Sequence[_Cell],
    paths: Sequence[list[int]],
    row_count: int,
) -> Layered:
    heights = [0.0] * row_count
    for box, cell in zip(boxes, cells, strict=False):
        heights[cell.layer] = max(heights[cell.layer], box.height)
    tops = [sum(heights[:row]) + GAP_Y * row for row in range(row_count)]
    starts = _ports(boxes, cells, [(path[0], path[1], 0.0) for path in paths])
    rooms = [link.room for link in links]
    ends = _ports(boxes, cells, [(path[-1], path[-2], room) for path, room in zip(paths, rooms, strict=True)])
    routes: list[tuple[Point, ...]] = []
    for path, start, end in zip(paths, starts, ends, strict=True):
        layer = cells[path[0]].layer
        points = [(start, tops[layer] + boxes[path[0]].height), (start, tops[layer] + heights[layer])]
        for number in path[1:-1]:
            cell = cells[number]
            points += [(cell.x, tops[cell.layer]), (cell.x, tops[cell.layer] + heights[cell.layer])]
        routes.append((*points, (end, tops[cells[path[-1]].layer])))
    corners = [(cell.x - cell.width / 2, tops[cell.layer]) for _, cell in zip(boxes, cells, strict=False)]
    width = max((cell.x + cell.width / 2 for cell in cells), default=0.0)
    return Layered(tuple(corners), tuple(routes), Sized(width, sum(heights) + GAP_Y * max(row_count - 1, 0)))


def _ports(
    boxes: Sequence[Sized], cells: Sequence[_Cell], uses: Sequence[tuple[int, int, float]]
) -> list[float]:
    """Where arrows meet their boxes: in the order of their other ends, as far apart as labels need."""
    at = [0.0] * len(uses)
    for number in range(len(boxes)):
        mine = [index for index, use in enumerate(uses) if use[0] == number]
        mine.sort(key=lambda index: cells[uses[index][1]].x)
        spare = boxes[number].width - sum(uses[index][2] for index in mine)
        x = cells[number].x - boxes[number].width / 2
        for index in mine:
            x += spare / (len(mine) + 1)
            at[index] = x + uses[index][2] / 2
            x += uses[index][2]
    return at
