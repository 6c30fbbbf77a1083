"""The nouns of parsing: what a rule of the grammar has been found to consist of."""

from collections.abc import Iterator
from typing import TypeAlias

from flowc.read_dsl.lex import Token
from flowc.span import Span
from flowrt.noun import noun


@noun
class Made:
    """A rule of the grammar as it was found, with its parts in order: terminals, and rules inside of it."""

    name: str
    parts: tuple["Part", ...]

    def tokens(self, *kinds: str) -> Iterator[Token]:
        """Its own terminals of some kinds."""
        return (part for part in self.parts if isinstance(part, Token) and part.kind in kinds)

    def token(self, *kinds: str) -> Token | None:
        """The first of its own terminals of some kinds."""
        return next(self.tokens(*kinds), None)

    def rules(self, *names: str) -> Iterator["Made"]:
        """The rules of some names directly inside of it."""
        return (part for part in self.parts if isinstance(part, Made) and part.name in names)

    def rule(self, *names: str) -> "Made | None":
        """The first rule of some names directly inside of it."""
        return next(self.rules(*names), None)

    @property
    def word(self) -> Token:
        """The terminal that it begins with."""
        part = self.parts[0]
        while isinstance(part, Made):
            part = part.parts[0]
        return part

    @property
    def span(self) -> Span:
        """From its first character to its last."""
        return Span(self.word.start, self.end)

    @property
    def end(self) -> int:
        """Behind its last character."""
        for part in reversed(self.parts):
            if isinstance(part, Made):
                return part.end
            if part.end > part.start:
                return part.end
        return self.word.end


Part: TypeAlias = Token | Made
