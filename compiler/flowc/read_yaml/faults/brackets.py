"""Slips inside YAML's own `[ ]` and `{ }`: a fault comes in, a diagnostic goes out when it is one."""

import re

from flowc.diagnostic import Diagnostic, Label
from flowc.read_yaml.cuts import expression_end, quoted, quotes_fix, quotes_help
from flowc.read_yaml.faults.fault import SHOWN, Fault
from flowc.span import Span

_PROBLEMS = frozenset({"did not find expected ',' or ']'", "did not find expected ',' or '}'"})
_IN_FLOW_NODE = "while parsing a flow node"
_TEMPLATE = re.compile(r"\$\{\{[^\n{}]*\}\}")
_CLOSING = {"[": "]", "{": "}"}


def cut_in_brackets(fault: Fault) -> Diagnostic | None:
    """`{a: x[0]}` and `{a: ${{ x }}}`: the bracket ends the text before it."""
    if fault.problem not in _PROBLEMS or fault.char(fault.at) not in {"[", "{"}:
        return None
    if fault.last.kind != "plain" or fault.last.end != fault.at:
        return None
    start = fault.last.start
    template = _TEMPLATE.search(fault.source.text, start, fault.line(fault.at).end)
    if template is not None and template.start() == fault.at - 1:
        return _template(fault, start)
    end = expression_end(fault.source.text, start, fault.line(fault.at).end)
    text = fault.text(Span(start, end or fault.at + 1))
    return Diagnostic(
        "F0014",
        f"inside YAML's brackets, the text ends before `{fault.char(fault.at)}`",
        fault.source,
        Span(start, end or fault.at + 1),
        help=quotes_help(text) if end else "put the whole text in quotes",
        fixes=quotes_fix(start, text) if end else (),
    )


def _template(fault: Fault, start: int) -> Diagnostic:
    line_end = fault.line(start).end
    end = expression_end(fault.source.text, start, line_end) or start + 1
    text = fault.text(Span(start, end))
    quotes = quoted(text) if '"' in text or "\\" in text else f'"{text}"'
    return Diagnostic(
        "F0014",
        "inside YAML's brackets, a template stands in quotes",
        fault.source,
        Span(start, end),
        help=f"write {quotes}" if len(quotes) <= SHOWN else "put the template in quotes",
        fixes=quotes_fix(start, text),
    )


def bracket_left_open(fault: Fault) -> Diagnostic | None:
    """A list or map in brackets that is not closed, or closed by the wrong bracket."""
    at = fault.bracket_at
    char = fault.char(fault.at).strip()
    if at is None or not (fault.problem in _PROBLEMS or (_IN_FLOW_NODE in fault.context and not char)):
        return None
    opening = fault.char(at)
    if char in {"]", "}"}:
        return _wrong_closing(fault, at, opening, char)
    if char not in {"", ":"} and fault.line(at) == fault.line(fault.at):
        return None
    return Diagnostic(
        "F0005",
        f"this `{opening}` is never closed",
        fault.source,
        Span(at, at + 1),
        hint=f"a closing {_CLOSING[opening]} is missing",
        help=f"close it with `{_CLOSING[opening]}`; if it is a part of a text, put the whole text in quotes",
    )


def _wrong_closing(fault: Fault, at: int, opening: str, char: str) -> Diagnostic:
    return Diagnostic(
        "F0005",
        f"`{char}` does not close `{opening}`",
        fault.source,
        Span(fault.at, fault.at + 1),
        hint=f"expected {_CLOSING[opening]}",
        help=f"close `{opening}` with `{_CLOSING[opening]}`",
        labels=(Label(Span(at, at + 1), "opened here"),),
    )
