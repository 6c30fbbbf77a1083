"""What no other rule explains: a fault comes in, a diagnostic with libyaml's own words goes out."""

from flowc.diagnostic import Diagnostic
from flowc.read_yaml.faults.fault import Fault
from flowc.span import Span

_NO_CONTENT = "did not find expected node content"


def outside_documents(fault: Fault) -> Diagnostic | None:
    """Directives, and text between the end of a document and the start of the next."""
    directive = (
        "directive" in fault.context or "directive" in fault.problem or "incompatible" in fault.problem
    )
    if not directive and fault.problem != "did not find expected <document start>":
        return None
    at = (
        fault.at
        if not directive
        else fault.line(fault.context_at if "directive" in fault.context else fault.at).start
    )
    line = fault.line(at)
    if fault.char(line.start) == "%":
        message = "the directive is not understood"
        help_ = "remove the line: a flow file is always YAML 1.2"
    else:
        message = "the line stands outside of all documents"
        help_ = "begin a document with a line `---` before it"
    return Diagnostic("F0019", message, fault.source, Span(at, max(line.end, at + 1)), help=help_)


def anything_else(fault: Fault) -> Diagnostic:
    """The finding that is left."""
    at = min(fault.at, len(fault.source.text.rstrip()))
    char = fault.char(at)
    if fault.problem == _NO_CONTENT and char in {"]", "}"}:
        message, help_ = (
            f"`{char}` closes nothing here",
            "remove it, or put the text that it belongs to in quotes",
        )
    elif fault.problem == _NO_CONTENT and char == ",":
        message, help_ = (
            "a value is missing before the comma",
            "remove the comma, or write a value before it",
        )
    else:
        message = f"YAML cannot read on here: {fault.problem}"
        help_ = "if this is a part of a text, put the whole text in quotes"
    return Diagnostic("F0020", message, fault.source, Span(at, at + 1), help=help_)
