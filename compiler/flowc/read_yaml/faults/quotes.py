"""Slips with quotes: a fault comes in, a diagnostic goes out when a quote is the reason."""

import re

from flowc.diagnostic import Diagnostic, Fix, Label
from flowc.read_yaml.cuts import expression_end, quotes_fix, quotes_help, unclosed, without_comment
from flowc.read_yaml.faults.fault import SHOWN, Fault
from flowc.span import Span

_QUOTED = frozenset({"single", "double"})
_ENDS = {"brackets": "its closing bracket", "alias": "the alias"}
_PAIR = re.compile(r"\\u([dD][89aAbB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_ESCAPE = re.compile(r"\\(?:x\w{0,2}|u\w{0,4}|U\w{0,8}|.)?")


def quote_left_open(fault: Fault) -> Diagnostic | None:
    """A text in quotes that reaches the end, or closes only at a quote that was meant to open another."""
    if fault.context == "while scanning a quoted scalar" and "found unexpected" in fault.problem:
        return _never_closed(fault, Span(fault.context_at, fault.context_at + 1), ())
    last = fault.last
    if last.kind not in _QUOTED or not _directly_after(fault):
        return None
    if "\n" not in fault.text(Span(last.start, last.end)):
        return None
    return _never_closed(
        fault, Span(last.start, last.start + 1), (Label(Span(last.end - 1, last.end), "closed only here"),)
    )


def _never_closed(fault: Fault, span: Span, labels: tuple[Label, ...]) -> Diagnostic:
    return Diagnostic(
        "F0005",
        "the text in quotes that begins here is not closed on its line, and YAML reads on"
        if labels
        else "the text in quotes that begins here is never closed",
        fault.source,
        span,
        hint=f"a closing {fault.char(span.start)} is missing",
        help="close the quote at the end of the text",
        labels=labels,
    )


def bad_escape(fault: Fault) -> Diagnostic | None:
    """A backslash in double quotes that begins none of YAML's escapes."""
    if fault.context != "while parsing a quoted scalar":
        return None
    at = fault.source.text.rfind("\\", fault.context_at, fault.at + 1)
    at = fault.at if at < 0 else at
    pair = _PAIR.match(fault.source.text, at)
    if pair is not None:
        return _pair_of_json(fault, pair)
    written = _ESCAPE.match(fault.source.text, at)
    escape = written[0] if written else fault.char(at)
    return Diagnostic(
        "F0017",
        f"`{escape}` is not an escape of YAML's double quotes",
        fault.source,
        Span(at, at + len(escape)),
        help="double the backslash, or put the text in single quotes, where a backslash is only a backslash",
        fixes=(Fix(Span(at, at), "\\", "double the backslash", safe=True),),
    )


def _pair_of_json(fault: Fault, pair: re.Match[str]) -> Diagnostic:
    """A character beyond U+FFFF as programs write it that write JSON in ASCII: YAML has another escape."""
    char = chr(0x10000 + ((int(pair[1], 16) - 0xD800) << 10) + int(pair[2], 16) - 0xDC00)
    escape = f"\\U{ord(char):08x}"
    return Diagnostic(
        "F0017",
        f"`{pair[0]}` is one character in JSON, `{char}`, and no escape of YAML's double quotes",
        fault.source,
        Span(*pair.span()),
        help=f"write the character itself, or `{escape}`",
        fixes=(Fix(Span(*pair.span()), escape, f"write `{escape}`", safe=True),),
    )


def goes_on_after(fault: Fault) -> Diagnostic | None:
    """Text behind the quote or bracket with which YAML ended the value: an expression that needs quotes."""
    last = fault.last
    if last.kind not in {*_QUOTED, "brackets", "alias"} or not _directly_after(fault):
        return None
    if fault.char(fault.at) in {"", "\n", "\r"} or fault.problem.startswith("could not"):
        return None
    end = _value_end(fault)
    text = fault.text(Span(last.start, end))
    if (
        last.kind in _QUOTED
        and fault.at == last.end
        and text[-1] == text[0]
        and len(text) > last.end - last.start
    ):
        return _quote_inside(fault, text)
    what = _ENDS.get(last.kind, "its closing quote")
    certain = last.kind != "alias" and unclosed(text) is None
    return Diagnostic(
        "F0015",
        f"YAML ends the value at {what}, but the line goes on",
        fault.source,
        Span(fault.at, max(end, fault.at + 1)),
        hint="not a part of it",
        help=quotes_help(text),
        labels=(Label(Span(last.start, last.end), "the value ends here for YAML"),),
        fixes=quotes_fix(last.start, text) if certain else (),
    )


def _directly_after(fault: Fault) -> bool:
    """Whether only blanks stand between the last value and the place of the error."""
    between = fault.text(Span(fault.last.end, fault.at))
    return fault.at >= fault.last.end and not between.strip(" \t")


def _value_end(fault: Fault) -> int:
    """Where the text ends that was meant as one value."""
    line_end = fault.line(fault.at).end
    if fault.bracket_at is not None:
        end = expression_end(fault.source.text, fault.last.start, line_end)
        return line_end if end is None else end
    start = fault.last.start
    return max(start + len(without_comment(fault.text(Span(start, line_end)))), fault.at + 1)


def _quote_inside(fault: Fault, text: str) -> Diagnostic:
    """`'it's'`: the quote inside ends the text."""
    quote, inner = text[0], text[1:-1]
    escaped = "''" if quote == "'" else '\\"'
    whole = quote + inner.replace(quote, escaped) + quote
    at = fault.last.end - 1
    return Diagnostic(
        "F0015",
        "the text in quotes ends at this quote, but the line goes on",
        fault.source,
        Span(at, at + 1),
        hint="ends here for YAML",
        help=f"write the quote inside the text as {escaped}" + (f": {whole}" if len(whole) <= SHOWN else "."),
        fixes=(
            Fix(Span(fault.last.start, fault.last.start + len(text)), whole, "escape the quote", safe=True),
        ),
    )
