"""A line that the grammar does not take comes in; the diagnostic that says what to write instead goes out.

The grammar only knows which terminal it could not take. What was meant is looked for in this order: what
people write who know Python or YAML (`habits`); a mistake inside an expression, which the parser of
expressions words better; a word that is nearly one of those that fit; and at last what could stand there.
"""

import keyword
from collections.abc import Mapping

from flowc.diagnostic import Diagnostic, Fix
from flowc.expr.parse import parse_expression
from flowc.read_dsl.habits import STUCK, find_habit
from flowc.read_dsl.lex import Token
from flowc.read_dsl.stuck import Stuck
from flowc.span import Source, Span
from flowc.suggest import closest

_SHORT = 40
_CONSTANTS = frozenset({"None", "True", "False"})
_MOST = 8
_OF_CALLS = frozenset({"RETRY", "TIMEOUT", "HEARTBEAT", "OPTIONS", "CACHE", "UNDO"})
_EXAMPLES = {
    "if": "if n > 0:",
    "elif": "elif n > 0:",
    "while": "while n > 0:",
    "for": "for item in items:",
    "switch": "switch kind:",
    "case": 'case "book":',
    "lock": "lock gpu:",
    "wait": "wait approval timeout 1h else:",
}
_MODIFIERS = frozenset({"DOC", "RETRY", "TIMEOUT", "PARALLEL", "LIMIT", "NEED", "MAX", "DELAY", "CRON"})
_PLAIN = {
    "EXPR": "an expression",
    "ARG": "an expression",
    "NAME": "a name",
    "STRING": "a text in quotes",
    "TYPE": "a type",
    "CLASS": "a class",
    "MODULE": "the name of a module",
    "DURATION": "a duration such as `30s`",
    "QUANTITY": "",
    "BAD": "",
    "_NEWLINE": "the end of the line",
    "_INDENT": "",
    "_DEDENT": "",
    "$END": "",
}


def explain(source: Source, words: Mapping[str, str], stuck: Stuck) -> Diagnostic:
    """The finding about a line."""
    return (
        find_habit(source, Span(stuck.line.start, stuck.line.end), STUCK)
        or _nothing_before_colon(source, stuck)
        or _comma_between(source, stuck)
        or _nameless_branch(source, stuck)
        or _case_without_word(source, stuck)
        or _in_expression(source, stuck, after_operand=False)
        or _no_colon(source, stuck)
        or _misspelt(source, words, stuck)
        or _in_expression(source, stuck, after_operand=True)
        or _unexpected(source, words, stuck)
    )


def _nothing_before_colon(source: Source, stuck: Stuck) -> Diagnostic | None:
    token, last = stuck.token, stuck.seen[-1] if stuck.seen else None
    example = _EXAMPLES.get("" if last is None else last.text)
    if last is None or token is None or token.kind != "COLON" or example is None:
        return None
    return Diagnostic(
        "F0030",
        f"something is missing between `{last.text}` and `:`",
        source,
        Span(last.start, token.end),
        help=f"write, for example, `{example}`",
    )


def _comma_between(source: Source, stuck: Stuck) -> Diagnostic | None:
    """A comma between one modifier and the next."""
    token = stuck.token
    if token is None or token.kind != "COMMA" or not stuck.wanted & _MODIFIERS:
        return None
    span = Span(token.start, token.end)
    return Diagnostic(
        "F0030",
        "what belongs to a step follows it without commas",
        source,
        span,
        help="leave the comma out",
        fixes=(Fix(span, "", "leave the comma out", safe=True),),
    )


def _nameless_branch(source: Source, stuck: Stuck) -> Diagnostic | None:
    """A step where a branch of a race should be."""
    unnamed = not stuck.seen and "NAME" in stuck.wanted and not stuck.wanted & {"EXPR", "FLOW"}
    no_name = stuck.wanted == frozenset({"COLON"}) and [token.kind for token in stuck.seen] == ["NAME"]
    if not unnamed and not no_name:
        return None
    return Diagnostic(
        "F0030",
        "a branch of a race begins with its name",
        source,
        Span(stuck.line.start, stuck.line.end),
        help="write `name:`, and the steps of the branch below it, indented",
    )


