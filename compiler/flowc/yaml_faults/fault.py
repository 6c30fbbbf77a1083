"""The noun of a syntax error: what libyaml said about it, and what the reader knew when it did."""

import re
from dataclasses import dataclass
from typing import Literal

from flowc.span import Source, Span
from flowc.yaml_cuts import line_end, line_start

LastKind = Literal["plain", "quoted", "block", "brackets", "alias", "nothing"]

WORDS: frozenset[str] = frozenset(
    re.findall(
        r"\w+",
        """
        flowc use events actors flow doc inputs returns defaults timeout schedule labels steps graph result
        id call with options retry heartbeat cache undo value if then else switch cases is for parallel
        errors need batch collect do while until max every sleep wait key match emit race try catch finally
        saga after failure lock limit start return raise fail type default min choices delay factor cap jitter
        unless within
        """,
    )
)
"""The keys of the language: a line that begins with one of them was meant to be `key: value`."""

_SHORT = 40
SHOWN = 100
"""The length up to which a text of the author is repeated in a message as a whole."""

KEY = re.compile(r"[ ]*(?:-[ ]+)*(?P<key>[^\s:#](?:[^:\n]*[^\s:])?)[ ]*:(?:[ \t]+|$)")
"""The start of a line up to its first value."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last value that was read before the error."""

    kind: LastKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Level:
    """A block list or map that was open before the error, and the column (from 0) of its items or keys."""

    column: int
    is_list: bool


@dataclass(frozen=True, slots=True)
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


def short(text: str) -> str:
    """A text of the author as a part of a sentence."""
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
