"""The noun of a syntax error: what libyaml said about it, and what the reader knew when it did."""

import re

from flowc.read_yaml.cuts import line_end, line_start
from flowc.read_yaml.frame import LastKind
from flowc.span import Source, Span
from flowrt.noun import noun

SHOWN = 100
"""The length up to which a text of the author is repeated in a message as a whole."""

KEY = re.compile(r"[ ]*(?:-[ ]+)*(?P<key>[^\s:#](?:[^:\n]*[^\s:])?)[ ]*:(?:[ \t]+|$)")
"""The start of a line up to its first value."""


@noun
class Last:
    """The last value that was read before the error."""

    kind: LastKind
    start: int
    end: int


@noun
class Level:
    """A block list or map that was open before the error, and the column (from 0) of its items or keys."""

    column: int
    is_list: bool


@noun
class Fault:
    """A syntax error.

    `at` and `context_at` are libyaml's marks: where it stopped, and what it was reading then. `bracket_at`:
    where the innermost list or map begins that was open, if it is written in brackets.
    """

    source: Source
    problem: str
    at: int
    context: str
    context_at: int
    last: Last
    levels: tuple[Level, ...]
    bracket_at: int | None

    def char(self, offset: int) -> str:
        """The character at an offset; empty at the end of the text."""
        return self.source.text[offset : offset + 1]

    def line(self, offset: int) -> Span:
        """The line in which an offset stands, without its end."""
        return Span(line_start(self.source, offset), line_end(self.source, offset))

    def text(self, span: Span) -> str:
        """The text of a span."""
        return self.source.text[span.start : span.end]

    def indent_end(self, offset: int) -> int:
        """Where the text of the line begins in which `offset` stands."""
        line = self.line(offset)
        text = self.text(line)
        return line.start + len(text) - len(text.lstrip())

    def word(self, offset: int) -> Span:
        """What stands at an offset, up to the next space or the end of the line; at least one character."""
        match = re.compile(r"[^\s:,]+").match(self.source.text, offset, offset + 60)
        return Span(offset, match.end() if match else min(offset + 1, max(len(self.source.text), offset)))
