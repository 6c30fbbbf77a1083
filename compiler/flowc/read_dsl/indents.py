"""A line that stands where none can come in; a diagnostic that says so goes out."""

from collections.abc import Sequence

from flowc.diagnostic import Diagnostic
from flowc.read_dsl.lines import Line
from flowc.span import Source, Span


def unexpected_indent(source: Source, line: Line, known: Sequence[int]) -> Diagnostic:
    """The line is deeper than the one above, which opens no block, or in a column between two blocks."""
    deeper = line.width > known[-1]
    columns = " or ".join(str(width) for width in known)
    return Diagnostic(
        "F0031",
        "this line is indented for no reason"
        if deeper
        else "this line stands in the column of no block above",
        source,
        _place(line),
        hint=f"{line.width} blanks, not {columns}",
        help="only the lines of a block are indented, below a line that ends with `:`"
        if deeper
        else "indent it as the other lines of its block",
    )


def missing_block(source: Source, at: int) -> Diagnostic:
    """A line has opened a block, and the next one is not indented."""
    return Diagnostic(
        "F0031",
        "a block is missing behind this line",
        source,
        Span(max(at - 1, 0), at),
        help="write its steps below the line, indented; a block without steps is `pass`",
    )


def too_deep(source: Source, line: Line, limit: int) -> Diagnostic:
    """More blocks in blocks than the reader takes."""
    return Diagnostic(
        "F0002",
        f"this stands more than {limit} blocks deep",
        source,
        Span(line.start, line.start + 1),
        help="make a flow of the inner steps, and call it here",
    )


def too_long(source: Source, line: Line, limit: int) -> Diagnostic:
    """More words in the file than the reader takes."""
    return Diagnostic(
        "F0002",
        f"the file has more than {limit:,} words; what follows was not read",
        source,
        Span(line.start, line.start + 1),
        help="keep data out of the flow: load it in a task",
    )


def tabs(source: Source, at: int, end: int) -> Diagnostic:
    """A tab stands in the indentation."""
    return Diagnostic(
        "F0003",
        "a tab stands in the indentation",
        source,
        Span(at, end),
        help="indent with four blanks: a tab has another width in every editor",
    )


def _place(line: Line) -> Span:
    return Span(line.indent, line.start) if line.start > line.indent else Span(line.start, line.start + 1)
