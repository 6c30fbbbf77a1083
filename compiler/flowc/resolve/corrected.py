"""Blocks in a wrong shape come in; the text that was probably meant goes out, for messages and fixes.

What is written anew stands in the columns of the author's text, its first line without an indent: so it can
take the place of what is there. Whatever stands inside is moved as it is, comments included.
"""

from collections.abc import Iterable

from flowc.resolve.found import Found
from flowc.span import Span
from flowc.tree import Entry, Mapping, Node, Scalar, Sequence
from flowrt.pattern import pattern

_LINES = 12
_CALL = pattern(r"[^\W\d][\w.:]*\(.*\)")


def shown(at: int, text: str) -> str:
    """A text that is to begin in a column, for a message: two spaces before each line, and not too long."""
    lines = (" " * at + text).split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    told = [f"  {line[indent:]}".rstrip() for line in lines[:_LINES]]
    return "\n".join([*told, "  …"] if len(lines) > _LINES else told)


def column(found: Found, span: Span) -> int:
    """How many characters stand before a place in its line."""
    return found.source.position(span.start)[1] - 1


def dashed(found: Found, mapping: Mapping) -> str:
    """A map as the one item of a list."""
    text = found.text(mapping.span).rstrip()
    return f"[{text}]" if mapping.flow else "- " + text.replace("\n", "\n  ")


def as_list(found: Found, mapping: Mapping) -> str:
    """A map of names to steps as a list of steps."""
    at = column(found, mapping.span)
    items: list[str] = []
    for entry in mapping.entries:
        name, value = found.text(entry.key.span), entry.value
        match value:
            case Mapping(entries=entries):
                rest = [_under(found, found.text(each.key.span), each.value, at + 2) for each in entries]
            case Sequence(flow=False):
                rest = [_under(found, "do", value, at + 2)]
            case _:
                text = found.text(value.span).strip()
                rest = [f"{'call' if _CALL.fullmatch(text) else 'value'}: {text}"]
        items.append(_item(at, [f"id: {name}", *rest]))
    return _joined(at, items)


def as_arms(found: Found, entries: Iterable[Entry], at: int, head: str) -> str:
    """A map of names, or of values, to steps as a list of branches (`id`) or cases (`is`)."""
    items: list[str] = []
    for entry in entries:
        value = entry.value
        first = f"{head}: {found.text(entry.key.span)}"
        if isinstance(value, Mapping) and any(each.key.text in ("do", "graph") for each in value.entries):
            rest = [_under(found, found.text(each.key.span), each.value, at + 2) for each in value.entries]
        elif isinstance(value, Mapping) and not value.flow:
            rest = [f"do:\n{' ' * (at + 4)}- {_moved(found, value, at + 6)}"]
        elif isinstance(value, Mapping):
            rest = [f"do: [{found.text(value.span)}]"]
        else:
            rest = [_under(found, "do", value, at + 2)]
        items.append(_item(at, [first, *rest]))
    return _joined(at, items)


def as_graph(found: Found, sequence: Sequence) -> tuple[str, bool]:
    """A list of steps as a map of names to steps, and whether all of its names are the author's."""
    at, lines, named = column(found, sequence.span), list[str](), True
    for number, item in enumerate(sequence.items, 1):
        entries = item.entries if isinstance(item, Mapping) else ()
        ids = [each.value for each in entries if each.key.text == "id"]
        name = ids[0].text if len(ids) == 1 and isinstance(ids[0], Scalar) and ids[0].text else ""
        named = named and bool(name)
        rest = [entry for entry in entries if entry.key.text != "id"]
        label = name or f"name{number}"
        if not rest:
            named = named and isinstance(item, Mapping) and bool(entries)
            lines.append(_under(found, label, item, at) if not entries else f"{label}: …")
        elif len(rest) == 1 and rest[0].key.text in ("call", "value") and isinstance(rest[0].value, Scalar):
            lines.append(f"{label}: {found.text(rest[0].value.span)}")
        else:
            inner = [_under(found, found.text(each.key.span), each.value, at + 2) for each in rest]
            lines.append(f"{label}:\n" + "\n".join(" " * (at + 2) + line for line in inner))
    return _joined(at, lines), named and all(isinstance(item, Mapping) for item in sequence.items)


def one_dash(found: Found, sequence: Sequence, at: int) -> str:
    """The items of a list that is itself an item, as items of the list around; `at` is where its dash is."""
    texts = [_moved(found, item, at + 2) for item in sequence.items]
    return f"\n{' ' * at}- ".join(texts)


def as_do(found: Found, node: Mapping | Sequence) -> str:
    """A step, or a list of steps, as a map with them under `do`."""
    at = column(found, node.span)
    if node.flow:
        text = found.text(node.span)
        return f"{{do: {text if isinstance(node, Sequence) else f'[{text}]'}}}"
    if isinstance(node, Sequence):
        return _under(found, "do", node, at)
    return f"do:\n{' ' * (at + 2)}- {_moved(found, node, at + 4)}"


def _item(at: int, lines: list[str]) -> str:
    return "- " + f"\n{' ' * (at + 2)}".join(lines)


def _joined(at: int, items: list[str]) -> str:
    return f"\n{' ' * at}".join(items)


def _under(found: Found, key: str, node: Node, at: int) -> str:
    if isinstance(node, Mapping | Sequence) and not node.flow:
        return f"{key}:\n{' ' * (at + 2)}{_moved(found, node, at + 2)}"
    return f"{key}: {found.text(node.span).strip() or '…'}"


def _moved(found: Found, node: Node, at: int) -> str:
    """The text of a node that is to begin in a column."""
    by = at - column(found, node.span)
    first, *rest = found.text(node.span).rstrip().split("\n")
    return "\n".join([first, *(_shifted(line, by) for line in rest)])


def _shifted(line: str, by: int) -> str:
    if by >= 0:
        return " " * by + line if line.strip() else ""
    return line[min(-by, len(line) - len(line.lstrip(" "))) :]
