"""The text of a `.flow` file comes in; its logical lines go out, each with its indentation.

A line goes on in the next one inside of brackets and of a text in three quotes, and behind a backslash.
What is blank or a comment is no line. All of a line is known before any of it is parsed, so that whatever
is wrong with it ends with it, and the next one is read for itself.

A bracket that is never closed would swallow the rest of the file. So a line ends before its bracket does
when the next one is not indented more and begins as a statement does, or when there is no end in sight. How
far is looked, and how often, is bounded: the bounds are those of an expression, so that nothing is lost
that could be read.
"""

import re

from flowrt.noun import noun
from flowrt.pattern import pattern

LOOK = 40_000
"""Characters in which a bracket has to close; the longest expression has 10,000."""

UNCLOSED_LIMIT = 50
"""More lines with open brackets than that, and what the rest means is anyone's guess."""

_TRIPLE = r"\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''"
_PIECE = pattern(
    rf"""(?P<string>{_TRIPLE}|\"(?:[^\\\"\n]|\\.)*\"|'(?:[^\\'\n]|\\.)*')
    |(?P<comment>\#[^\n]*)
    |(?P<blank>[ \t\r]+|\\\r?\n)
    |(?P<end>\n)
    |(?P<open>[(\[{{])
    |(?P<close>[)\]}}])
    |[^\s"'\#\\()\[\]{{}}]+
    |.""",
    re.VERBOSE | re.DOTALL,
)
_NEXT = pattern(
    r"(?P<indent>[ \t]*)(?P<statement>(?:use|event|flow|if|for|while|return|raise|try|repeat|saga|switch)\b"
    r"|[^\W\d]\w* = )?(?P<mark>[^\s])?"
)
_INDENT = pattern(r"[ \t]*")


@noun
class Line:
    """A logical line.

    Attributes:
        indent: Where its indentation begins.
        start: Where its first character stands.
        end: Behind its last one, comments aside.
        width: The width of its indentation; a tab goes to the next multiple of four.
        cut: Whether it ends inside of a bracket.
    """

    indent: int
    start: int
    end: int
    width: int
    cut: bool = False


def width_of(indent: str) -> int:
    """The columns that an indentation takes."""
    return len(indent.expandtabs(4))


def split_lines(text: str) -> tuple[list[Line], bool]:
    """The logical lines of a text, and whether that is all of it: too many brackets may be open."""
    lines: list[Line] = []
    at = cut = 0
    while at < len(text):
        found = _INDENT.match(text, at)
        assert found is not None  # The pattern matches the empty text.
        line, after = _line(text, at, found.end())
        if line.end > line.start:
            lines.append(line)
            cut += line.cut
        if cut > UNCLOSED_LIMIT:
            return lines, False
        at = after
    return lines, True


def _line(text: str, indent: int, start: int) -> tuple[Line, int]:
    """The line that begins at `start`, which may be empty, and where the next one begins."""
    width = width_of(text[indent:start])
    depth, at, end = 0, start, start
    way_out: tuple[int, int] | None = None
    texts = 0  # Characters of texts in quotes, which end by themselves, however long they are.
    while at < len(text) and (depth == 0 or at - start - texts < LOOK):
        found = _PIECE.match(text, at)
        assert found is not None  # The last alternative takes any character.
        at = found.end()
        texts += len(found["string"] or "")
        match found.lastgroup:
            case "blank" | "comment":
                continue
            case "end":
                if depth == 0:
                    return Line(indent, start, end, width), at
                begins = _begins(text, at, width)
                if begins == "statement":
                    return Line(indent, start, end, width, cut=True), at
                if begins and way_out is None:
                    way_out = (end, at)
                continue
            case "open":
                depth += 1
            case "close":
                depth = max(depth - 1, 0)
            case _:
                pass
        end = at
    if depth == 0:
        return Line(indent, start, end, width), at
    last, following = way_out or (end, at)
    return Line(indent, start, last, width, cut=True), following


def _begins(text: str, at: int, width: int) -> str:
    """Whether a line inside of a bracket looks as if it were none: empty when it does not."""
    found = _NEXT.match(text, at)
    assert found is not None  # Every part of the pattern may be missing.
    if width_of(found["indent"]) > width:
        return ""
    if found["statement"]:
        return "statement"
    return "" if (found["mark"] or ")") in ")]}#" else "line"
