"""The kind of a step and its entries come in; the parts of its statement behind the first line go out."""

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Table

from flowc.span import Span
from flowc.tree import Entry, Mapping, Node, Sequence
from flowc.write_dsl.heads import case_of, catch_of
from flowc.write_dsl.modifiers import Fields, name
from flowc.write_dsl.unwritable import Unwritable
from flowc.write_dsl.values import expression
from flowrt.noun import noun

PART_KEYS = frozenset(
    {"then", "else", "do", "graph", "try", "catch", "finally", "saga", "cases", "race", "until", "collect"}
)
"""Keys of steps that are no modifiers in the first line of the statement."""


@noun
class Part:
    """A line of a statement and the block that it opens.

    Attributes:
        text: the line; empty when the block belongs to the first line of the statement.
        span: what the line says, in the source.
        block: the entry of the block; None for a line without one.
        deeper: by how many levels the line is indented more than the statement.
        is_body: whether a `graph` under the key is the body itself, and a list with one is told from it.
    """

    text: str
    span: Span
    block: Entry | None
    deeper: int = 0
    is_body: bool = False


def parts_of(kind: str, fields: Fields) -> list[Part]:
    """The blocks and lines of a statement, in the order in which they are written."""
    make = _PARTS.get(kind)
    if make is not None:
        return list(make(fields))
    match kind:
        case "for" | "while" | "until":
            return list(_loop(kind, fields))
        case "wait":
            return [Part("", fields["else"].key.span, fields["else"])] if "else" in fields else []
        case "saga" | "graph" | "do":
            return [Part("", fields[kind].key.span, fields[kind])]
        case "lock":
            block = _block(fields)
            return [Part("", block.key.span, block, is_body=True)]
        case _:
            return []


def _branches(fields: Fields) -> Iterator[Part]:
    yield Part("", fields["then"].key.span, fields["then"])
    while "else" in fields:
        orelse = fields["else"]
        inner = _lone_if(orelse.value)
        if inner is None:
            yield Part("else:", orelse.key.span, orelse)
            return
        cond = inner["if"].value
        span = Span(min(orelse.key.span.start, inner["if"].key.span.start), cond.span.end)
        yield Part(f"elif {expression(cond)}:", span, inner["then"])
        fields = inner


def _lone_if(node: Node) -> Fields | None:
    """The entries of the `if` that is all there is in a list."""
    if isinstance(node, Sequence) and len(node.items) == 1:
        item = node.items[0]
        if isinstance(item, Mapping):
            fields = {entry.key.text: entry for entry in item.entries}
            if {"if", "then"} <= set(fields) <= {"if", "then", "else"}:
                return fields
    return None


def _cases(fields: Fields) -> Iterator[Part]:
    for each in _maps(fields["cases"].value):
        value = each["is"].value
        yield Part(
            f"{case_of(value)}:", each["is"].key.span.to(value.span), _block(each), deeper=1, is_body=True
        )
    if "else" in fields:
        yield Part("else:", fields["else"].key.span, fields["else"], deeper=1)


def _race(fields: Fields) -> Iterator[Part]:
    for each in _maps(fields["race"].value):
        ident = each["id"].value
        yield Part(f"{name(ident)}:", ident.span, _block(each), deeper=1, is_body=True)


def _try(fields: Fields) -> Iterator[Part]:
    yield Part("", fields["try"].key.span, fields["try"])
    for each in _maps(fields["catch"].value) if "catch" in fields else ():
        heads = [each[key] for key in ("type", "as") if key in each]
        block = _block(each)
        span = heads[0].key.span.to(heads[-1].value.span) if heads else block.key.span
        yield Part(f"{catch_of(each)}:", span, block)
    if "finally" in fields:
        yield Part("finally:", fields["finally"].key.span, fields["finally"])


def _loop(kind: str, fields: Fields) -> Iterator[Part]:
    block = _block(fields)
    yield Part("", block.key.span, block, is_body=True)
    if kind == "until":
        yield _line("until", fields["until"], 0)
    if "collect" in fields:
        yield _line("collect", fields["collect"], 1)


def _line(word: str, entry: Entry, deeper: int) -> Part:
    span = entry.key.span.to(entry.value.span)
    return Part(f"{word} {expression(entry.value)}", span, None, deeper=deeper)


def _block(fields: Fields) -> Entry:
    block = fields.get("do") or fields.get("graph")
    if block is None:
        raise Unwritable("A block without steps has no form in the DSL here: give it `do: []`.")
    return block


def _maps(node: Node) -> Iterator[Fields]:
    for item in node.items if isinstance(node, Sequence) else (node,):
        if isinstance(item, Mapping):
            yield {entry.key.text: entry for entry in item.entries}


_PARTS: Table[str, Callable[[Fields], Iterator[Part]]] = {
    "if": _branches,
    "switch": _cases,
    "race": _race,
    "try": _try,
}
