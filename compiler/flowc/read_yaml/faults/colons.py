"""Slips with colons: a fault comes in, a diagnostic goes out when a colon is too many or missing."""

import re

from flowc.diagnostic import Diagnostic, Fix
from flowc.read_yaml.cuts import comment_cut, quotes_fix, quotes_help, unclosed, without_comment
from flowc.read_yaml.faults.fault import KEY, SHOWN, Fault
from flowc.read_yaml.faults.indentation import indented_too_far
from flowc.read_yaml.words import WORDS, short
from flowc.span import Span

_WORD_BEFORE_COLON = re.compile(r"[ ]*(?:-[ ]+)*[^\s:\"'()\[\]{}]*[ \t]*")
_KEY_AND_COLON = re.compile(r"(\w+):(?=\S)")
_KEY_AND_SPACE = re.compile(r"(\w+)(?=[ \t])")
_ARGUMENT = re.compile(r"[(,]\s*([^\W\d]\w*)\Z")
_NO_CONTENT = "did not find expected node content"
_NOTHING_FITS = frozenset({"did not find expected key", "did not find expected '-' indicator", _NO_CONTENT})
_COMMENT = re.compile(r"(?<![ \t])[ \t]+(#)")


def colon_not_allowed(fault: Fault) -> Diagnostic | None:
    """`mapping values are not allowed`: a second colon on a line, or a key that YAML took for more text."""
    if fault.problem != "mapping values are not allowed in this context":
        return None
    line = fault.line(fault.at)
    head = fault.text(Span(line.start, fault.at))
    if _WORD_BEFORE_COLON.fullmatch(head):
        return _key_as_text(fault)
    if head.startswith("---"):
        return _on_document_line(fault, line)
    key = KEY.match(fault.source.text, line.start, fault.at)
    if key is None:
        start = fault.indent_end(fault.at)
        tight = _KEY_AND_COLON.match(fault.source.text, start, fault.at)
        return _neither(fault, Span(start, line.end)) if tight else None
    start = key.end()
    text = without_comment(fault.text(Span(start, line.end)))
    taken = fault.text(Span(start, fault.at))
    argument = _ARGUMENT.search(taken)
    if argument is not None and taken.count("{") <= taken.count("}"):
        return _colon_in_call(fault, argument[1], line.end)
    return Diagnostic(
        "F0013",
        f"the colon makes YAML take `{short(taken)}` for a key inside the value of `{short(key['key'])}`",
        fault.source,
        Span(fault.at, fault.at + 1),
        hint="a colon and a space end a key",
        help=quotes_help(text),
        fixes=quotes_fix(start, text),
    )


def _colon_in_call(fault: Fault, name: str, line_end: int) -> Diagnostic:
    """`t.load(name: x)`: the argument of a call."""
    end = fault.at + 1
    while end < line_end and fault.char(end) == " ":
        end += 1
    return Diagnostic(
        "F0013",
        "an argument of a call is named with `=`, and a colon begins something else for YAML",
        fault.source,
        Span(fault.at, fault.at + 1),
        help=f"write `{short(name)}=…`",
        fixes=(Fix(Span(fault.at, end), "=", "write `=`", safe=True),),
    )


def _on_document_line(fault: Fault, line: Span) -> Diagnostic:
    return Diagnostic(
        "F0019",
        "a map cannot begin on the line of `---`",
        fault.source,
        Span(line.start, line.end),
        help="begin it on the next line",
        fixes=(Fix(Span(line.start + 3, line.start + 4), "\n", "begin the map on the next line", safe=True),),
    )


def _key_as_text(fault: Fault) -> Diagnostic | None:
    """A line `key:` that continues the text before it, for it stands deeper than the key of that text."""
    first = fault.line(fault.last.start if fault.last.kind == "plain" else fault.at)
    if first.start == fault.line(fault.at).start:
        return None
    start = fault.indent_end(first.start)
    key = KEY.match(fault.source.text, first.start, first.end)
    if key is None:
        return _neither(fault, Span(start, first.end))
    if re.match(r"-\w", fault.text(Span(start, first.end))):
        return Diagnostic(
            "F0018",
            "a list item begins with a dash and a space",
            fault.source,
            Span(start, start + 1),
            hint="a space is missing after the dash",
            fixes=(Fix(Span(start + 1, start + 1), " ", "put a space after the dash", safe=True),),
        )
    return indented_too_far(fault, key.start("key"), key["key"])


def no_colon(fault: Fault) -> Diagnostic | None:
    """A line that is neither `key: value` nor a list item."""
    if fault.problem == "could not find expected ':'":
        start = fault.context_at
        return _comment_before(fault, start) or _neither(fault, Span(start, fault.line(start).end))
    if fault.problem not in _NOTHING_FITS:
        return None
    cut = _comment_before(fault, fault.at)
    if cut is not None:
        return cut
    if fault.char(fault.at) == ":":
        return Diagnostic(
            "F0018",
            "a key is missing before the colon",
            fault.source,
            Span(fault.at, fault.at + 1),
            help="each line of a map is `key: value`",
        )
    line = fault.line(fault.at)
    if fault.problem != _NO_CONTENT and fault.at == fault.indent_end(fault.at) and fault.at < line.end:
        text = fault.text(Span(fault.at, line.end))
        if not text.startswith(("-", "?")) and not KEY.match(text):
            return _neither(fault, Span(fault.at, line.end))
    return None


def _neither(fault: Fault, span: Span) -> Diagnostic:
    text = without_comment(fault.text(span))
    text = text[2:].lstrip() if text.startswith("- ") else text
    start = span.end - len(fault.text(span)) + fault.text(span).find(text)
    whole = Span(start, start + max(1, len(text)))
    joined = _KEY_AND_COLON.match(text)
    if joined is not None:
        at = start + joined.end()
        return Diagnostic(
            "F0018",
            f"a space is missing after `{joined[0]}`",
            fault.source,
            whole,
            help=_instead(f"{joined[0]} {text[joined.end() :]}"),
            fixes=(Fix(Span(at, at), " ", "put a space after the colon", safe=True),),
        )
    spaced = _KEY_AND_SPACE.match(text)
    if spaced is not None and spaced[1] in WORDS:
        at = start + spaced.end()
        return Diagnostic(
            "F0018",
            f"a colon is missing after `{spaced[1]}`",
            fault.source,
            whole,
            help=_instead(f"{spaced[1]}: {text[spaced.end() :].lstrip()}"),
            fixes=(Fix(Span(at, at), ":", "put a colon after the key", safe=True),),
        )
    return Diagnostic(
        "F0018",
        f"`{short(text)}` is neither `key: value` nor a list item",
        fault.source,
        whole,
        help="write a key and a colon before it; what continues the text above stands deeper than its key",
    )


def _instead(text: str) -> str:
    return f"write `{text}`" if len(text) <= SHOWN else "each line of a map is `key: value`"


def _comment_before(fault: Fault, at: int) -> Diagnostic | None:
    """An expression over several lines that a comment on an earlier line ended."""
    last = fault.last
    if last.kind != "plain" or unclosed(fault.text(Span(last.start, last.end))) is None:
        return None
    comment = _COMMENT.match(fault.source.text, last.end)
    if comment is None or last.end > at:
        return None
    return comment_cut(fault.source, Span(last.start, fault.line(last.end).end), comment.start(1))
