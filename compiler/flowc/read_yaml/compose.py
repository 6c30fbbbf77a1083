"""A list or map comes in when its end has come, its node goes out, with findings about its parts."""

from flowc.diagnostic import Diagnostic
from flowc.read_yaml.cuts import unclosed
from flowc.read_yaml.frame import Frame
from flowc.read_yaml.lost_dashes import steps_without_dashes
from flowc.read_yaml.repairs import (
    EXPRESSION_KEYS,
    MERGE,
    comprehension,
    key_cut_by_colon,
    merged,
    repair_entries,
    repair_items,
    split_entry,
    split_item,
    without_doubles,
)
from flowc.span import Source, Span
from flowc.tree import Mapping, Node, Sequence


def compose(source: Source, frame: Frame, outer: list[Frame], end: int, findings: list[Diagnostic]) -> Node:
    """The node of a frame.

    Args:
        source: The file.
        frame: The list or map.
        outer: The frames around it, the innermost last.
        end: Where it ends, if it is written in brackets.
        findings: Where findings are added.
    """
    if frame.flow and _is_expression_place(outer):
        scalar = comprehension(source, Span(frame.start, end), findings)
        if scalar is not None:
            return scalar
    return _list(source, frame, end, findings) if frame.is_list else _map(source, frame, outer, end, findings)


def _is_expression_place(outer: list[Frame]) -> bool:
    """Whether a value that ends now stands directly at a key whose value is an expression."""
    if not outer or outer[-1].flow or outer[-1].key is None:
        return False
    if outer[-1].key.text in EXPRESSION_KEYS:
        return True
    around = outer[-2].key if len(outer) > 1 else None
    return around is not None and around.text == "graph"


def _list(source: Source, frame: Frame, end: int, findings: list[Diagnostic]) -> Node:
    items = frame.items
    if frame.suspect:
        items = repair_items(source, items, end, findings)
    elif not frame.flow:
        items = [split_item(source, item, findings) for item in items]
        end = items[-1].span.end if items else end
        end = max(end, frame.start) if items else frame.start + 1
    return Sequence(Span(frame.start, end), tuple(items), frame.flow)


def _map(source: Source, frame: Frame, outer: list[Frame], end: int, findings: list[Diagnostic]) -> Node:
    entries = frame.entries
    start = frame.start
    if frame.suspect:
        entries = repair_entries(source, entries, end, findings)
    elif frame.flow:
        entries = [split_entry(source, entry, findings) for entry in entries]
    elif entries:
        scalar = key_cut_by_colon(source, entries, findings)
        if scalar is not None:
            return scalar
        entries = [each for each in entries if each.key.style != "plain" or unclosed(each.key.text) is None]
        start = frame.entries[0].key.span.start
        last = frame.entries[-1]
        end = max(last.key.span.end, last.value.span.end)
    if any(entry.key.text == MERGE for entry in entries):
        entries = merged(source, entries, findings)
    if len({entry.key.text for entry in entries}) < len(entries):
        steps = None if frame.flow else steps_without_dashes(source, entries, outer, findings)
        if steps is not None:
            return steps
        entries = without_doubles(source, entries, findings)
    return Mapping(Span(start, end), tuple(entries), frame.flow)
