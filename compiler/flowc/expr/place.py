"""Where a text stands in a file: indices into the text in, diagnostics with their place in the file out."""

from collections.abc import Callable

from flowc.diagnostic import Diagnostic, Fix
from flowc.span import Source, Span
from flowrt.expr.tree import At
from flowrt.noun import field, noun


@noun(frozen=False)
class Place:
    """A text inside a file, and the findings about it.

    Attributes:
        source: The file.
        at: From an index into the text to an offset in the file.
        found: The findings so far, in the order in which they were made.
    """

    source: Source
    at: Callable[[int], int]
    found: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def part(self, start: int) -> "Place":
        """The same place for the part of the text from `start`; findings go to the same list."""
        at = self.at
        return Place(self.source, lambda index: at(start + index), self.found)

    def span(self, start: int, end: int) -> At:
        """Offsets in the file of the characters from `start` to `end`."""
        first = self.at(start)
        return (first, max(first, self.at(end - 1) + 1)) if end > start else (first, first)

    def text(self, start: int, end: int) -> str:
        """The characters from `start` to `end` as they stand in the file."""
        return self.source.text[slice(*self.span(start, end))]

    def in_braces(self) -> bool:
        """Whether the text stands in the braces of a template or of an f-string."""
        start = self.at(0)
        return self.source.text[max(start - 40, 0) : start].rstrip().endswith("{")

    def report(  # noqa: PLR0913 - the parts of a finding
        self,
        code: str,
        start: int,
        end: int,
        message: str,
        help_: str = "",
        *,
        hint: str = "",
        fix: str = "",
        safe: bool = False,
    ) -> None:
        """Add a finding about the characters from `start` to `end`; `fix` is a text to put there instead.

        `safe`: it is what was meant beyond doubt.
        """
        span = Span(*self.span(start, end))
        fixes = (Fix(span, fix, f"write `{fix.strip()}`", safe=safe),) if fix else ()
        self.found.append(Diagnostic(code, message, self.source, span, hint, help_, fixes=fixes))
