"""The next terminal of a line comes out of its text, given what the parser would take there.

Only a parser knows whether `timeout` is a word of the language or the name of a step, so it is asked. A
keyword of Python is always one. Any other word is a keyword where no expression can stand; where both can,
at the beginning of a statement or after `retry`, it is one when what follows could not go on an expression:
in `sleep 10m` it is, in `sleep = 3`, `sleep + 3` and `sleep(3)` it is a name.

An expression ends where, outside of brackets, a word follows an operand that is none of the operators, or
at the colon at the end of the line. Where several stand in a row (`ARG`) a comma or a closing bracket ends
it as well. What lies between is not looked into.
"""

import re
from collections.abc import Container, Mapping
from typing import Literal, TypeAlias

from flowrt.expr.durations import parse_duration, parse_size
from flowrt.noun import noun
from flowrt.pattern import pattern


@noun
class Token:
    """A terminal of the grammar, and where it stands."""

    kind: str
    text: str
    start: int
    end: int


Cut: TypeAlias = Literal["EXPR", "ARG", "TYPE"]

HARD = frozenset(
    "if elif else for while try finally with as return raise break continue pass".split()  # noqa: SIM905
)
"""Keywords of Python: never names."""

OPERATORS = frozenset({"and", "or", "not", "in", "is", "if", "else", "for"})
"""The words that go on an expression."""

