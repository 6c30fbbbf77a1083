"""Slips with indentation: a fault comes in, a diagnostic goes out when the place of a line is the reason."""

import re

from flowc.diagnostic import Diagnostic, Fix, Label
from flowc.read_yaml.faults.fault import KEY, Fault
from flowc.span import Span

_INDENT = re.compile(r"[ \t]*")
_DASH = re.compile(r"-(?:[ \t]|$)", re.MULTILINE)


def tab_in_indentation(fault: Fault) -> Diagnostic | None:
    """A tab before the first character of the line, or where libyaml itself complains about one."""
    line = fault.line(fault.at)
    indent = _INDENT.match(fault.source.text, line.start)
    assert indent is not None  # It matches the empty text too.
    at_tab = fault.char(fault.at) == "\t" and ("tab" in fault.problem or "start any token" in fault.problem)
    if "\t" in indent[0] and (fault.at <= indent.end() or fault.context_at >= line.start or _expected(fault)):
        span = Span(line.start + indent[0].index("\t"), indent.end())
    elif at_tab:
        span = Span(fault.at, fault.at + 1)
    else:
        return None
    tabs = fault.text(span)
    return Diagnostic(
        "F0003",
        "a tab stands in the indentation, which YAML makes of spaces only",
        fault.source,
        span,
        hint="a tab" if tabs.count("\t") == 1 else "tabs",
        help="use two spaces for each level",
        fixes=(Fix(span, tabs.replace("\t", "  "), "indent with spaces"),),
    )


def indented_too_far(fault: Fault, key_at: int, key: str) -> Diagnostic:
    """A key that stands deeper than the key above it, whose value it therefore continues."""
    at = fault.indent_end(fault.at)
    column = key_at - fault.line(key_at).start
    fix = Fix(Span(fault.line(at).start, at), " " * column, f"begin the line in column {column + 1}")
    word = fault.word(at)
    return Diagnostic(
        "F0004",
        f"`{fault.text(word)}` stands deeper than `{key}`, so YAML takes it for more of the text of `{key}`",
        fault.source,
        word,
        help=f"begin the line in column {column + 1}, below `{key}`",
        labels=(Label(Span(key_at, key_at + len(key)), f"begins in column {column + 1}"),),
        fixes=(fix,),
    )


def wrong_level(fault: Fault) -> Diagnostic | None:
    """A line in a column where nothing is open, or an item among keys, or a key among items."""
    if not _expected(fault) or not fault.levels:
        return None
    at = fault.indent_end(fault.at)
    if at != fault.at or not fault.char(at):
        return None
    column = at - fault.line(at).start
    is_item = _DASH.match(fault.source.text, at) is not None
    if not is_item and KEY.match(fault.source.text, at, fault.line(at).end) is None:
        return None
    if any(level.column == column and level.is_list != is_item for level in fault.levels):
        return _other_kind(fault, at, column, is_item=is_item)
    columns = sorted({level.column for level in fault.levels if level.is_list == is_item})
    if column in columns:
        return None
    return _no_such_column(fault, at, column, columns, what="a list item" if is_item else "a key")


def _expected(fault: Fault) -> bool:
    return fault.problem in {
        "did not find expected key",
        "did not find expected '-' indicator",
        "did not find expected <document start>",
        "block sequence entries are not allowed in this context",
    }


def _other_kind(fault: Fault, at: int, column: int, *, is_item: bool) -> Diagnostic:
    word = fault.word(at)
    if is_item:
        message = f"a list item stands in column {column + 1}, where the keys of a map stand"
        help_ = "indent the list below the key it belongs to, or write `key: value` here"
    else:
        message = (
            f"the key `{fault.text(word)}` stands in column {column + 1}, where the items of a list stand"
        )
        help_ = "begin the line with `- ` if it is an item, or indent it to the keys of the item above"
    return Diagnostic("F0004", message, fault.source, word, help=help_, labels=_opened(fault))


def _no_such_column(fault: Fault, at: int, column: int, columns: list[int], what: str) -> Diagnostic:
    fixes: tuple[Fix, ...] = ()
    help_ = "give the line the indentation of the lines it belongs to"
    if columns:
        nearest = min(columns, key=lambda other: (abs(other - column), -other))
        start = fault.line(at).start
        fixes = (Fix(Span(start, at), " " * nearest, f"begin the line in column {nearest + 1}"),)
        places = " or ".join(str(other + 1) for other in columns[-3:])
        help_ = f"here {what} may begin in column {places}"
    word = fault.word(at)
    return Diagnostic(
        "F0004",
        f"`{fault.text(word)}` stands in column {column + 1}, which fits nothing above it",
        fault.source,
        word,
        help=help_,
        labels=_opened(fault),
        fixes=fixes,
    )


def _opened(fault: Fault) -> tuple[Label, ...]:
    if not fault.context.startswith("while parsing a block") or fault.context_at >= fault.at:
        return ()
    kind = "list" if fault.context.endswith("collection") else "map"
    return (Label(fault.word(fault.context_at), f"the {kind} that is open begins here"),)
