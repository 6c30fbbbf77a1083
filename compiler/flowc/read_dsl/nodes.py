"""Terminals come in; nodes of the tree go out, of the shapes that the YAML reader gives to the same flow.

What is a text to YAML (a name, a duration, a type) is a plain scalar. An expression is a scalar of a style
of its own, for YAML has places in which the same characters would be data; only a number is the same in
every place, and is one here. Keys stand at the word that the DSL has for them; where it has none, at the
whole statement.
"""

import ast
from collections.abc import Iterable

from flowc.read_dsl.lex import Token
from flowc.span import Span
from flowc.tree import Entry, Mapping, Node, Scalar, Sequence
from flowrt.pattern import pattern

_NUMBER = pattern(r"-?(?:0|[1-9][0-9]{0,99})(?P<fraction>\.[0-9]{1,99})?")
_QUOTES = pattern(r"\"\"\"|'''|\"|'")


def span_of(token: Token) -> Span:
    """Where a terminal stands."""
    return Span(token.start, token.end)


def plain(token: Token) -> Scalar:
    """A name or another word, as YAML's plain text."""
    return Scalar(span_of(token), token.text, token.text, "plain", token.start)


def expression(token: Token) -> Scalar:
    """An expression, or the number that it is."""
    number = _NUMBER.fullmatch(token.text)
    if number is not None:
        value = float(token.text) if number["fraction"] else int(token.text)
        return Scalar(span_of(token), token.text, value, "plain", token.start)
    return Scalar(span_of(token), token.text, token.text, "expression", token.start)


def written(token: Token) -> Scalar:
    """What a terminal stands for, by its kind."""
    match token.kind:
        case "EXPR" | "ARG":
            return expression(token)
        case "STRING":
            return text(token)
        case _:
            return plain(token)


def text(token: Token) -> Scalar:
    """A text in quotes."""
    quotes = _QUOTES.match(token.text)
    assert quotes is not None  # The lexer has found them.
    size = len(quotes[0])
    inner = token.text[size : len(token.text) - size]
    start = token.start + size
    value = inner if "\\" not in inner else _decoded(token.text)
    if "\n" in inner:
        value = _unindented(value)
    origin = start if value is inner else (start,) * len(value)
    return Scalar(span_of(token), value, value, "double", origin)


def _unindented(value: str) -> str:
    """A text over several lines without what only makes it fit its surroundings.

    That is the line end behind the opening quotes, the indentation that all lines but the first have, and the
    blanks before the closing quotes: the text that YAML's `|` would give to the same lines.
    """
    first, *lines = value.split("\n")
    widths = [len(line) - len(line.lstrip(" ")) for line in lines if line.strip()]
    width = min(widths, default=0)
    lines = [line[width:] if line.strip() else "" for line in lines]
    return "\n".join(lines if not first.strip() else [first, *lines])


def _decoded(literal: str) -> str:
    """The text that a literal stands for; an escape that is none stays what is written."""
    try:
        value = ast.literal_eval(literal)
    except (SyntaxError, ValueError):
        return literal
    return value if isinstance(value, str) else literal


def lost(span: Span) -> Scalar:
    """In the place of an expression that could not be read: nothing more is said about it."""
    return Scalar(span, "", "", "lost", span.start)


def key(word: str, at: Span) -> Scalar:
    """A key of the tree; where it stands in the text may be written otherwise."""
    return Scalar(at, word, word, "plain", at.start)


def entry(word: str, at: Token | Span, value: Node) -> Entry:
    """A key and what stands under it."""
    return Entry(key(word, span_of(at) if isinstance(at, Token) else at), value)


def mapping(entries: Iterable[Entry], span: Span, *, flow: bool = False) -> Mapping:
    """A map."""
    return Mapping(span, tuple(entries), flow)


def sequence(items: Iterable[Node], span: Span, *, flow: bool = False) -> Sequence:
    """A list."""
    return Sequence(span, tuple(items), flow)


def true(at: Token | Span) -> Scalar:
    """The value of a word that is only there or not."""
    span = span_of(at) if isinstance(at, Token) else at
    return Scalar(span, "true", True, "plain", span.start)  # noqa: FBT003 - a value of YAML


def nothing(at: Span) -> Scalar:
    """The value of a key without one."""
    return Scalar(at, "", None, "plain", at.start)
