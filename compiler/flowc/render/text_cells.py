"""How text looks on a terminal: a line comes in, the text to print and the cells it takes go out."""

from flowrt.pattern import pattern

_TAB = "    "
_UNSEEN = pattern("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
"""What would move the cursor, reorder the line, or not show: control, direction and invisible characters."""


def printable(text: str) -> str:
    """The text with tabs as four spaces, and U+FFFD for every character that would not print."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub("\ufffd", text.replace("\t", _TAB))


def cells(text: str) -> int:
    """The cells that a printable text takes: two for wide characters and emoji, none for combining ones."""
    if text.isascii():
        return len(text)
    import unicodedata  # noqa: PLC0415 - most flows are ASCII, and `validate` starts faster without it.

    width = 0
    for char in text:
        if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
            continue
        width += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return width
