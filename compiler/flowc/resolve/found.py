"""What resolving finds wrong with a text comes in; a list of diagnostics goes out."""

from collections.abc import Iterable
from typing import TypedDict, Unpack

from flowc.diagnostic import Diagnostic, Fix, Label, Severity
from flowc.span import Source, Span
from flowc.tree import Mapping, Node, Scalar, Sequence
from flowrt.noun import field, noun

MOST = 500
"""More findings than anyone reads. Beyond it the file is something else, and guessing at it takes long."""


class Enough(Exception):
    """A file has `MOST` findings: resolving ends."""


class More(TypedDict, total=False):
    """The fields of a diagnostic that have a default."""

    hint: str
    help: str
    labels: tuple[Label, ...]
    fixes: tuple[Fix, ...]
    severity: Severity


@noun
class Found:
    """The diagnostics of one file so far."""

    source: Source
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def error(self, code: str, message: str, span: Span, **more: Unpack[More]) -> None:
        """Notes one finding.

        Raises:
            Enough: There are `MOST` of them.
        """
        self.add([Diagnostic(code, message, self.source, span, **more)])

    def add(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Notes the findings of another stage, such as the parser of expressions."""
        self.diagnostics.extend(diagnostics)
        if len(self.diagnostics) >= MOST:
            raise Enough

    def text(self, span: Span) -> str:
        """The author's text at a place."""
        return self.source.text[span.start : span.end]


def shape(node: Node) -> str:
    """What a node is, as messages call it."""
    match node:
        case Sequence():
            return "a list"
        case Mapping():
            return "a map"
        case Scalar(value=None):
            return "`null`" if node.text else "nothing"
        case Scalar(value=bool()):
            return f"`{node.text}`"
        case Scalar(value=int() | float()):
            return f"the number `{node.text}`"
        case Scalar():
            return "text"


def excerpt(node: Node) -> Span:
    """The part of a node that a caret should stand under: all of a scalar, the start of the rest."""
    match node:
        case Scalar():
            return node.span
        case Mapping(entries=(first, *_), flow=False):
            return first.key.span
        case Mapping(flow=True) | Sequence(flow=True):
            return node.span
        case Mapping() | Sequence():
            return Span(node.span.start, min(node.span.start + 1, node.span.end))


def listing(words: Iterable[str]) -> str:
    """Words in backticks, joined with commas."""
    return ", ".join(f"`{word}`" for word in words)


def article(word: str) -> str:
    """The word with `a` or `an` before it."""
    return f"{'an' if word[:1] in 'aeiou' else 'a'} {word}"
