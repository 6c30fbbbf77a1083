"""The text of an expression comes in; the same on one line, or with a line for each argument, goes out.

Only what stands between the tokens is touched: line ends, and comments, which a writer puts elsewhere.
Strings stay what they are, those in three quotes with their line ends.
"""

import re
from collections.abc import Iterator

from flowrt.pattern import pattern

_PIECE = pattern(
    r"""(?P<string>[rRbBuUfF]{0,2}(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|\"(?:[^\\\"\n]|\\.)*\"|'(?:[^\\'\n]|\\.)*'))
    |(?P<space>(?:[ \t\r\n]|\\\r?\n|\#[^\n]*)+)
    |(?P<word>[^\W\d]\w*)
    |(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<comma>,)
    |.""",
    re.VERBOSE | re.DOTALL,
)
_LAST_COMMA = pattern(r"\s*,\s*\)\Z")


def on_one_line(text: str) -> str:
    """An expression without line ends and comments outside of its strings."""
    if "\n" not in text and "#" not in text:
        return _without_last_comma(text.strip())
    parts: list[str] = []
    for piece in _PIECE.finditer(text.strip()):
        if piece.lastgroup == "space" and ("\n" in piece[0] or "#" in piece[0]):
            if parts and parts[-1] not in ("(", "[", "{"):
                parts.append(" ")
        else:
            if piece.lastgroup == "close" and parts and parts[-1] == " ":
                parts.pop()
            parts.append(piece[0])
    return _without_last_comma("".join(parts).strip())


def _without_last_comma(text: str) -> str:
    """A call without the comma behind its last argument, which stands where each has a line of its own."""
    if _LAST_COMMA.search(text) is None or text[0] == "(":
        return text
    return text if spread(text) is None else _LAST_COMMA.sub(")", text)


def spread(text: str) -> tuple[str, list[str], str] | None:
    """A call, a list or a map, as what stands before its parts, its parts, and its closing bracket.

    Returns:
        None for what is none, has no parts, or cannot have each on a line of its own.
    """
    pieces = list(_PIECE.finditer(text))
    if not pieces or pieces[-1].lastgroup != "close":
        return None
    opened = _opening(pieces)
    inside = pieces[opened + 1 : -1] if opened is not None else []
    if opened is None or not inside or not _may_open(pieces[: opened + 1]):
        return None
    parts = list(_split(inside))
    many = len(parts) > 1
    lines = [f"{part}," if many else part for part in parts]
    return text[: pieces[opened].end()], lines, pieces[-1][0]


def _opening(pieces: list[re.Match[str]]) -> int | None:
    """The index of the bracket that the last piece closes, when all before it is a name or nothing."""
    depth = 0
    for index in range(len(pieces) - 1, -1, -1):
        kind = pieces[index].lastgroup
        depth += (kind == "close") - (kind == "open")
        if depth == 0:
            return index
    return None


def _may_open(before: list[re.Match[str]]) -> bool:
    """Whether what stands before the parts is a bracket alone, or a callee and its bracket."""
    *callee, bracket = before
    if not callee:
        return bracket[0] != "("
    return bracket[0] == "(" and all(piece.lastgroup == "word" or piece[0] in (".", ":") for piece in callee)


def _split(pieces: list[re.Match[str]]) -> Iterator[str]:
    """The parts between the commas; one part when it is a comprehension, whose commas are others."""
    depth = 0
    marks: list[re.Match[str]] = []
    for piece in pieces:
        kind = piece.lastgroup
        depth += (kind == "open") - (kind == "close")
        if depth == 0 and kind == "comma":
            marks.append(piece)
        if depth == 0 and kind == "word" and piece[0] == "for":
            marks = []
            break
    text = pieces[0].string
    start = pieces[0].start()
    for mark in marks:
        yield text[start : mark.start()].strip()
        start = mark.end()
    rest = text[start : pieces[-1].end()].strip()
    if rest:
        yield rest
