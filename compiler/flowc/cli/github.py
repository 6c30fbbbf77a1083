"""Findings as GitHub workflow commands. In: diagnostics. Out: one `::error …` line for each.

The format is that of https://docs.github.com/actions/reference/workflow-commands-for-github-actions;
values are escaped with percent signs, which the page leaves to the runner's own toolkit.
"""

from collections.abc import Sequence

from flowc.diagnostic import Diagnostic

COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render_github(found: Sequence[Diagnostic]) -> str:
    """One line a finding, sorted by place."""
    ordered = sorted(found, key=lambda one: (one.source.name, one.span.start, one.code))
    return "\n".join(dict.fromkeys(_line(one) for one in ordered))


def _line(one: Diagnostic) -> str:
    line, column = one.source.position(one.span.start)
    end_line, end_column = one.source.position(max(one.span.start, one.span.end))
    places = {
        "file": one.source.name,
        "line": str(line),
        "endLine": str(end_line),
        "col": str(column),
        "endColumn": str(end_column),
        "title": one.code,
    }
    if line != end_line:  # The runner takes columns only for a finding on one line.
        del places["col"], places["endColumn"]
    told = ",".join(f"{name}={_property(value)}" for name, value in places.items())
    text = ". ".join(part.rstrip(".") for part in (one.message, one.hint, one.help) if part)
    return f"::{COMMANDS[one.severity]} {told}::{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
