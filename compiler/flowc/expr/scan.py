"""The text of an expression in; its tokens, and findings that a parser could not word as well, out.

Python's parser does the parsing. This scan runs before it, for three reasons. It keeps the parser safe:
brackets nested too deeply, or operators chained too long, would exhaust the parser's stack. It finds what
is written in the habits of other languages (`&&`, `null`, `? :`) and what the language leaves out of Python
(`lambda`, `:=`, `await`), and says what to write instead. And it finds the f-strings: how Python cuts them
into tokens, and what places it gives to the parts, differs between 3.11 and 3.12, and the language must not.
An f-string ends at the first quote that is not escaped, as in 3.11.
"""

import keyword
import re

from flowc.expr.foreign import FOREIGN, FOREIGN_NAMES, Foreign, beyond_ascii
from flowc.expr.literals import check_number, check_text, left_out
from flowc.expr.place import Place
from flowc.expr.token import OPENERS, WORDS, Token, ends_operand, starts_operand
from flowrt.noun import field, noun
from flowrt.pattern import pattern

MAX_LENGTH = 10_000
MAX_DEPTH = 100
MAX_CHAIN = 400
"""The parser's stack holds 6,000 levels; a bracket takes about 25, a link of a chain at most 3."""

_CONTROL = pattern("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_QUOTES = (
    r"\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''"
    r"|\"(?!\"\")(?:[^\\\"\n]|\\.)*\"|'(?!'')(?:[^\\'\n]|\\.)*'"
)
_TOKEN = pattern(
    rf"""(?P<space>[ \t\r\n]+|\\\r?\n|\#[^\n]*)
    |(?P<string>(?:[rR]?[bBfF]|[bBfF][rR]|[rRuU])?(?:{_QUOTES}))
    |(?P<number>0[xXoObB][0-9a-fA-F_]+(?![\w.])|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9][0-9_]*)?\w*)
    |(?P<name>[^\W\d]\w*)
    |(?P<op>===|!==|\.\.\.|\$\{{\{{|&&|\|\||\?\?|\?\.|\*\*|//|<<|>>|<=|>=|==|!=|<>|->|=>|:=|.)""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = pattern(r"[^\W\d]\w*(?:,? \w+)+[.!?]?")
"""A text whose author forgot that it stands in a place for expressions."""
_SENTENCE = 80
_CONSTANTS = frozenset({"None", "True", "False"})
_LINKS = frozenset({"+", "-", "*", "/", "//", "%", "**", ".", "not", "if"})


@noun(frozen=False)
class _Level:
    """An open bracket (or the whole text): where it stands, whether it is a call's, and its chain so far."""

    opener: str
    start: int
    call: bool = False
    chain: int = 0


@noun(frozen=False)
class _State:
    text: str
    place: Place
    tokens: list[Token] = field(default_factory=list[Token])
    levels: list[_Level] = field(default_factory=list[_Level])
    chain: int = 0
    stop: bool = False


def scan(text: str, place: Place) -> list[Token] | None:
    """The tokens of an expression, without blanks and comments; None when there were findings."""
    before = len(place.found)
    if len(text) > MAX_LENGTH:
        place.report(
            "F0309",
            0,
            1,
            f"the expression has {len(text):,} characters; {MAX_LENGTH:,} are the most",
            "give parts of it to steps of their own, or move the data into a task",
        )
        return None
    bad = None if text.isprintable() else _CONTROL.search(text)
    if bad:
        name = f"U+{ord(bad[0]):04X}"
        place.report(
            "F0310",
            bad.start(),
            bad.end(),
            f"the character {name} cannot stand in an expression",
            rf"inside quotes write it as an escape, such as `\x{ord(bad[0]):02x}`"
            if ord(bad[0]) < 128  # noqa: PLR2004 - ASCII
            else "it is half of a character; remove it",
        )
        return None
    state = _State(text, place, levels=[_Level("", 0)])
    _scan(state)
    if not state.stop and len(place.found) == before:
        _finish(state)
    return state.tokens if len(place.found) == before else None


def _scan(state: _State) -> None:
    text, at = state.text, 0
    while at < len(text) and not state.stop:
        found = _TOKEN.match(text, at)
        assert found is not None  # The last alternative takes any character.
        at = found.end()
        kind = found.lastgroup
        match kind:
            case "string" | "number" | "name" | "op":
                token = Token(kind, found[0], found.start(), at)
                _look(token, state)
                state.tokens.append(token)
            case _:
                pass


def _look(token: Token, state: _State) -> None:
    match token.kind:
        case "string":
            check_text(token, state.place)
        case "number":
            check_number(token, state.place)
        case "name":
            _name(token, state)
        case "op":
            _op(token, state)
    if state.tokens and not state.stop and len(state.place.found) == 0:
        _neighbours(state.tokens[-1], token, state)


def _name(token: Token, state: _State) -> None:
    name, place = token.text, state.place
    field_ = bool(state.tokens) and state.tokens[-1].text == "."
    if name in _LINKS:
        _link(state, token)
    if name.startswith("__"):
        place.report(
            "F0308",
            token.start,
            token.end,
            f"names that begin with two underscores, such as `{name}`, are not in the language",
            "they are the insides of Python; have a task do what needs them",
        )
    elif name in FOREIGN_NAMES and not field_:
        _foreign(token, state, FOREIGN_NAMES[name])
    elif keyword.iskeyword(name) and name not in WORDS and name not in _CONSTANTS:
        left_out(
            token,
            place,
            f"`{name}`",
            "an expression computes a value from values; give anything else to a step or a task",
        )
        state.stop = True


def _op(token: Token, state: _State) -> None:
    text, levels, place = token.text, state.levels, state.place
    if text in OPENERS:
        previous = state.tokens[-1] if state.tokens else None
        call = text == "(" and previous is not None and ends_operand(previous)
        levels.append(_Level(text, token.start, call))
        if len(levels) > MAX_DEPTH + 1:
            _too_deep(token, state)
    elif text in (")", "]", "}"):
        _close(token, state)
    elif text == ",":
        state.chain -= levels[-1].chain
        levels[-1].chain = 0
    elif text == "=" and not levels[-1].call:
        place.report(
            "F0306",
            token.start,
            token.end,
            "`=` does not compare",
            place.source.either(
                "write `==` to compare; a value gets a name by the `id` of a step",
                "write `==` to compare; a value gets a name by a step `name = …`",
            ),
            fix="==",
        )
    elif text in FOREIGN:
        _foreign(token, state, FOREIGN[text])
        state.stop = text in ("${{", "`")
    elif text in "\"'":
        _open_text(token, state)
    elif text in _LINKS:
        _link(state, token)
    elif not text.isascii():
        _foreign(token, state, beyond_ascii(text))
        state.stop = True


def _open_text(token: Token, state: _State) -> None:
    quote = token.text
    triple = state.text.startswith(quote * 3, token.start)
    state.place.report(
        "F0303",
        token.start,
        token.start + (3 if triple else 1),
        f"the text that begins with {quote * 3 if triple else quote} is not closed",
        f"close it with the same three quotes, {quote * 3}"
        if triple
        else f"close it with the same quote, {quote}; a quote inside it is written \\{quote}",
    )
    state.stop = True


def _close(token: Token, state: _State) -> None:
    level = state.levels[-1]
    if not level.opener:
        state.place.report("F0303", token.start, token.end, f"`{token.text}` closes nothing", "remove it")
        state.stop = True
    elif OPENERS[level.opener] != token.text:
        state.place.report(
            "F0303",
            token.start,
            token.end,
            f"`{level.opener}` is closed by `{token.text}`",
            f"write `{OPENERS[level.opener]}`",
        )
        state.stop = True
    else:
        state.levels.pop()
        state.chain -= level.chain
        _link(state, token)


def _link(state: _State, token: Token) -> None:
    state.levels[-1].chain += 1
    state.chain += 1
    if state.chain > MAX_CHAIN:
        _too_deep(token, state)


def _too_deep(token: Token, state: _State) -> None:
    too_deep(state.place, token.start, token.end)
    state.stop = True


def too_deep(place: Place, start: int, end: int) -> None:
    """Report an expression beyond the depth that the language allows."""
    place.report(
        "F0309",
        start,
        end,
        f"the expression is more than {MAX_DEPTH} levels deep",
        "give parts of it to steps of their own; join many texts with an f-string or `join`",
    )


def _neighbours(previous: Token, token: Token, state: _State) -> None:
    """Report two operands with nothing between them."""
    if not ends_operand(previous) or not starts_operand(token):
        return
    if previous.kind == token.kind == "string" or token.text in ("(", "["):
        return
    text = state.text.strip()
    help_ = "put an operator or a comma between them; a text stands in quotes"
    if len(text) <= _SENTENCE and _WORDS.fullmatch(text) and not state.place.in_braces():
        better = state.place.source.either(f"`\"'{text}'\"`: the outer quotes are YAML's", f'`"{text}"`')
        help_ = f"if the text is meant, write {better}"
    state.place.report(
        "F0301",
        previous.start,
        token.end,
        f"`{_short(previous)}` and `{_short(token)}` stand side by side with nothing between them",
        help_,
    )


def _finish(state: _State) -> None:
    """Report what shows only at the end of the text."""
    place = state.place
    level = state.levels[-1]
    if level.opener:
        place.report(
            "F0303",
            level.start,
            level.start + 1,
            f"`{level.opener}` is not closed",
            f"write `{OPENERS[level.opener]}` where it ends",
        )
    elif not state.tokens:
        place.report(
            "F0302",
            0,
            len(state.text),
            "an expression is missing here",
            'write one; an empty text is `""`, no value `None`',
        )
    else:
        last = state.tokens[-1]
        if not ends_operand(last) and last.text != ",":
            place.report(
                "F0301",
                last.start,
                last.end,
                f"the expression ends after `{last.text}`",
                "write what it works on",
            )


def _foreign(token: Token, state: _State, foreign: Foreign) -> None:
    fix = foreign.fix
    if fix.isalpha() and not token.text.isalpha():
        # `a&&b` must not become `aandb`.
        before, after = state.text[: token.start][-1:], state.text[token.end : token.end + 1]
        fix = f"{' ' * before.isalnum()}{fix}{' ' * after.isalnum()}"
    state.place.report(
        foreign.code, token.start, token.end, foreign.message, foreign.help, fix=fix, safe=True
    )


def _short(token: Token) -> str:
    text = token.text.replace("\n", " ")
    return text if len(text) <= 20 else text[:19] + "…"  # noqa: PLR2004 - for the width of a line
