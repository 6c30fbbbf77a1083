"""A block whose shape does not agree with its word comes in; a message with the corrected text goes out.

`steps`, `do`, `then` and `else` take a list, which runs from top to bottom; `graph` takes a map, whose
steps run as soon as their inputs are ready. What an author meant who mixes the two shows in the keys: a
map with the key of a kind of step in it is one step that lost its dash, any other map is a graph.
"""

from typing import Literal

from flowc.diagnostic import Fix
from flowc.resolve.corrected import as_graph, as_list, column, dashed, one_dash, shown
from flowc.resolve.found import Found, excerpt
from flowc.resolve.keys import LATER_STEPS, STEPS
from flowc.span import Span
from flowc.tree import Entry, Mapping, Sequence


def is_step(mapping: Mapping) -> bool:
    """Whether a map has a key that says which kind of step it is."""
    return any(entry.key.text in STEPS or entry.key.text in LATER_STEPS for entry in mapping.entries)


def map_for_list(found: Found, entry: Entry, mapping: Mapping) -> Literal["step", "graph"]:
    """Reports a map under `steps`, `do`, `then` or `else`, and returns what it probably is."""
    key = entry.key.text
    message = f"`{key}` takes a list of steps, and this is a map"
    if is_step(mapping):
        better = dashed(found, mapping)
        found.error(
            "F0105",
            message,
            excerpt(mapping),
            hint="this looks like a single step without its dash",
            help=f"write the step with a dash:\n{shown(column(found, mapping.span), better)}",
            fixes=(Fix(mapping.span, better, "add the dash", safe=True),),
        )
        return "step"
    better = as_list(found, mapping)
    list_fix = Fix(mapping.span, better, "write a list, for steps that run from top to bottom")
    graph_allowed = key in ("steps", "do")
    way_out = (
        f"or, if they may run as soon as their inputs are ready, write `graph:` instead of `{key}:`"
        if graph_allowed
        else "or put the map under `- graph:`, if they may run as soon as their inputs are ready"
    )
    found.error(
        "F0105",
        message,
        excerpt(mapping),
        hint="this looks like a graph, a map of names to steps",
        help="if the steps run from top to bottom, write a list with dashes:\n"
        f"{shown(column(found, mapping.span), better)}\n{way_out}",
        fixes=(
            *((Fix(entry.key.span, "graph", "write `graph:`"),) if graph_allowed else ()),
            *((list_fix,) if not mapping.flow else ()),
        ),
    )
    return "graph"


def list_for_graph(found: Found, entry: Entry, sequence: Sequence, word: str) -> None:
    """Reports a list under `graph`; `word` is the key under which a list may stand here."""
    list_fix = Fix(entry.key.span, word, f"write `{word}:`, for steps that run from top to bottom")
    better, named = as_graph(found, sequence)
    text = shown(column(found, sequence.span), better)
    graph_fix = Fix(sequence.span, better, "write the names as keys")
    found.error(
        "F0104",
        "`graph` takes a map of names to steps, and this is a list",
        excerpt(sequence),
        hint="a list runs from top to bottom",
        help=f"{'write the names as keys' if named else 'give every step a name, as its key'}:\n{text}\n"
        f"or, for steps that run from top to bottom, write `{word}:` instead of `graph:`"
        if sequence.items
        else f"write `{{}}`, or `{word}:` instead of `graph:`",
        fixes=(graph_fix, list_fix) if named and sequence.items and not sequence.flow else (list_fix,),
    )


def list_for_step(found: Found, sequence: Sequence) -> None:
    """Reports a list among the steps of a list: one dash too many."""
    start = _dash_before(found, sequence.span)
    if sequence.flow or not sequence.items or start is None:
        way_out = "write one dash for each step; steps inside of steps stand under `do:`"
        fixes: tuple[Fix, ...] = ()
    else:
        better = one_dash(found, sequence, start)
        told = shown(start, f"- {better}")
        way_out = (
            f"write one dash for each step:\n{told}\nor, for steps inside of a step, put them under `- do:`"
        )
        fixes = (Fix(sequence.span, better, "take the second dash away"),)
    found.error(
        "F0106",
        "a step is a map, and this is a list",
        excerpt(sequence),
        hint="one dash too many?",
        help=way_out,
        fixes=fixes,
    )


def _dash_before(found: Found, span: Span) -> int | None:
    """The column of the dash whose item begins at a place, when they stand on one line."""
    before = found.source.text[: span.start].rpartition("\n")[2]
    return len(before) - 2 if before.endswith("- ") and not before[:-2].strip(" -") else None
