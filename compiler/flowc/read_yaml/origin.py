"""A scalar of the file and its decoded text come in; where each decoded character stands goes out.

PyYAML says where a scalar begins and ends, not where its characters come from, and a finding inside an
expression must point at the character. So the raw text is read once more, by the rules of libyaml's scanner
(`scanner.c`, `yaml_parser_scan_{plain,flow,block}_scalar`):

- In plain and quoted scalars a run of blanks with line ends in it is folded: one line end is a space, n line
  ends are n - 1 line feeds. Blanks around line ends are dropped.
- `''` in single quotes is one quote; in double quotes a backslash begins an escape, and one at the end
  of a line joins the lines without a space.
- In a block scalar each line loses the indentation of the block. In a folded one (`>`) the line end between
  two lines that do not begin with a blank is a space, or nothing when empty lines follow, which then stand
  for themselves. The last line ends are kept, cut to one or dropped, as the first line says.

The second reading is trusted only when it gives the very text that PyYAML gave; otherwise every character is
said to stand at the start of the scalar. Most scalars stand in the file as they are, and need none of this:
their map is one number.
"""

import re

from flowc.tree import Style
from flowrt.pattern import pattern

LENGTH_LIMIT = 200_000
"""Longer texts, which no expression can be, are not mapped: one integer a character is a lot of memory."""

Origin = int | tuple[int, ...]

_BLANKS = r"[ \t]+(?:\r?\n[ \t]*)*|(?:\r?\n[ \t]*)+"
_ESCAPE = r"\\(?:x..|u.{4}|U.{8}|(?:\r?\n[ \t]*)+|.)"
_PIECES = {
    "plain": pattern(_BLANKS),
    "single": pattern(_BLANKS + "|''"),
    "double": pattern(_BLANKS + "|" + _ESCAPE, re.DOTALL),
}
_LINE_END = pattern(r"\r?\n")
_HEX_ESCAPES = frozenset("xuU")
_SIMPLE_ESCAPES = {
    "0": "\0",
    "a": "\a",
    "b": "\b",
    "t": "\t",
    "\t": "\t",
    "n": "\n",
    "v": "\v",
    "f": "\f",
    "r": "\r",
    "e": "\x1b",
    " ": " ",
    '"': '"',
    "/": "/",
    "\\": "\\",
    "N": "\x85",
    "_": "\xa0",
    "L": "\u2028",
    "P": "\u2029",
}


def find_origin(text: str, start: int, end: int, value: str, style: Style) -> Origin:
    """Where the characters of a scalar stand.

    Args:
        text: The text of the file.
        start: Where the scalar begins, without anchor: at its quote or `|` if it has one.
        end: Where it ends, exclusive.
        value: Its decoded text.
        style: How it is written.

    Returns:
        The offset of the first character if all follow it as they are, else an offset for each character.
    """
    if style in {"literal", "folded"}:
        return _checked(_block(text, start, end, value, style), value, start)
    first, last = (start, end) if style == "plain" else (start + 1, end - 1)
    if last - first == len(value) and text.startswith(value, first):
        return first
    return _checked(_folded(text, first, last, style), value, start)


class _Decoded:
    """Decoded text in pieces, and the offset of each character of it."""

    __slots__ = ("offsets", "pieces")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.offsets: list[int] = []

    def copy(self, text: str, start: int, end: int) -> None:
        """Characters that stand in the file as they are."""
        self.pieces.append(text[start:end])
        self.offsets.extend(range(start, end))

    def put(self, piece: str, offset: int) -> None:
        """Characters that stand for what is written at one offset."""
        self.pieces.append(piece)
        self.offsets.extend([offset] * len(piece))


def _checked(decoded: _Decoded | None, value: str, start: int) -> Origin:
    if decoded is not None and "".join(decoded.pieces) == value:
        return tuple(decoded.offsets)
    if len(value) > LENGTH_LIMIT:
        return start
    return (start,) * len(value)


