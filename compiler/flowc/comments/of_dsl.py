"""The text of a `.flow` file comes in; its comments go out.

A `#` begins a comment wherever it stands outside of quotes, also inside of brackets, as in Python.
"""

import re

from flowc.comments.comment import Comment
from flowc.span import Source
from flowrt.pattern import pattern

_PIECE = pattern(
    r"""\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''
    |\"(?:[^\\\"\n]|\\.)*\"|'(?:[^\\'\n]|\\.)*'
    |(?P<comment>\#[^\n]*)""",
    re.VERBOSE | re.DOTALL,
)


def comments_of_dsl(source: Source) -> tuple[Comment, ...]:
    """The comments of a text, in order."""
    text = source.text
    if "#" not in text:
        return ()
    found: list[Comment] = []
    for piece in _PIECE.finditer(text):
        if piece["comment"] is not None:
            start = piece.start()
            line = text.rfind("\n", 0, start) + 1
            own = not text[line:start].strip()
            found.append(Comment(start, piece["comment"].rstrip(), start - line, own))
    return tuple(found)
