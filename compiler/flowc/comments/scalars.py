"""A tree comes in; its scalars go out, keys too, each once though an alias repeats it."""

from collections.abc import Iterator

from flowc.tree import Mapping, Node, Scalar, Sequence, Tree


def scalars_of(tree: Tree) -> Iterator[Scalar]:
    """The scalars of all documents, in no order."""
    waiting: list[Node] = [each.root for each in tree.documents if each.root is not None]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        match node:
            case Scalar():
                yield node
            case Sequence():
                waiting += node.items
            case Mapping():
                for entry in node.entries:
                    waiting += (entry.key, entry.value)
