"""A comment, as a noun: what the scans of both syntaxes give, and what the writers put back."""

from flowrt.noun import noun


@noun
class Comment:
    """A comment of the author's text.

    Attributes:
        start: the offset of its `#`.
        text: from the `#` to the end of the line, without blanks at the end.
        column: how many characters stand before it on its line.
        own_line: whether these are blanks, so that the comment has its line for itself.
    """

    start: int
    text: str
    column: int
    own_line: bool
