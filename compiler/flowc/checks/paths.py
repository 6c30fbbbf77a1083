"""Names that are assigned on some paths only to the place where they are read: the path is named."""

from collections.abc import Iterator

from flowc.checks.places import first_line
from flowc.diagnostic import Diagnostic, Label
from flowc.scope.facts import FlowFacts, Read
from flowc.scope.scope import Binding


def missing_paths(facts: FlowFacts) -> Iterator[Diagnostic]:
    """Each assignment that does not hold on every path is reported at the first place that relies on it."""
    told: set[tuple[str, int]] = set()
    for read in facts.reads:
        binding = read.binding
        if binding is None or binding.hidden is not None or not binding.gaps:
            continue
        key = (binding.name, binding.gaps[-1].span.start)
        if key not in told:
            told.add(key)
            yield _missing(read, binding, facts)


def _missing(read: Read, binding: Binding, facts: FlowFacts) -> Diagnostic:
    name, source = binding.name, facts.file.source
    labels = [Label(binding.span, f"`{name}` is assigned here")]
    *way, last = binding.gaps
    labels.extend(Label(first_line(source, gap.span), f"{gap.text}, and") for gap in way)
    labels.append(Label(first_line(source, last.span), f"{last.text}, `{name}` is not assigned"))
    return Diagnostic(
        "F0202",
        f"`{name}` is not assigned on every path to this place",
        source,
        read.at,
        hint="may be missing here",
        help=f"assign `{name}` on that path too, or give it a value in a step above",
        labels=tuple(labels),
    )
