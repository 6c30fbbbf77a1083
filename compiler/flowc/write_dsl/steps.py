"""Steps of the tree come in; their statements go out onto a page, with the blocks inside of them.

Every step is one statement. The parts of a statement that open a block (`else`, `case`, `catch`, …) are lines
of their own, so that a comment above one of them stays there. A `do` or `then` that is one call is a block of
one statement here, a block without steps is `pass`.

The comments inside the map of a step, less those in its blocks, come to stand above its statement, for most
of them have no line there; the last one stays behind it.
"""

from collections.abc import Iterable

from flowc.comments.comment import Comment
from flowc.comments.page import NO_COLUMN, Page, bounds
from flowc.expr.lay_out import spread
from flowc.span import Span
from flowc.tree import Entry, Mapping, Node, Scalar, Sequence
from flowc.write_dsl.heads import Head, head_of, kind_of
from flowc.write_dsl.modifiers import Fields
from flowc.write_dsl.parts import PART_KEYS, Part, parts_of
from flowc.write_dsl.values import expression
from flowrt.noun import noun

INDENT = 4
WIDTH = 100
_GOES_ON = " \\"
_LONGEST = 9_000
"""With its blanks a call has to stay below what an expression may have: 10,000 characters."""
_GRAPH_OF_A_LIST = "graph failure cancel"
"""A list whose only step is a graph; `graph:` alone would be the body itself."""


@noun
class _Place:
    """Where a block goes: its indentation, and where what follows it stands in the source."""

    indent: int
    limit: int


