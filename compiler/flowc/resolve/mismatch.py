"""A block whose shape does not agree with its word comes in; a message with the corrected text goes out.

`steps`, `do`, `then` and `else` take a list, which runs from top to bottom; `graph` takes a map, whose
steps run as soon as their inputs are ready. What an author meant who mixes the two shows in the keys: a
map with the key of a kind of step in it is one step that lost its dash, any other map is a graph.
"""

from typing import Literal

from flowc.diagnostic import Fix
from flowc.resolve.found import Found, excerpt
from flowc.resolve.keys import LATER_STEPS, STEPS
from flowc.span import Span
from flowc.tree import Entry, Mapping, Scalar, Sequence

_LINES = 12


def is_step(mapping: Mapping) -> bool:
    """Whether a map has a key that says which kind of step it is."""
    return any(entry.key.text in STEPS or entry.key.text in LATER_STEPS for entry in mapping.entries)


def map_for_list(found: Found, entry: Entry, mapping: Mapping) -> Literal["step", "graph"]:
    """Reports a map under `steps`, `do`, `then` or `else`, and returns what it probably is."""
    key = entry.key.text
    message = f"`{key}` takes a list of steps, and this is a map"
    if is_step(mapping):
        text, better = _dashed(found, mapping)
        found.error(
            "F0105",
            message,
            excerpt(mapping),
            hint="this looks like a single step without its dash",
            help=f"write the step with a dash:\n{text}",
            fixes=(Fix(mapping.span, better, "add the dash"),),
        )
        return "step"
    graph_allowed = key in ("steps", "do")
    found.error(
        "F0105",
        message,
        excerpt(mapping),
        hint="this looks like a graph, a map of names to steps",
        help=f"write `graph:` instead of `{key}:` if the steps may run as soon as their inputs are ready, "
        "or a list with dashes, `- id: name`, if they run from top to bottom"
        if graph_allowed
        else "write a list with dashes, `- id: name`, or put the map under `- graph:`",
        fixes=(Fix(entry.key.span, "graph", "write `graph:`"),) if graph_allowed else (),
    )
    return "graph"


def list_for_graph(found: Found, entry: Entry, sequence: Sequence, word: str) -> None:
    """Reports a list under `graph`; `word` is the key under which a list may stand here."""
    better = _named(found, sequence)
    list_fix = Fix(entry.key.span, word, f"write `{word}:`, for steps that run from top to bottom")
    if better is None:
        way_out = f"write `{word}:` instead of `graph:`, or give every step a name:\ngraph:\n  name: …"
        fixes: tuple[Fix, ...] = (list_fix,)
    else:
        way_out = (
            f"write the names as keys:\n{_shown(better)}\n"
            f"or, for steps that run from top to bottom, write `{word}:` instead of `graph:`"
        )
        graph_fix = Fix(sequence.span, better.lstrip(" "), "write the names as keys")
        fixes = () if sequence.flow else (graph_fix, list_fix)
    found.error(
        "F0104",
        "`graph` takes a map of names to steps, and this is a list",
        excerpt(sequence),
        hint="a list runs from top to bottom",
        help=way_out,
        fixes=fixes,
    )


def _dashed(found: Found, mapping: Mapping) -> tuple[str, str]:
    """The map as the one item of a list: as a message shows it, and in its place."""
    text = found.text(mapping.span).rstrip()
    if mapping.flow:
        return f"[{text}]", f"[{text}]"
    better = "- " + text.replace("\n", "\n  ")
    column = _column(found, mapping.span)
    return _shown(" " * column + better), better


def _named(found: Found, sequence: Sequence) -> str | None:
    """The list of named steps as a map, in the columns of the text; None when some step has no name."""
    indent = " " * _column(found, sequence.span)
    lines: list[str] = []
    for item in sequence.items:
        if not isinstance(item, Mapping):
            return None
        names = [entry.value for entry in item.entries if entry.key.text == "id"]
        rest = [entry for entry in item.entries if entry.key.text != "id"]
        if len(names) != 1 or not isinstance(names[0], Scalar) or not rest:
            return None
        value = rest[0].value
        if len(rest) == 1 and rest[0].key.text in ("call", "value") and isinstance(value, Scalar):
            lines.append(f"{indent}{names[0].text}: {found.text(value.span)}")
            continue
        lines.append(f"{indent}{names[0].text}:")
        lines += [f"{indent}  {found.text(entry.key.span.to(entry.value.span)).rstrip()}" for entry in rest]
    return "\n".join(lines)


def _column(found: Found, span: Span) -> int:
    return found.source.position(span.start)[1] - 1


def _shown(text: str) -> str:
    """A text for a message: moved to the left, with two spaces before each line, and not too long."""
    lines = text.split("\n")
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    shown = [f"  {line[indent:]}".rstrip() for line in lines[:_LINES]]
    return "\n".join([*shown, "  …"] if len(lines) > _LINES else shown)
