"""The text of a scalar comes in; how YAML has to write it, so that the same text comes out again, goes out.

A text stands as it is where it can. It needs quotes where YAML would read something else: a number, a
boolean, a null; a comment (` #`), a key (`: `) or a sign of YAML's own at its start; inside brackets a comma
or a bracket; and where the reader would suspect that a comma has cut an expression in two.
"""

from flowc.read_yaml.cuts import unclosed
from flowc.read_yaml.scalars import core_value
from flowc.tree import Scalar
from flowrt.pattern import pattern

LONGEST_KEY = 500
"""YAML wants the colon within 1,024 characters, and quotes may double them."""

_FIRST = frozenset("-?:,[]{}#&*!|>'\"%@`")
_SOME = frozenset("-?:")
"""These may begin a text when no blank, and inside brackets no comma or bracket, follows."""

_CUT = pattern(
    r":(?=\s|\Z)|(?<=\s)#|[^ -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_CUT_IN_BRACKETS = pattern(r"[,\[\]{}]|:(?=[,\[\]{}\"'])")
_ESCAPED = pattern(r'["\\]|[^ -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}
_BYTE = 0xFF
_PLANE = 0xFFFF


def written(node: Scalar, *, in_brackets: bool) -> str:
    """A scalar on one line, in quotes where they are needed."""
    if node.style == "plain" and not isinstance(node.value, str):
        return node.text
    if is_plain(node.text, in_brackets=in_brackets):
        return node.text
    return quoted(node.text)


def is_plain(text: str, *, in_brackets: bool) -> bool:
    """Whether a text can stand without quotes and is read as this very text."""
    if not text or text != text.strip() or text.startswith(("---", "...")) or not _may_begin(text):
        return False
    if _CUT.search(text) or core_value(text) != text:
        return False
    return not in_brackets or (_CUT_IN_BRACKETS.search(text) is None and unclosed(text) is None)


def _may_begin(text: str) -> bool:
    if text[0] not in _FIRST:
        return True
    return text[0] in _SOME and len(text) > 1 and text[1] not in " \t,[]{}"


def quoted(text: str) -> str:
    """The text in the quotes that need fewer escapes: double ones unless it holds some."""
    if ('"' in text or "\\" in text) and not any(
        char not in '"\\' and _ESCAPED.match(char) for char in set(text)
    ):
        return "'" + text.replace("'", "''") + "'"
    return '"' + _ESCAPED.sub(lambda match: _escape(match[0]), text) + '"'


def _escape(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    if code <= _BYTE:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _PLANE else f"\\U{code:08x}"


def literal(text: str) -> tuple[str, list[str]] | None:
    """A text of several lines as a literal block: its header and its lines, not yet indented.

    Returns:
        None when the text has one line only, or holds what a block cannot show.
    """
    body = text.rstrip("\n")
    if (
        "\n" not in text
        or not body
        or any(char != "\n" and _ESCAPED.match(char) and char not in '"\\' for char in set(text))
    ):
        return None
    lines = body.split("\n")
    first = next(line for line in lines if line)
    if not first.strip() or not lines[-1].strip():
        return None
    ends = len(text) - len(body)
    header = "|" + ("2" if first.startswith(" ") else "") + ("-" if not ends else "" if ends == 1 else "+")
    return header, lines + [""] * (ends - 1)