def _folded(text: str, start: int, end: int, style: Style) -> _Decoded | None:
    """The decoding of a plain or quoted scalar; `start` and `end` are inside the quotes."""
    if end - start > LENGTH_LIMIT:
        return None
    decoded = _Decoded()
    at = start
    for match in _PIECES[style].finditer(text, start, end):
        piece, here = match.group(), match.start()
        decoded.copy(text, at, here)
        at = match.end()
        if piece == "''":
            decoded.put("'", here)
        elif piece[0] == "\\":
            _escape(decoded, piece, here)
        else:
            _fold(decoded, text, here, at)
    decoded.copy(text, at, end)
    return decoded


def _fold(decoded: _Decoded, text: str, start: int, end: int) -> None:
    """A run of blanks, perhaps with line ends in it."""
    ends = [match.start() for match in _LINE_END.finditer(text, start, end)]
    if not ends:
        decoded.copy(text, start, end)
    elif len(ends) == 1:
        decoded.put(" ", ends[0])
    else:
        for offset in ends[1:]:
            decoded.put("\n", offset)


def _escape(decoded: _Decoded, piece: str, offset: int) -> None:
    kind = piece[1]
    if kind in "\r\n":
        for match in list(_LINE_END.finditer(piece))[1:]:
            decoded.put("\n", offset + match.start())
    elif kind in _HEX_ESCAPES:
        decoded.put(chr(int(f"0x{piece[2:]}", base=0)), offset)
    else:
        decoded.put(_SIMPLE_ESCAPES.get(kind, kind), offset)


def _block(text: str, start: int, end: int, value: str, style: Style) -> _Decoded | None:
    """The decoding of a block scalar.

    Its indentation, when given as a digit, counts from a parent that is not known here, so the columns up to
    that of the text are tried.
    """
    if end - start > LENGTH_LIMIT:
        return None
    header_end = text.find("\n", start, end)
    if header_end < 0:
        return _Decoded()
    header = text[start:header_end].partition("#")[0]
    lines = _block_lines(text, header_end + 1, end)
    widths = [_indent(text, *line) for line in lines if text[line[0] : line[1]].strip(" ")]
    if not any(digit in header for digit in "123456789"):
        columns = widths[:1] or [max((line[1] - line[0] for line in lines), default=0)]
    else:
        columns = list(range(min(widths, default=0) + 1))
    chomping = "+" if "+" in header else "-" if "-" in header else ""
    for column in columns:
        decoded = _Decoded()
        _join(
            decoded, text, [(min(a + column, b), b, c) for a, b, c in lines], chomping, fold=style == "folded"
        )
        if "".join(decoded.pieces) == value:
            return decoded
    return None


Line = tuple[int, int, int]
"""Where a line starts, where its text ends, and where the next line starts."""


def _block_lines(text: str, start: int, end: int) -> list[Line]:
    lines: list[Line] = []
    while start < end:
        at = text.find("\n", start, end)
        stop = end if at < 0 else at
        last = stop - 1 if stop > start and at >= 0 and text[stop - 1] == "\r" else stop
        lines.append((start, last, end if at < 0 else at + 1))
        start = lines[-1][2]
    return lines


def _indent(text: str, start: int, end: int, _next: int) -> int:
    line = text[start:end]
    return len(line) - len(line.lstrip(" "))


def _join(decoded: _Decoded, text: str, lines: list[Line], chomping: str, *, fold: bool) -> None:
    """The lines without their indentation: what is empty now is an empty line."""
    full = [number for number, (start, end, _) in enumerate(lines) if end > start]
    last = full[-1] if full else -1
    for number, (start, end, after) in enumerate(lines[: last + 1]):
        decoded.copy(text, start, end)
        if number < last:
            _line_end(decoded, text, lines, number, fold=fold)
        elif chomping != "-" and after > end:
            decoded.put("\n", end)
    if chomping == "+":
        for _, end, _after in lines[last + 1 :]:
            decoded.put("\n", end)


def _line_end(decoded: _Decoded, text: str, lines: list[Line], number: int, *, fold: bool) -> None:
    """What the end of a line before the last one stands for."""
    start, end, _ = lines[number]
    if not fold or start == end or text[start] in " \t":
        decoded.put("\n", end)
        return
    following = number + 1
    while lines[following][0] == lines[following][1]:
        following += 1
    if text[lines[following][0]] in " \t":
        decoded.put("\n", end)
    elif following == number + 1:
        decoded.put(" ", end)
