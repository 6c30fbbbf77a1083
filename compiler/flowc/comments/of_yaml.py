"""A tree that was read from YAML comes in; the comments of its text go out.

libyaml drops comments, so they are looked for once more. A `#` begins one at the start of a line and behind
a blank, unless it stands inside a scalar, and where the scalars are is known from the tree. So this scan
need not know quotes, folding and indentation a second time. Two things are left: a block scalar (`|`, `>`)
may have a comment on its first line, behind the header, and a node that an alias repeats is in the tree
more than once.
"""

import re
from bisect import bisect_right

from flowc.comments.comment import Comment
from flowc.comments.scalars import scalars_of
from flowc.tree import Tree
from flowrt.pattern import pattern

_COMMENT = pattern(r"(?:(?<=[ \t\n])|\A)#[^\n]*", re.MULTILINE)
_BLOCK_STYLES = ("literal", "folded")


def comments_of_yaml(tree: Tree) -> tuple[Comment, ...]:
    """The comments of the tree's text, in order. The tree has to be whole."""
    text = tree.source.text
    if "#" not in text:
        return ()
    starts, ends = _scalar_spans(tree)
    found: list[Comment] = []
    at = 0
    while (match := _COMMENT.search(text, at)) is not None:
        start = match.start()
        index = bisect_right(starts, start) - 1
        if index >= 0 and start < ends[index]:
            at = max(start + 1, ends[index])
            continue
        at = match.end()
        line = text.rfind("\n", 0, start) + 1
        own = not text[line:start].strip()
        found.append(Comment(start, match[0].rstrip(), start - line, own))
    return tuple(found)


def _scalar_spans(tree: Tree) -> tuple[list[int], list[int]]:
    """Where scalars start and end, in order; of a block scalar without its first line."""
    text = tree.source.text
    spans: dict[int, int] = {}
    for scalar in scalars_of(tree):
        start = scalar.span.start
        if scalar.style in _BLOCK_STYLES:
            start = text.find("\n", start, scalar.span.end)
        if 0 <= start < scalar.span.end:
            spans[start] = scalar.span.end
    starts = sorted(spans)
    return starts, [spans[start] for start in starts]