class StepWriter:
    """Writes blocks of steps onto a page."""

    def __init__(self, page: Page) -> None:
        """Write onto `page`."""
        self.page = page
        self.trivia = page.trivia

    def body(self, entry: Entry, indent: int, limit: int) -> None:
        """The block of a loop or a flow, whose only statement may be the `graph:` that it consists of."""
        if entry.key.text == "graph":
            self._lone_graph(entry, _Place(indent, limit))
        else:
            self._block(entry, _Place(indent, limit), alone=True)

    def _lone_graph(self, entry: Entry, place: _Place) -> None:
        self.page.begin()
        self.page.line(place.indent, "graph:", entry.key.span.end)
        self._block(entry, _Place(place.indent + INDENT, place.limit))

    def _block(self, entry: Entry, place: _Place, *, alone: bool = False) -> None:
        """What stands under a key. `alone`: a graph that is its only step has to be told from a graph."""
        self.page.begin()
        node, key = entry.value, entry.key
        match node:
            case Scalar():
                self.page.line(place.indent, _single(node), node.span.end)
            case Sequence(items=()) | Mapping(entries=()):
                self.page.comments(self.trivia.before(node.span.end, key.span.end), place.indent)
                self.page.line(place.indent, "pass", node.span.end)
            case Sequence():
                column = self.page.column(node.span.start)
                beside = column == self.page.column(key.span.start) and self._begins_line(key.span.start)
                self._list(node, place, alone=alone)
                self._ending(node, column + 1 if beside else column, place)
            case Mapping():
                self._graph(node, place)
                self._ending(node, self.page.column(node.entries[0].key.span.start), place)

    def _begins_line(self, offset: int) -> bool:
        start = offset - self.page.column(offset)
        return not self.page.text[start:offset].strip(" -")

    def _ending(self, node: Sequence | Mapping, column: int, place: _Place) -> None:
        self.page.ending(NO_COLUMN if node.flow else column, place.limit, node.span.end, place.indent)

    def _list(self, node: Sequence, place: _Place, *, alone: bool) -> None:
        starts = bounds([item.span.start for item in node.items], place.limit)
        for index, item in enumerate(node.items):
            self.page.before(starts[index], item.span.start, place.indent)
            here = _Place(place.indent, starts[index + 1])
            match item:
                case Scalar():
                    self.page.line(place.indent, item.text, item.span.end)
                case Mapping():
                    fields = {entry.key.text: entry for entry in item.entries}
                    name = fields["id"].value if "id" in fields else None
                    bare = alone and len(node.items) == 1 and set(fields) == {"graph"}
                    self._step(fields, name, item.span, here, _GRAPH_OF_A_LIST if bare else "")
                case Sequence():
                    raise AssertionError("A list is no step, which has been reported.")

    def _graph(self, node: Mapping, place: _Place) -> None:
        starts = bounds([entry.key.span.start for entry in node.entries], place.limit)
        for index, entry in enumerate(node.entries):
            self.page.before(starts[index], entry.key.span.start, place.indent)
            here = _Place(place.indent, starts[index + 1])
            span = entry.key.span.to(entry.value.span)
            fields = (
                {each.key.text: each for each in entry.value.entries}
                if isinstance(entry.value, Mapping)
                else {"value": entry}
            )
            self._step(fields, entry.key, span, here)

    def _step(self, fields: Fields, name: Node | None, span: Span, place: _Place, instead: str = "") -> None:
        kind = kind_of(fields)
        head = head_of(kind, fields)
        assigned = f"{name.text} = " if isinstance(name, Scalar) else ""
        parts = parts_of(kind, fields)
        behind = self._comments_of_head(fields, parts, span, place.indent)
        self._head(Head(instead, "", opens=True) if instead else head, assigned, place.indent, behind)
        for index, part in enumerate(parts):
            later = (each.span.start for each in parts[index + 1 :] if each.span.start > part.span.start)
            self._part(part, _Place(place.indent + part.deeper * INDENT, min(later, default=place.limit)))

    def _comments_of_head(
        self, fields: Fields, parts: Iterable[Part], span: Span, indent: int
    ) -> Comment | None:
        """Write the comments in a step but not in its blocks; the one behind its first line is left."""
        blocks = [part.block for part in parts if part.block is not None]
        first = min((block.value.span.start for block in blocks), default=span.end + 1)
        own = [each for key, each in fields.items() if key not in PART_KEYS]
        end = max((each.value.span.end for each in own if each.value.span.end <= first), default=None)
        comments = self.trivia.before(end or span.start, span.start)
        behind = None if end is None else self.trivia.behind(end)
        for each in own:
            if each.value.span.start > first:
                comments += self.trivia.before(each.value.span.end, each.key.span.start)
                late = self.trivia.behind(each.value.span.end)
                comments += [] if late is None else [late]
        if behind is None and blocks:
            behind = self.trivia.behind(blocks[0].key.span.end)
        self.page.comments(comments, indent)
        return behind

    def _head(self, head: Head, assigned: str, indent: int, behind: Comment | None) -> None:
        first = assigned + head.before + head.call
        last = ":" if head.opens else ""
        if indent + len(" ".join((first, *head.after)) + last) <= WIDTH:
            self._end_of_head(first, head.after, last, indent, behind)
            return
        fits = indent + len(first) + len(_GOES_ON if head.after else last) <= WIDTH
        cut = None if fits else spread(head.call)
        if cut is not None and sum(indent + INDENT + len(line) for line in cut[1]) <= _LONGEST:
            opened, lines, first = cut
            self.page.line(indent, assigned + head.before + opened, None)
            for line in lines:
                self.page.line(indent + INDENT, line, None)
        self._end_of_head(first, head.after, last, indent, behind)

    def _end_of_head(
        self, first: str, after: tuple[str, ...], last: str, indent: int, behind: Comment | None
    ) -> None:
        """What follows a call: behind it, or in lines of their own when that would be too long."""
        whole = " ".join((first, *after)) + last
        if indent + len(whole) <= WIDTH or not after:
            self.page.line(indent, whole, None, behind)
            return
        # Deeper than the block that may follow, so that nobody takes it for a step of that.
        inner = indent + (2 * INDENT if last else INDENT)
        lines, room = [first], WIDTH - inner
        for word in (*after[:-1], after[-1] + last):
            if len(lines) > 1 and len(f"{lines[-1]} {word}{_GOES_ON}") <= room:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
        for number, line in enumerate(lines[:-1]):
            self.page.line(inner if number else indent, line + _GOES_ON, None)
        self.page.line(inner, lines[-1], None, behind)

    def _part(self, part: Part, place: _Place) -> None:
        if part.text:
            self.page.comments(self.trivia.before(part.span.start), place.indent)
            self.page.line(place.indent, part.text, part.span.end)
        if part.block is None:
            return
        inside = _Place(place.indent + INDENT, place.limit)
        if part.is_body:
            self.body(part.block, inside.indent, inside.limit)
        elif part.text and part.block.key.text == "graph":
            self._lone_graph(part.block, inside)
        else:
            self._block(part.block, inside)


def _single(node: Scalar) -> str:
    if node.text in ("break", "continue"):
        return node.text
    text = expression(node)
    return text if text.endswith(")") else f"{text}()"
