"""Comments and blank lines, handed out to a writer by the places of the nodes that it writes.

A writer walks the tree in its own order, which need not be that of the text, and asks at each node for the
comments that belong there:

- what stands on lines of its own before the node (`before`);
- what stands behind it on its line (`behind`), when nothing but closing punctuation is between the two;
- what stands at the end of a block (`ending`), in a column that says that it belongs to the block and not
  to what follows.

Each comment is handed out once. What no node has asked for comes out before the next one that is written, or
at the end of the file, so that none is ever lost.
"""

from bisect import bisect_left
from collections.abc import Sequence

from flowc.comments.comment import Comment
from flowc.span import Source
from flowrt.pattern import pattern

_CLOSING = pattern(r"[ \t,:\]})]*")


class Trivia:
    """The comments of a file that nobody has taken yet, and its blank lines."""

    def __init__(self, source: Source, comments: Sequence[Comment]) -> None:
        """Hand out `comments`, which are in the order of the text."""
        self._text = source.text
        self._left = list(comments)
        self._starts = [each.start for each in comments]

    def before(self, offset: int, start: int = 0) -> list[Comment]:
        """Take the comments that start before an offset, and not before `start`."""
        first, last = bisect_left(self._starts, start), bisect_left(self._starts, offset)
        return self._take(first, last)

    def behind(self, end: int) -> Comment | None:
        """Take the comment at the end of the line on which a node ends, if it is the node's."""
        index = bisect_left(self._starts, end)
        return self._take(index, index + 1)[0] if self.has_behind(end) else None

    def has_behind(self, end: int) -> bool:
        """Whether there is a comment that `behind` would take."""
        index = bisect_left(self._starts, end)
        if index == len(self._left):
            return False
        comment = self._left[index]
        return not comment.own_line and _CLOSING.fullmatch(self._text, end, comment.start) is not None

    def ending(self, column: int, limit: int, start: int) -> list[Comment]:
        """Take the comments at the end of a block.

        Args:
            column: Of the block; a comment further to the left ends it.
            limit: Where the node after the block starts.
            start: Where the block ends; comments before it are taken whatever their column.
        """
        index = 0
        while index < len(self._left) and self._starts[index] < limit:
            comment = self._left[index]
            if comment.start >= start and (not comment.own_line or comment.column < column):
                break
            index += 1
        return self._take(0, index)

    def is_any_between(self, start: int, end: int) -> bool:
        """Whether a comment that nobody has taken starts there."""
        return bisect_left(self._starts, start) < bisect_left(self._starts, end)

    def blank_before(self, offset: int) -> bool:
        """Whether what stands at `offset` is the first on its line, and the line before is blank."""
        end = self._text.rfind("\n", 0, offset)
        if self._text[end + 1 : offset].strip(" \t-"):
            return False
        return end >= 0 and not self._text[self._text.rfind("\n", 0, end) + 1 : end].strip()

    def _take(self, first: int, last: int) -> list[Comment]:
        taken = self._left[first:last]
        del self._left[first:last]
        del self._starts[first:last]
        return taken
