"""Where YAML cuts an expression: a piece of text comes in, whether something is left open in it goes out.

YAML ends a text without quotes at ` #`, at `: `, and inside its own brackets at a comma or bracket. What is
left has a quote or bracket open that the author closed further on; that is how a cut is told from a text
that is meant so. A quote counts as one only where a Python string could begin, so that `don't` has none.
"""

import re

from flowc.diagnostic import Diagnostic, Fix, Label
from flowc.span import Source, Span
from flowc.tree import Scalar
from flowrt.pattern import pattern

_TOKEN = pattern(
    r"""(?<!\w)[fFrRbBuU]{0,2}
        (?P<string>\"\"\"(?:\\.|[^\\])*?\"\"\"|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
      | (?<!\w)[fFrRbBuU]{0,2}(?P<quote>["'])
      | (?P<open>[(\[{]) | (?P<close>[)\]}]) | (?P<comma>,)""",
    re.VERBOSE | re.DOTALL,
)
_LONGEST = 10_000
"""No expression may be longer, and what is longer is not looked into: some of these scans are quadratic."""

_LONGEST_LINE = 2000
_SHOWN = 100

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_COMMENT = pattern(r"[ \t]+(#[^\n]*)")
_MIGHT_OPEN = pattern(r"[(\[{\"']")


def unclosed(text: str) -> int | None:
    """The index of the first quote or bracket of an expression that is not closed in it, if there is one."""
    if len(text) > _LONGEST or not _MIGHT_OPEN.search(text):
        return None
    stack: list[tuple[str, int]] = []
    for token in _TOKEN.finditer(text):
        if token["quote"]:
            return stack[0][1] if stack else token.start("quote")
        if token["open"]:
            stack.append((_CLOSING[token["open"]], token.start()))
        elif token["close"] and stack and stack[-1][0] == token["close"]:
            stack.pop()
    return stack[0][1] if stack else None


def expression_end(text: str, start: int, end: int) -> int | None:
    """Where an expression inside YAML's brackets ends: at the first comma or bracket that is not its own.

    Returns:
        The offset after its last character, or None when a quote or bracket of it is not closed before `end`.
    """
    if end - start > _LONGEST:
        return None
    depth = 0
    stop = end
    for token in _TOKEN.finditer(text, start, end):
        if token["quote"]:
            return None
        if token["open"]:
            depth += 1
        elif depth and token["close"]:
            depth -= 1
        elif not depth and (token["close"] or token["comma"]):
            stop = token.start()
            break
    return None if depth else start + len(text[start:stop].rstrip())


def quoted(text: str) -> str:
    """The text as a YAML scalar in quotes, in the kind of quotes that needs no escape if there is one."""
    if "'" in text and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return "'" + text.replace("'", "''") + "'"


def quotes_help(text: str) -> str:
    """The way out for a text that needs quotes; with the text itself when it is short."""
    if len(text) > _SHOWN or "\n" in text:
        return "put the whole text in quotes"
    return f"put the whole text in quotes: {quoted(text)}"


def quotes_fix(start: int, text: str) -> tuple[Fix, ...]:
    """The change that puts quotes around the text that stands at `start`."""
    return (Fix(Span(start, start + len(text)), quoted(text), "put the whole text in quotes", safe=True),)


def line_end(source: Source, at: int) -> int:
    """The offset of the end of the line in which `at` stands."""
    end = source.text.find("\n", at)
    end = len(source.text) if end < 0 else end
    return end - 1 if end > at and source.text[end - 1] == "\r" else end


def line_start(source: Source, at: int) -> int:
    """The offset of the start of the line in which `at` stands."""
    return source.text.rfind("\n", 0, at) + 1


def without_comment(text: str) -> str:
    """A piece of a line without the comment at its end; a `#` in a string of an expression is none."""
    if len(text) > _LONGEST_LINE:
        return text.rstrip()
    for comment in re.finditer(r"(?<![ \t])[ \t]+#", text):
        if unclosed(text[: comment.start()]) is None:
            return text[: comment.start()].rstrip()
    return text.rstrip()


def cut_by_comment(source: Source, scalar: Scalar) -> Diagnostic | None:
    """A finding when ` #` has cut a plain scalar in the middle of a quote or bracket.

    To be asked of a scalar in an expression place: `call: t.load()  # every day` is no cut, and neither is a
    text such as `doc: (see below # not here`.
    """
    if scalar.style != "plain":
        return None
    comment = _COMMENT.match(source.text, scalar.span.end)
    if comment is None or unclosed(scalar.text) is None:
        return None
    start = scalar.span.start
    whole = source.text[start : comment.end()].rstrip()
    return comment_cut(source, Span(start, start + len(whole)), comment.start(1))


def comment_cut(source: Source, whole: Span, comment_at: int) -> Diagnostic:
    """The finding about an expression over `whole` that a comment at `comment_at` cuts in two."""
    text = source.text[whole.start : whole.end]
    opened = unclosed(source.text[whole.start : comment_at])
    labels = (
        () if opened is None else (Label(Span(whole.start + opened, whole.start + opened + 1), "still open"),)
    )
    certain = "\n" not in text and unclosed(text) is None
    return Diagnostic(
        "F0012",
        "` #` begins a comment here, and YAML cuts the expression off before it",
        source,
        Span(comment_at, whole.end),
        hint="never reaches the flow",
        help=quotes_help(text) if certain else "put the whole expression in quotes, or move the comment away",
        labels=labels,
        fixes=quotes_fix(whole.start, text) if certain else (),
    )