_SPACE = pattern(r"(?:[ \t\r\n]+|\\\r?\n|\#[^\n]*)+")
_NAME = pattern(r"[^\W\d]\w*")
_STRING = pattern(
    r"\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|\"(?:[^\\\"\n]|\\.)*\"|'(?:[^\\'\n]|\\.)*'", re.DOTALL
)
_CLASS = pattern(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*(?::[^\W\d]\w*(?:\.[^\W\d]\w*)*)?")
_MODULE = pattern(r"\"[^\"\n]*\"|'[^'\n]*'|[^\s\"'#]+")
_QUANTITY = pattern(r"\d+(?:\.\d+)?[A-Za-z]\w*(?:\.\d+[a-z]+)*")
_DURATION = pattern(r"(?:\d[\w.]*|P(?=[T\d])[\dTWDHMS.]+)(?!\w|\s*[-+*/%<>=!.(\[])")
_PLAIN: Mapping[str, re.Pattern[str]] = {
    "NAME": _NAME,
    "STRING": _STRING,
    "DURATION": _DURATION,
    "QUANTITY": _QUANTITY,
    "CLASS": _CLASS,
    "MODULE": _MODULE,
}
_SOFT = pattern(
    r"(?:[ \t]*:\Z"  # `race:`
    r"|[ \t]*(?:\d|[rRuUbBfF]{0,2}[\"'])"  # `sleep 10m`
    r"|[ \t]+(?!(?:and|or|in|is|if|else|for)\b|not\s+in\b)[^\W\d]"  # `wait approval`
    r"|[ \t]+[(\[{]"  # `result [a]`
    r"|[ \t]+[-+](?=[\w.(]))"  # `result -a`
)
_PIECE = pattern(
    r"""(?P<space>[ \t\r\n]+|\\\r?\n|\#[^\n]*)
    |(?P<operand>[rRbBuUfF]{0,2}(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|\"(?:[^\\\"\n]|\\.)*\"|'(?:[^\\'\n]|\\.)*')
        |\d[\w.]*|\.\d\w*)
    |(?P<word>[^\W\d]\w*)
    |(?P<open>[(\[{])|(?P<close>[)\]}])
    |(?P<other>==|!=|<=|>=|->|.)""",
    re.VERBOSE | re.DOTALL,
)


class Lexer:
    """Walks through one line; `words` are the keywords and marks with their terminals."""

    def __init__(self, text: str, start: int, end: int, words: Mapping[str, str]) -> None:
        """The line goes from `start` to `end` of `text`."""
        self.text = text
        self.at = start
        self.end = end
        self._words = words

    def next(self, wanted: Container[str]) -> Token | None:
        """The next terminal, one of those wanted if there is any there; None at the end of the line."""
        space = _SPACE.match(self.text, self.at, self.end)
        if space is not None:
            self.at = space.end()
        if self.at >= self.end:
            return None
        token = self._keyword(wanted) or self._plain(wanted) or self._mark(wanted) or self._cut(wanted)
        if token is None:
            token = self._unwanted()
        self.at = token.end
        return token

    def _made(self, kind: str, end: int) -> Token:
        return Token(kind, self.text[self.at : end], self.at, end)

    def _keyword(self, wanted: Container[str]) -> Token | None:
        found = _NAME.match(self.text, self.at, self.end)
        kind = self._words.get(found[0]) if found is not None else None
        if found is None or kind is None:
            return None
        word, after = found[0], found.end()
        if word in HARD:
            return self._made(kind, after)
        if kind not in wanted:
            return None
        also_expression = "EXPR" in wanted or "ARG" in wanted
        if not also_expression or word == "never" or self._is_soft(word, after):
            return self._made(kind, after)
        return None

    def _is_soft(self, word: str, after: int) -> bool:
        """Whether what follows a word cannot go on an expression that begins with it."""
        if word == "fail" and self.text.startswith("(", after):
            return True
        return _SOFT.match(self.text[after : self.end]) is not None

    def _plain(self, wanted: Container[str]) -> Token | None:
        """What stands there as it is: names, texts, durations, sizes, classes, modules."""
        for kind, form in _PLAIN.items():
            if kind in wanted:
                found = form.match(self.text, self.at, self.end)
                if found is not None and self._fits(kind, found, wanted):
                    return self._made(kind, found.end())
        return None

    def _fits(self, kind: str, found: re.Match[str], wanted: Container[str]) -> bool:
        """Whether a text is what it looks like, also where an expression could stand."""
        match kind:
            case "NAME":
                return "EXPR" not in wanted or self._is_assigned(found.end())
            case "STRING":
                return "EXPR" not in wanted or found.end() == self.end
            case "QUANTITY":
                return (parse_duration(found[0]) or parse_size(found[0])) is not None
            case _:
                return True

    def _is_assigned(self, after: int) -> bool:
        """Whether a single `=` follows."""
        space = _SPACE.match(self.text, after, self.end)
        at = space.end() if space is not None else after
        return self.text.startswith("=", at) and not self.text.startswith("==", at)

    def _mark(self, wanted: Container[str]) -> Token | None:
        if _NAME.match(self.text, self.at, self.end):
            return None  # A word is looked at as a whole: `done` does not begin with `do`.
        for length in (2, 1):
            kind = self._words.get(self.text[self.at : self.at + length])
            if kind is not None and kind in wanted:
                return self._made(kind, self.at + length)
        return None

    def _cut(self, wanted: Container[str]) -> Token | None:
        kinds: tuple[Cut, ...] = ("EXPR", "ARG", "TYPE")
        for kind in kinds:
            if kind in wanted:
                end = find_end(self.text, self.at, self.end, kind)
                return self._made(kind, end) if end > self.at else None
        return None

    def _unwanted(self) -> Token:
        """Something that does not belong here, as long as a message should show it."""
        found = _PIECE.match(self.text, self.at, self.end)
        assert found is not None  # The last alternative takes any character.
        kind = self._words.get(found[0], "NAME" if found.lastgroup == "word" else "OTHER")
        return self._made(kind, found.end())


def find_end(text: str, start: int, end: int, kind: Cut) -> int:
    """Where the expression or type that begins at `start` ends, in the line that ends at `end`."""
    depth, at, last = 0, start, start
    operand = False
    while at < end:
        found = _PIECE.match(text, at, end)
        assert found is not None  # The last alternative takes any character.
        what, piece = found.lastgroup, found[0]
        if what != "space" and depth == 0 and _ends(text, found, end, kind, operand=operand):
            break
        at = found.end()
        match what:
            case "space":
                continue
            case "open":
                depth += 1
            case "close":
                depth -= 1
                operand = True
            case "word":
                operand = piece not in OPERATORS
            case _:
                operand = what == "operand"
        if what == "open":
            operand = False
        last = at
    return last


def _ends(text: str, found: re.Match[str], end: int, kind: Cut, *, operand: bool) -> bool:
    """Whether an expression ends before a piece outside of brackets; `operand`: it could."""
    piece = found[0]
    match found.lastgroup:
        case "word":
            if piece == "else" and _is_last_colon(text, found.end(), end):
                return True
            return operand and (piece not in OPERATORS or kind == "TYPE")
        case "close":
            return True
        case "other":
            if piece == ":":
                return _is_last_colon(text, found.start(), end)
            return (piece == "," and kind != "EXPR") or (piece == "=" and kind == "TYPE")
        case _:
            return False


def _is_last_colon(text: str, at: int, end: int) -> bool:
    """Whether nothing but a colon stands in the rest of the line."""
    return text[at:end].strip() == ":"
