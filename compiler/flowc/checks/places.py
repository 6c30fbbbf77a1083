"""Spans and names of the IR come in; the short spans and phrases that messages point with go out."""

from flowc.ir import Break, Continue, Fail, Raise, Rethrow, Return
from flowc.scope.scope import Binding
from flowc.span import Source, Span


def first_line(source: Source, span: Span) -> Span:
    """The part of a span that stands on its first line, without the space at the end of it."""
    text = source.text[span.start : span.end]
    end = text.find("\n")
    line = text if end < 0 else text[:end]
    return Span(span.start, span.start + max(len(line.rstrip()), 1))


def kind_of(step: Return | Raise | Rethrow | Fail | Break | Continue) -> str:
    """The word of a step that leaves."""
    return "raise" if isinstance(step, Rethrow) else type(step).__name__.lower()


def origin(binding: Binding) -> str:
    """What made a name, for the label at its place."""
    match binding.kind:
        case "input":
            return f"`{binding.name}` is an input of the flow"
        case "variable":
            return f"`{binding.name}` is the variable of this loop"
        case "error":
            return f"`{binding.name}` is the error that this `catch` has caught"
        case "run" | "event" | "step" | "lifted":
            return f"`{binding.name}` is assigned here"


def listed(names: "tuple[str, ...] | list[str]", limit: int = 12) -> str:
    """Names for the end of a sentence: in backticks, with commas; a long list is cut."""
    shown = ", ".join(f"`{name}`" for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
