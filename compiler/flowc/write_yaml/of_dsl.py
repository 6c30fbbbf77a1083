"""A tree that was read from the DSL comes in; the same as an author of YAML would write it goes out.

The DSL has an expression in every place. In YAML there are places for data, where a literal of the DSL is
the data itself, and any other expression stands in `${{ }}`. An expression for a duration or a size always
does: in quotes it would be something else. A call is `value` in the DSL, as every expression is; YAML says
`call`.
"""

from flowc.expr.lay_out import on_one_line
from flowc.resolve.keys import SIZES
from flowc.tree import Document, Entry, Mapping, Node, Scalar, Sequence, Tree
from flowc.write_yaml.literals import called, data_of
from flowrt.noun import replace

_DURATIONS = frozenset({"timeout", "heartbeat", "every", "delay", "cap", "within", "ttl", "sleep"})
_DATA = frozenset({"with", "options", "is", "fail"})
_DATA_OF_INPUTS = frozenset({"default", "min", "max", "choices"})
_SHORT = frozenset({"use", "labels"})
_SAID = "expression"


def as_yaml(tree: Tree) -> Tree:
    """The tree with data in the places for data, in the words of YAML."""
    callees = _callees(tree)
    documents = tuple(
        Document(_flow(each.root, callees) if isinstance(each.root, Mapping) else each.root, each.span)
        for each in tree.documents
    )
    return Tree(tree.source, documents, tree.whole)


def _callees(tree: Tree) -> frozenset[str]:
    """The names that a call may begin with: aliases, flows, actors, these with `()` behind them."""
    names: set[str] = set()
    for document in tree.documents:
        for entry in document.root.entries if isinstance(document.root, Mapping) else ():
            if entry.key.text in ("use", "actors") and isinstance(entry.value, Mapping):
                behind = "()" if entry.key.text == "actors" else ""
                names |= {f"{each.key.text}{behind}" for each in entry.value.entries}
            elif entry.key.text == "flow" and isinstance(entry.value, Scalar):
                names.add(entry.value.text)
    return frozenset(names)


def _flow(root: Mapping, callees: frozenset[str]) -> Mapping:
    entries: list[Entry] = []
    for entry in root.entries:
        if entry.key.text == "inputs" and isinstance(entry.value, Mapping):
            inputs = tuple(Entry(each.key, _input(each.value)) for each in entry.value.entries)
            entries.append(Entry(entry.key, replace(entry.value, entries=inputs)))
        elif entry.key.text in _SHORT and isinstance(entry.value, Mapping):
            entries.append(Entry(entry.key, replace(entry.value, flow=True)))
        else:
            entries.append(_entry(entry, callees))
    return replace(root, entries=tuple(entries))


def _input(node: Node) -> Node:
    if not isinstance(node, Mapping):
        return node
    entries = (
        Entry(each.key, _data(each.value)) if each.key.text in _DATA_OF_INPUTS else each
        for each in node.entries
    )
    return replace(node, entries=tuple(entries))


def _entry(entry: Entry, callees: frozenset[str]) -> Entry:
    key, node = entry.key.text, entry.value
    if key == "options" and isinstance(node, Mapping):
        return Entry(entry.key, replace(node, entries=tuple(_option(each) for each in node.entries)))
    if key in _DATA:
        data = _data(node)
        if key == "is" and isinstance(node, Scalar) and isinstance(data, Sequence):
            data = Sequence(
                node.span, (data,), flow=True
            )  # One value, which is a list, not a list of values.
        return Entry(entry.key, data)
    if key in _DURATIONS and isinstance(node, Scalar):
        return Entry(entry.key, _wrapped(node))
    return Entry(entry.key, _node(node, callees))


def _option(entry: Entry) -> Entry:
    value = entry.value
    if entry.key.text in SIZES and isinstance(value, Scalar):
        return Entry(entry.key, _wrapped(value))
    return Entry(entry.key, _data(value))


def _node(node: Node, callees: frozenset[str]) -> Node:
    """A step, or what is a part of one; scalars are expressions or names, which YAML writes alike."""
    match node:
        case Scalar():
            return _plain(node)
        case Sequence():
            return replace(node, items=tuple(_node(item, callees) for item in node.items))
        case Mapping():
            kept = [each for each in node.entries if not _is_default(each)]
            entries = (_entry(each, callees) for each in kept)
            return replace(node, entries=tuple(_called(each, callees) for each in entries))


def _is_default(entry: Entry) -> bool:
    return entry.key.text == "failure" and isinstance(entry.value, Scalar) and entry.value.text == "cancel"


def _called(entry: Entry, callees: frozenset[str]) -> Entry:
    if entry.key.text == "value" and isinstance(entry.value, Scalar) and called(entry.value) in callees:
        return Entry(replace(entry.key, text="call", value="call"), entry.value)
    return entry


def _plain(node: Scalar) -> Scalar:
    """An expression in its own place; quotes are a matter of the writer."""
    if node.style != _SAID:
        return node
    text = on_one_line(node.text)
    return Scalar(node.span, text, text, "plain", node.origin)


def _wrapped(node: Scalar) -> Scalar:
    if node.style != _SAID:
        return node
    text = "${{ " + on_one_line(node.text) + " }}"
    return Scalar(node.span, text, text, "plain", node.origin)


def _data(node: Node) -> Node:
    match node:
        case Scalar():
            return data_of(node) if node.style == _SAID else node
        case Sequence():
            return replace(node, items=tuple(_data(item) for item in node.items))
        case Mapping():
            entries = tuple(Entry(each.key, _data(each.value)) for each in node.entries)
            return replace(node, entries=entries)
