"""The noun of a line that could not be understood."""

from flowc.read_dsl.lex import Token
from flowc.read_dsl.lines import Line
from flowrt.noun import noun


@noun
class Stuck:
    """A line, what of it was taken, and what came then.

    Attributes:
        line: The line.
        seen: The terminals that were taken.
        token: The one that was not; None at the end of the line.
        wanted: The kinds of terminals that would have been.
    """

    line: Line
    seen: tuple[Token, ...]
    token: Token | None
    wanted: frozenset[str]
