"""A tree and the comments of its file come in; YAML in canonical form goes out.

The form: two blanks a level, also before the dashes of a list; maps and lists in brackets stay so as long as
they fit into 100 columns and hold no comment; texts stand as the author wrote them, quotes and blocks
included, or else in the quotes that they need; one blank line where there were some, none at the start of a
block. The order of keys is the author's.

A comment stays with its neighbour: the node that it stands above, or whose line it ends, or the block that
it closes (see `flowc.comments.trivia`).
"""

from flowc.comments.comment import Comment
from flowc.comments.page import NO_COLUMN, Page, bounds
from flowc.tree import Entry, Mapping, Node, Scalar, Sequence, Tree
from flowc.write_yaml.marks import Alias, Marks, find_marks
from flowc.write_yaml.scalars import is_plain, literal, written

WIDTH = 100
_STEP = 2
_BLOCK_STYLES = ("literal", "folded")


def write_yaml(tree: Tree, comments: tuple[Comment, ...], *, from_yaml: bool) -> str:
    """The text of a tree.

    Args:
        tree: What to write.
        comments: Those of its source.
        from_yaml: Whether it was read from YAML: then scalars, anchors and aliases are kept as written.
    """
    return _Writer(tree, comments, from_yaml=from_yaml).run()


class _Writer:
    """Writes one file."""

    def __init__(self, tree: Tree, comments: tuple[Comment, ...], *, from_yaml: bool) -> None:
        self.tree = tree
        self.text = tree.source.text
        self.page = Page(tree.source, comments)
        self.trivia = self.page.trivia
        self.from_yaml = from_yaml
        self.marks = find_marks(tree) if from_yaml else Marks()

    def run(self) -> str:
        end = len(self.text)
        documents = [each for each in self.tree.documents if each.root is not None]
        for index, document in enumerate(documents):
            after = documents[index + 1].span.start if index + 1 < len(documents) else end
            if index:
                self._next_document(document.span.start)
            assert document.root is not None  # Those without one were left out.
            self._root(document.root, after)
        return self.page.finished()

    def _next_document(self, start: int) -> None:
        if self.from_yaml:
            self.page.comments(self.trivia.before(start), 0)
        self.page.drop_blank_lines()
        self.page.line(0, "---", None)
        self.page.begin()

    def _root(self, root: Node, limit: int) -> None:
        match root:
            case Mapping(entries=entries) if entries:
                self._mapping(root, 0, limit)
            case Scalar() | Sequence() | Mapping():
                self._value("", root, None, 0, limit)

    def _mapping(self, mapping: Mapping, indent: int, limit: int) -> None:
        starts = bounds([entry.key.span.start for entry in mapping.entries], limit)
        for index, entry in enumerate(mapping.entries):
            self.page.before(starts[index], entry.key.span.start, indent)
            self._inside_key(entry, indent)
            head = f"{self._key(entry.key)}:"
            alias = self.marks.aliases.get((id(mapping), index))
            if alias is not None:
                self.page.line(indent, f"{head} *{alias.name}", alias.end)
            else:
                self._value(head, entry.value, entry.key, indent, starts[index + 1])
        if self.from_yaml:
            column = NO_COLUMN if mapping.flow else self.page.column(mapping.entries[0].key.span.start)
            self.page.ending(column, limit, mapping.span.end, indent)

    def _sequence(self, sequence: Sequence, indent: int, limit: int, column: int) -> None:
        aliases = [self.marks.aliases.get((id(sequence), index)) for index in range(len(sequence.items))]
        starts = bounds([_start(*both) for both in zip(sequence.items, aliases, strict=True)], limit)
        for index, (item, alias) in enumerate(zip(sequence.items, aliases, strict=True)):
            if alias is None:
                self.page.before(starts[index], item.span.start, indent)
            self.page.lead = (self.page.lead or " " * indent) + "- "
            if alias is not None:
                self.page.line(indent, f"*{alias.name}", alias.end)
            else:
                self._value("", item, None, indent, starts[index + 1])
        self.page.ending(NO_COLUMN if sequence.flow else column, limit, sequence.span.end, indent)

    def _value(self, head: str, node: Node, key: Scalar | None, indent: int, limit: int) -> None:
        """A node behind a key, `head`, or behind a dash when that is empty."""
        anchor = self.marks.anchors.get(id(node))
        if anchor is not None:
            head = f"{head} &{anchor}".lstrip()
        match node:
            case Scalar():
                self._leaf(head, node, indent)
            case Sequence() | Mapping():
                if _is_empty(node):
                    self.page.comments(self.trivia.before(node.span.end, node.span.start), indent)
                text = self._in_brackets(node) if _is_flow(node) else None
                column = len(self.page.lead) if self.page.lead else indent
                if text is not None and (_is_empty(node) or column + len(head) + 1 + len(text) <= WIDTH):
                    self.page.line(indent, f"{head} {text}".lstrip(), node.span.end)
                else:
                    self._block(head, node, key, indent, limit)

    def _block(
        self, head: str, node: Sequence | Mapping, key: Scalar | None, indent: int, limit: int
    ) -> None:
        if head:
            behind = self.trivia.behind(node.span.end) if node.flow and self.from_yaml else None
            self.page.line(indent, head, key.span.end if key is not None else None, behind)
            self.page.begin()
        inside = indent + _STEP
        match node:
            case Sequence():
                column = self.page.column(node.span.start)
                beside = key is not None and column == self.page.column(key.span.start)
                self._sequence(node, inside, limit, column + 1 if beside else column)
            case Mapping():
                self._mapping(node, inside, limit)

    def _leaf(self, head: str, node: Scalar, indent: int) -> None:
        if self.from_yaml and node.style in _BLOCK_STYLES:
            self._kept_block(head, node, indent)
            return
        kept = self._kept(node) if self.from_yaml else ""
        if not isinstance(kept, str):
            first, *rest = kept
            self.page.line(indent, f"{head} {first}".lstrip(), None)
            self._indented(rest, indent)
            behind = self.trivia.behind(node.span.end)
            self.page.attach(*(() if behind is None else (behind,)))
            return
        block = None if self.from_yaml or node.style == "plain" else literal(node.text)
        if block is None:
            self.page.line(indent, f"{head} {self._scalar(node, in_brackets=False)}".strip(), node.span.end)
            return
        header, lines = block
        self.page.line(indent, f"{head} {header}".lstrip(), node.span.end)
        self._indented(lines, indent)

    def _indented(self, lines: list[str], indent: int) -> None:
        self.page.raw([" " * (indent + _STEP) + line if line else "" for line in lines])

    def _kept_block(self, head: str, node: Scalar, indent: int) -> None:
        """A block scalar with its own header, its lines moved to the new indentation."""
        raw = self.text[node.span.start : node.span.end]
        first, _, rest = raw.partition("\n")
        sign, _, _ = first.partition("#")
        body = node.text.rstrip("\n")
        start = next((index for index, char in enumerate(node.text) if char != "\n"), None)
        comments = self.trivia.before(node.span.start + len(first), node.span.start)
        if start is None or not rest:
            self.page.line(indent, f"{head} {self._scalar(node, in_brackets=False)}".strip(), None)
            self.page.attach(*comments)
            return
        offset = node.at(start)
        width = self.page.column(offset)
        digit = "2" if any(char.isdigit() for char in sign) or body.lstrip("\n").startswith(" ") else ""
        chomp = "-" if "-" in sign else "+" if "+" in sign else ""
        self.page.line(indent, f"{head} {sign[0]}{digit}{chomp}".lstrip(), None)
        self.page.attach(*comments)
        lines = (
            body.split("\n") if sign[0] == "|" else [line.rstrip("\r")[width:] for line in rest.split("\n")]
        )
        if sign[0] == ">":
            lines[-1] += " " * (len(body) - len(body.rstrip(" ")))
        self._indented(lines, indent)
        if chomp == "+":
            self.page.raw([""] * (len(node.text) - len(body) - 1))
            self.page.begin()

    def _in_brackets(self, node: Sequence | Mapping) -> str | None:
        """A node on one line, in brackets; None when it holds a comment or what cannot stand on one line."""
        commented = self.trivia.is_any_between(node.span.start, node.span.end)
        return None if commented else self._flat(node)

    def _flat(self, node: Node) -> str:
        match node:
            case Scalar():
                return self._scalar(node, in_brackets=True)
            case Sequence():
                items = (self._flat_child(node, index, item) for index, item in enumerate(node.items))
                return f"[{', '.join(items)}]"
            case Mapping():
                parts: list[str] = []
                for index, entry in enumerate(node.entries):
                    key = self._key(entry.key)
                    value = self._flat_child(node, index, entry.value)
                    parts.append(f"{key}: {value}")  # Nothing at all keeps its blank: `{a:}` is no map.
                return f"{{{', '.join(parts)}}}"

    def _flat_child(self, holder: Node, index: int, node: Node) -> str:
        alias = self.marks.aliases.get((id(holder), index))
        if alias is not None:
            return f"*{alias.name}"
        anchor = self.marks.anchors.get(id(node))
        return self._flat(node) if anchor is None else f"&{anchor} {self._flat(node)}"

    def _scalar(self, node: Scalar, *, in_brackets: bool) -> str:
        if self.from_yaml and node.style not in _BLOCK_STYLES:
            kept = self._kept(node)
            if isinstance(kept, str):
                return kept
        return written(node, in_brackets=in_brackets)

    def _kept(self, node: Scalar) -> str | list[str]:
        """A scalar as it stands in the file; its lines when there are several, all but the first stripped."""
        raw = self.text[node.span.start : node.span.end]
        if "\n" not in raw:
            return raw
        first, *rest = raw.split("\n")
        blanks = " \t\r" if node.style == "plain" else "\r"
        return [first.rstrip(blanks), *(line.lstrip(" \t").rstrip(blanks) for line in rest)]

    def _key(self, key: Scalar) -> str:
        return key.text if is_plain(key.text, in_brackets=True) else self._scalar(key, in_brackets=True)

    def _inside_key(self, entry: Entry, indent: int) -> None:
        """Comments between a key and its value, which comes to stand on the line of the key."""
        beside = isinstance(entry.value, Scalar) or _is_flow(entry.value)
        if self.from_yaml and beside and entry.value.span.start > entry.key.span.end:
            self.page.comments(self.trivia.before(entry.value.span.start), indent)


def _start(node: Node, alias: Alias | None) -> int:
    return node.span.start if alias is None else alias.end


def _is_flow(node: Node) -> bool:
    return not isinstance(node, Scalar) and (node.flow or _is_empty(node))


def _is_empty(node: Node) -> bool:
    match node:
        case Scalar():
            return False
        case Sequence():
            return not node.items
        case Mapping():
            return not node.entries
