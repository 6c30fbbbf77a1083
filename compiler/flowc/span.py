"""Places in the author's text: a source, and spans of characters in it."""

from bisect import bisect_right
from functools import cached_property

from flowrt.noun import noun


@noun
class Span:
    """Offsets of characters (code points) from the start of the text; the end is exclusive."""

    start: int
    end: int

    def to(self, other: "Span") -> "Span":
        """The span from the start of this one to the end of the other."""
        return Span(self.start, other.end)


class Source:
    """A file's text under the name that messages give it; positions are worked out when asked for.

    A value like a noun, but with room for the starts of its lines.
    """

    def __init__(self, name: str, text: str) -> None:
        """Keep both; nobody assigns them later."""
        self.name = name
        self.text = text

    def __eq__(self, other: object) -> bool:
        """Whether name and text are equal."""
        if not isinstance(other, Source):
            return NotImplemented
        return self.name == other.name and self.text == other.text

    def __hash__(self) -> int:
        """Of name and text."""
        return hash((self.name, self.text))

    def __repr__(self) -> str:
        """The name alone: a text may be long."""
        return f"Source({self.name!r})"

    @property
    def is_dsl(self) -> bool:
        """Whether the file is in the DSL: its name says so, and all others are YAML."""
        return self.name.endswith(".flow")

    def either(self, yaml: str, dsl: str) -> str:
        """What is to be said to an author of this file's syntax."""
        return dsl if self.is_dsl else yaml

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1; columns count characters."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, from 1, without its end."""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    @property
    def line_count(self) -> int:
        """How many lines there are; an empty text has one."""
        return len(self._starts)