def _case_without_word(source: Source, stuck: Stuck) -> Diagnostic | None:
    """A value of a `switch` without its `case`."""
    line = source.text[stuck.line.start : stuck.line.end]
    if stuck.seen or "CASE" not in stuck.wanted or not line.endswith(":") or "\n" in line:
        return None
    span = Span(stuck.line.start, stuck.line.end)
    return Diagnostic(
        "F0030",
        "a value of a `switch` stands behind `case`",
        source,
        span,
        help=f"write `case {line}`" if len(line) <= _SHORT else "write `case` before it",
        fixes=(Fix(Span(span.start, span.start), "case ", "write `case`", safe=True),),
    )


def _in_expression(source: Source, stuck: Stuck, *, after_operand: bool) -> Diagnostic | None:
    """What the parser of expressions says of the rest of the line.

    A word behind an operand is first looked at as a word of the language: unless `after_operand` it is none.
    """
    line, token = stuck.line, stuck.token
    last = stuck.seen[-1] if stuck.seen else None
    if last is not None and last.kind in ("EXPR", "ARG"):
        start = last.start
    elif token is not None and stuck.wanted & {"EXPR", "ARG"}:
        start = token.start
    else:
        return None
    if token is not None and token.kind not in ("NAME", "OTHER", "RPAR", "COLON", "EQUAL"):
        return None
    if last is not None and last.start == start and token is not None and token.kind == "NAME":
        is_keyword = keyword.iskeyword(last.text.split()[-1]) and last.text.split()[-1] not in _CONSTANTS
        if after_operand == is_keyword or last.text.endswith(")"):
            return None
    text = source.text[start : line.end]
    opens_block = "COLON" in stuck.wanted and text.rstrip().endswith(":")
    text = text.rstrip()[:-1] if opens_block else text
    found = parse_expression(text, lambda index: start + index, source)[1]
    return found[0] if found else None


def _no_colon(source: Source, stuck: Stuck) -> Diagnostic | None:
    line = stuck.line
    if stuck.token is not None or "COLON" not in stuck.wanted:
        return None
    end = Span(line.end, line.end)
    return Diagnostic(
        "F0030",
        "the `:` at the end of the line is missing",
        source,
        Span(line.end - 1, line.end),
        help="a line that opens a block ends with `:`",
        fixes=(Fix(end, ":", "write `:`", safe=True),),
    )


def _misspelt(source: Source, words: Mapping[str, str], stuck: Stuck) -> Diagnostic | None:
    token = stuck.token
    if token is None or not token.text.isidentifier():
        return None
    known = [word for word, kind in words.items() if kind in stuck.wanted and word.isalpha()]
    meant = closest(token.text.lower(), known)
    if meant is None:
        return None
    span = Span(token.start, token.end)
    return Diagnostic(
        "F0030",
        f"`{token.text}` is not expected here",
        source,
        span,
        hint=f"did you mean `{meant}`?",
        help=_possible(words, stuck),
        fixes=(Fix(span, meant, f"write `{meant}`"),),
    )


def _unexpected(source: Source, words: Mapping[str, str], stuck: Stuck) -> Diagnostic:
    token, line = stuck.token, stuck.line
    if token is None:
        after = f" after `{_short(stuck.seen[-1])}`" if stuck.seen else ""
        return Diagnostic(
            "F0030",
            f"something is missing{after}",
            source,
            Span(max(line.end - 1, line.start), line.end),
            help=_possible(words, stuck),
        )
    return Diagnostic(
        "F0030",
        f"`{_short(token)}` is not expected here",
        source,
        Span(token.start, token.end),
        help=_possible(words, stuck),
    )


def _possible(words: Mapping[str, str], stuck: Stuck) -> str:
    """What could stand there, as a part of a sentence."""
    if (
        stuck.token is not None
        and stuck.token.kind in _OF_CALLS
        and any(s.kind == "EXPR" for s in stuck.seen)
    ):
        return "it follows a call that is a step of its own: write `x = …` with it, and here `x`"
    kinds = [_PLAIN[kind] for kind in sorted(stuck.wanted) if _PLAIN.get(kind)]
    kinds += [f"`{word}`" for word, kind in words.items() if kind in stuck.wanted]
    if not kinds:
        return "remove it"
    if not stuck.seen and stuck.token is not None:
        return "a line of a flow is a step, such as `x = t.f(a)`, `if c:` or `return x`"
    more = "" if len(kinds) <= _MOST else ", …"
    return f"here can stand {', '.join(dict.fromkeys(kinds[:_MOST]))}{more}"


def _short(token: Token) -> str:
    text = token.text.replace("\n", " ")
    return text if len(text) <= _SHORT else text[: _SHORT - 1] + "…"
