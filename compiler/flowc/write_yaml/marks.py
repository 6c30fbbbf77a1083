"""A tree that was read from YAML comes in; its anchors and aliases go out, for a writer that keeps them.

The reader puts the node of an anchor into the tree wherever an alias repeats it. An alias is told from a node
by its place: the repeated node stands before the key or the item that holds it. The names are read from the
text between the two.
"""

from flowc.tree import Mapping, Node, Scalar, Sequence, Tree
from flowrt.noun import field, noun
from flowrt.pattern import pattern

_GAP = r"(?:[\s,:?\-\[{]|(?<=\s)#[^\n]*\n)*"
_ALIAS = pattern(_GAP + r"\*([^\s,\[\]{}]+)")
_ANCHOR = pattern(_GAP + r"&([^\s,\[\]{}]+)")


@noun
class Alias:
    """An alias: its name, and where it ends."""

    name: str
    end: int


@noun(frozen=False)
class Marks:
    """The anchors by the identity of their nodes, and the aliases by that of their holder and their index."""

    anchors: dict[int, str] = field(default_factory=dict[int, str])
    aliases: dict[tuple[int, int], Alias] = field(default_factory=dict[tuple[int, int], Alias])


def find_marks(tree: Tree) -> Marks:
    """All anchors and aliases of a tree."""
    marks = Marks()
    text = tree.source.text
    if "&" not in text:
        return marks
    for document in tree.documents:
        if document.root is not None:
            _walk(text, document.root, marks)
    return marks


def _walk(text: str, root: Node, marks: Marks) -> None:
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        at = node.span.start
        children: list[tuple[int | None, Node]]
        match node:
            case Scalar():
                children = []
            case Sequence():
                children = [(None, item) for item in node.items]
            case Mapping():
                children = [(entry.key.span.end, entry.value) for entry in node.entries]
        for index, (after_key, child) in enumerate(children):
            at = at if after_key is None else after_key
            if child.span.start < at:
                found = _ALIAS.match(text, at)
                if found is not None:
                    marks.aliases[id(node), index] = Alias(found[1], found.end())
                    at = found.end()
                continue
            anchor = _ANCHOR.match(text, at, child.span.start)
            if anchor is not None:
                marks.anchors[id(child)] = anchor[1]
            at = child.span.end
            waiting.append(child)
