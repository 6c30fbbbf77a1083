"""Lines come in from a writer, one by one; a text with the comments and blank lines between them goes out."""

from flowc.comments.comment import Comment
from flowc.comments.trivia import Trivia
from flowc.span import Source

NO_COLUMN = 1_000_000_000
"""Of a block that is written in brackets: only what stands inside of these belongs to it."""


class Page:
    """The lines of a file. `lead` is what the next one begins with, instead of blanks: dashes of YAML."""

    def __init__(self, source: Source, comments: tuple[Comment, ...]) -> None:
        """An empty page; `comments` are those of `source`."""
        self.text = source.text
        self.trivia = Trivia(source, comments)
        self.lines: list[str] = []
        self.lead = ""
        self._fresh = True

    def line(self, indent: int, text: str, end: int | None, comment: Comment | None = None) -> None:
        """Add a line, with the comment behind what ends at `end` in the source, or the one given."""
        self.lines.append((self.lead or " " * indent) + text)
        self.lead, self._fresh = "", False
        if comment is None and end is not None:
            comment = self.trivia.behind(end)
        if comment is not None:
            self.attach(comment)

    def raw(self, lines: list[str]) -> None:
        """Add lines that are what they are, such as those of a text."""
        self.lines += lines
        self._fresh = False

    def attach(self, *comments: Comment) -> None:
        """Put comments behind the last line."""
        for comment in comments:
            self.lines[-1] += f"  {comment.text}"

    def before(self, bound: int, start: int, indent: int) -> None:
        """Add the comments above a node that starts at `start`, and a blank line where there is one."""
        self.comments(self.trivia.before(bound), indent)
        if self.trivia.blank_before(start):
            self.blank()

    def ending(self, column: int, limit: int, end: int, indent: int) -> None:
        """Add the comments at the end of a block: see `Trivia.ending`."""
        self.comments(self.trivia.ending(column, limit, end), indent)

    def comments(self, comments: list[Comment], indent: int) -> None:
        """Add comments on lines of their own."""
        if self.lead:
            indent = len(self.lead) - len(self.lead.lstrip())
        for comment in comments:
            if comment.own_line and self.trivia.blank_before(comment.start):
                self.blank()
            self.lines.append(" " * indent + comment.text)
            self._fresh = False

    def blank(self) -> None:
        """Add a blank line, unless there is one or a block begins here."""
        if not self._fresh and not self.lead and self.lines and self.lines[-1]:
            self.lines.append("")

    def begin(self) -> None:
        """A block begins: it does not begin with a blank line."""
        self._fresh = True

    def drop_blank_lines(self) -> None:
        """Take back the blank lines at the end."""
        while self.lines and not self.lines[-1]:
            self.lines.pop()

    def column(self, offset: int) -> int:
        """The column of an offset of the source, from 0."""
        return offset - self.text.rfind("\n", 0, offset) - 1

    def finished(self) -> str:
        """The text, with the comments that are left."""
        self.comments(self.trivia.before(len(self.text) + 1), 0)
        return "\n".join(self.lines) + "\n"


def bounds(starts: list[int], limit: int) -> list[int]:
    """For each start the least of it and those that follow; then the limit.

    The parts of a node need not stand in the text in the order in which they are in the tree.
    """
    least = [limit]
    for start in reversed(starts):
        least.append(min(start, least[-1]))
    least.reverse()
    return least
