"""The tree of a flow file: YAML's own shapes, each with its place. What the readers give to `resolve`."""

from typing import Literal, TypeAlias

from flowc.span import Source, Span
from flowrt.noun import noun

Style = Literal["plain", "single", "double", "literal", "folded", "expression", "lost"]
"""How a scalar is written. The last two are the DSL's alone: an expression, whatever the place, and something
that could not be read, which has been reported."""


@noun
class Scalar:
    """A scalar: its decoded `text`, and the `value` that YAML 1.2's core schema gives it.

    `origin` maps an index of `text` to an offset of the file: the offset of the first character when
    the decoded text stands in the file as it is, else one offset for each character.
    """

    span: Span
    text: str
    value: str | int | float | bool | None
    style: Style
    origin: int | tuple[int, ...]

    def at(self, index: int) -> int:
        """The file offset of character `index` of `text`; the end of the text is allowed."""
        if isinstance(self.origin, int):
            return self.origin + index
        if index < len(self.origin):
            return self.origin[index]
        return self.origin[-1] + 1 if self.origin else self.span.start


@noun
class Sequence:
    """A list; `flow` when it is written in brackets."""

    span: Span
    items: tuple["Node", ...]
    flow: bool


@noun
class Entry:
    """One `key: value` of a mapping. Keys are scalars: any other key has been reported."""

    key: Scalar
    value: "Node"


@noun
class Mapping:
    """A map in the order of the text, without duplicate keys (they have been reported)."""

    span: Span
    entries: tuple[Entry, ...]
    flow: bool


Node: TypeAlias = Scalar | Sequence | Mapping


@noun
class Document:
    """One YAML document; its root is None when nothing stands in it."""

    root: Node | None
    span: Span


@noun
class Tree:
    """All documents of a file.

    `whole` is False when a part of the text could not be read: then a document, or a part of one, is missing,
    and what looks undefined may stand there.
    """

    source: Source
    documents: tuple[Document, ...]
    whole: bool = True
