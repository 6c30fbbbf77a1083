"""Texts that begin with a character of YAML's own: a fault comes in, a diagnostic goes out if it is that."""

from flowc.diagnostic import Diagnostic
from flowc.read_yaml.cuts import expression_end, quotes_fix, quotes_help, without_comment
from flowc.read_yaml.faults.fault import Fault
from flowc.span import Span

_MEANING = {
    "%": "begins a directive",
    "@": "is reserved",
    "`": "is reserved",
    "&": "marks a value with an anchor",
    "*": "repeats a value with an anchor",
    "!": "begins a tag",
    "-": "begins a list item",
    "?": "begins a key",
    "|": "begins a block text",
    ">": "begins a block text",
}
_NAMES = {"-": "a dash and a space", "`": "a backtick"}


def wrong_beginning(fault: Fault) -> Diagnostic | None:
    """A value without quotes that begins with a character which means something else to YAML."""
    if fault.context == "while scanning a block scalar":
        return _block_header(fault)
    at = _beginning(fault)
    if at is None:
        return None
    char = fault.char(at)
    end = expression_end(fault.source.text, at, fault.line(at).end) if fault.bracket_at is not None else None
    text = without_comment(fault.text(Span(at, end or fault.line(at).end)))
    named = _NAMES.get(char, f"`{char}`")
    tagged = fault.problem == "found undefined tag handle" or (char == "!" and text[1:2].isalpha())
    return Diagnostic(
        "F0007" if tagged else "F0016",
        f"a text without quotes cannot begin with {named}, which {_MEANING[char]} in YAML",
        fault.source,
        Span(at, at + 1),
        help=quotes_help(text),
        fixes=quotes_fix(at, text),
    )


def _beginning(fault: Fault) -> int | None:
    """Where the text begins, if its first character is what libyaml refused."""
    if fault.problem == "found character that cannot start any token" and fault.char(fault.at) in _MEANING:
        return fault.at
    if fault.context in {"while scanning an anchor", "while scanning an alias", "while scanning a tag"}:
        return fault.context_at
    if fault.context == "while parsing a tag" or fault.problem == "found undefined tag handle":
        return fault.context_at if fault.char(fault.context_at) == "!" else None
    if fault.problem in {
        "block sequence entries are not allowed in this context",
        "mapping keys are not allowed in this context",
    }:
        return fault.at if fault.indent_end(fault.at) != fault.at and fault.char(fault.at) in "-?" else None
    return None


def _block_header(fault: Fault) -> Diagnostic:
    at = fault.context_at
    text = without_comment(fault.text(Span(at, fault.line(at).end)))
    return Diagnostic(
        "F0021",
        f"`{fault.char(at)}` begins a block text, so its line cannot go on with `{text[1:].strip()[:20]}`",
        fault.source,
        Span(at, at + len(text)),
        help=f"begin the block text on the next line; if it is none: {quotes_help(text)}",
    )
