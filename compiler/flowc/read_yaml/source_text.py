"""The bytes of a flow file come in; its text goes out as a `Source`, with findings about what is not text.

YAML knows line ends and spaces that no editor shows as such (U+0085, U+2028, a carriage return alone), and
the reader of PyYAML stops with an exception at control characters and lone surrogates. All of them are found
here first, so that what comes after sees only text whose lines end with a line feed.
"""

import re
from collections.abc import Callable

from flowc.diagnostic import Diagnostic, Fix
from flowc.span import Source, Span
from flowrt.pattern import pattern

SIZE_LIMIT = 4 * 1024 * 1024
"""In bytes where there are bytes, in characters where there is only text."""

_FINDINGS_LIMIT = 10
_LATIN = 0xFF

_FOREIGN_IN_ASCII = pattern("[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
_FOREIGN = pattern(
    "[^\n\r\t -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)
"""Compiling it takes longer than reading most flows, so it is used only where a text has such characters."""

_HARD_SPACE = pattern("^[ \t]*(\xa0[\xa0 \t]*)", re.MULTILINE)

_NAMES = {
    "\r": "a carriage return without a line feed",
    "\x00": "a NUL character",
    "\x85": "a line end that no editor shows (U+0085)",
    "\u2028": "a line end that no editor shows (U+2028)",
    "\u2029": "a line end that no editor shows (U+2029)",
    "\ufeff": "an invisible byte order mark (U+FEFF)",
}


def decode(name: str, data: bytes) -> tuple[Source, list[Diagnostic]]:
    """The text of a file. A byte order mark of UTF-8 at the start is no part of it.

    Returns:
        The source, with replacement characters where the bytes are not UTF-8, and at most one finding: with
        a finding the text is for showing the place only.
    """
    if len(data) > SIZE_LIMIT:
        head = data[:200].decode("utf-8", "replace").partition("\n")[0]
        return _refused(Source(name, head), _too_large)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:4].count(0) in {2, 3}:
        return _refused(Source(name, _utf16(data)), _other_encoding)
    try:
        return Source(name, data.decode("utf-8").removeprefix("\ufeff")), []
    except UnicodeDecodeError as error:
        at = len(data[: error.start].decode("utf-8").removeprefix("\ufeff"))
        source = Source(name, data.decode("utf-8", "replace").removeprefix("\ufeff"))
        return source, [
            Diagnostic(
                "F0001",
                f"the byte 0x{data[error.start]:02x} is not UTF-8",
                source,
                Span(at, at + 1),
                help="save the file in the encoding UTF-8",
            )
        ]


def foreign_characters(source: Source) -> list[Diagnostic]:
    """Findings about characters that a flow file cannot hold: the first few, there may be millions."""
    if len(source.text) > SIZE_LIMIT:
        return [_too_large(source)]
    text = source.text
    found: list[Diagnostic] = []
    beyond_ascii = not text.isascii() and any(map(_is_foreign, set(text)))
    for match in (_FOREIGN if beyond_ascii else _FOREIGN_IN_ASCII).finditer(text):
        found.append(_foreign(source, match.start()))
        if len(found) == _FINDINGS_LIMIT:
            return found
    if "\xa0" in text:
        for match in _HARD_SPACE.finditer(text):
            found.append(_hard_space(source, Span(*match.span(1))))
            if len(found) >= _FINDINGS_LIMIT:
                break
    return found


def _is_foreign(char: str) -> bool:
    """Whether a character beyond ASCII cannot stand in a flow file: what `_FOREIGN` finds, one at a time."""
    return "\x80" <= char < "\xa0" or "\ud800" <= char <= "\udfff" or char in "\u2028\u2029\ufeff\ufffe\uffff"


def _refused(source: Source, why: Callable[[Source], Diagnostic]) -> tuple[Source, list[Diagnostic]]:
    return source, [why(source)]


def _too_large(source: Source) -> Diagnostic:
    return Diagnostic(
        "F0002",
        "the file is larger than 4 MiB",
        source,
        Span(0, 0),
        help="keep data out of the flow: load it in a task",
    )


def _other_encoding(source: Source) -> Diagnostic:
    return Diagnostic(
        "F0001",
        "the file is UTF-16 or UTF-32, not UTF-8",
        source,
        Span(0, 0),
        help="save the file in the encoding UTF-8",
    )


def _utf16(data: bytes) -> str:
    """The start of the text, as well as it can be shown."""
    big = data.startswith(b"\xfe\xff") or data[:1] == b"\0"
    return (
        data[:400].decode("utf-16-be" if big else "utf-16-le", "replace").partition("\n")[0].lstrip("\ufeff")
    )


def _foreign(source: Source, at: int) -> Diagnostic:
    char = source.text[at]
    name = _NAMES.get(char, f"the character U+{ord(char):04X}, which is not text")
    if char == "\r":
        return Diagnostic(
            "F0001",
            f"here is {name}",
            source,
            Span(at, at + 1),
            help="save the file with the line ends of Unix or Windows",
            fixes=(Fix(Span(at, at + 1), "\n", "end the line with a line feed", safe=True),),
        )
    escape = f"\\u{ord(char):04x}" if ord(char) > _LATIN else f"\\x{ord(char):02x}"
    return Diagnostic(
        "F0001",
        f"here is {name}",
        source,
        Span(at, at + 1),
        help=f'remove it; a text that needs it is written in double quotes with the escape "{escape}"',
        fixes=(Fix(Span(at, at + 1), "", "remove the character"),),
    )


def _hard_space(source: Source, span: Span) -> Diagnostic:
    width = span.end - span.start
    return Diagnostic(
        "F0001",
        "the line is indented with no-break spaces (U+00A0), which count as text",
        source,
        span,
        help="replace them with ordinary spaces",
        fixes=(Fix(span, " " * width, "indent with ordinary spaces", safe=True),),
    )
