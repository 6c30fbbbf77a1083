"""What converting finds wrong with a line that the grammar takes comes in; diagnostics go out."""

from collections.abc import Iterable

from flowc.diagnostic import Diagnostic, Label
from flowc.read_dsl.habits import TAKEN, find_habit
from flowc.read_dsl.parts import Made
from flowc.span import Source, Span
from flowc.tree import Entry
from flowrt.noun import field, noun

CHAIN_LIMIT = 48
"""Blocks in blocks, and branches of an `elif` behind each other: each is two levels of the tree."""


_MOST = 500


@noun(frozen=False)
class Findings:
    """The findings of one file so far; `depth` is how deep the present place is in the tree."""

    source: Source
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    depth: int = 0

    def add(self, code: str, message: str, span: Span, help_: str, *labels: Label) -> None:
        """Note one; not thousands of them."""
        if len(self.diagnostics) >= _MOST:
            return
        self.diagnostics.append(
            Diagnostic(code, message, self.source, span, help=help_, labels=tuple(labels))
        )

    def once(self, entries: Iterable[Entry]) -> list[Entry]:
        """The entries without those whose key was there before, which are reported."""
        kept: dict[str, Entry] = {}
        for each in entries:
            first = kept.setdefault(each.key.text, each)
            if first is not each:
                self.add(
                    "F0006",
                    f"`{each.key.text}` stands here twice",
                    each.key.span,
                    "leave one of the two out",
                    Label(first.key.span, "the first one"),
                )
        return list(kept.values())

    def is_too_deep(self, at: Made) -> bool:
        """Whether the present place is deeper than steps may stand, which is reported."""
        if self.depth <= CHAIN_LIMIT:
            return False
        self.add(
            "F0002",
            f"this stands more than {CHAIN_LIMIT} blocks and branches deep",
            at.span,
            "write `switch` in the place of many `elif`, or make a flow of the inner steps",
        )
        return True


_PLACES = {
    "flow_doc": (
        "a text by itself",
        'a flow has its text in its first line, a step has `doc`; as the value of a block it is `("text")`',
    ),
    "flow_timeout": (
        "`timeout`",
        "it stands behind the call that it bounds, or in the body of the flow itself",
    ),
    "schedule": ("`schedule`", "it stands in the body of the flow itself"),
    "label": ("`label`", "it stands in the body of the flow itself"),
    "defaults": ("`defaults`", "it stands in the body of the flow itself"),
    "result": ("`result`", "it stands in the body of the flow itself; inside of a block write `return`"),
    "collect": ("`collect`", "it is the last line of the body of a `for`"),
}


def misplaced(found: Findings, line: Made) -> None:
    """Report a line that stands in the wrong block."""
    what, where = _PLACES[line.name]
    found.add("F0034", f"{what} does not belong here", line.span, where)


def is_habit(found: Findings, line: Made) -> bool:
    """Whether a statement that assigns nothing was meant as something else, which is reported."""
    habit = find_habit(found.source, line.span, TAKEN)
    if habit is not None:
        found.diagnostics.append(habit)
    return habit is not None


def not_alone(found: Findings, line: Made) -> None:
    """Report a `pass` beside other steps."""
    found.add("F0034", "`pass` does nothing here", line.span, "it stands alone in a block without steps")


def nameless(found: Findings, line: Made) -> None:
    """Report a step of a graph without a name."""
    found.add(
        "F0034",
        "a step of a graph has a name",
        line.span,
        "write `name = …`: the names are what the graph waits for",
    )


def endless(found: Findings, line: Made) -> None:
    """Report a `repeat` that does not say how long."""
    found.add(
        "F0034",
        "`repeat` does not say until when",
        Span(line.word.start, line.word.end),
        "write `until condition` behind its body, in the column of `repeat`",
    )


def no_flow(found: Findings) -> None:
    """Report a file without a flow."""
    found.add(
        "F0122",
        "there is no flow in this file",
        Span(0, 0),
        "begin with `flow name():` and its steps below it",
    )


def yaml_in_dsl(found: Findings, line: Span) -> None:
    """Report a file that holds YAML."""
    name = found.source.name
    better = f"{name}.yaml" if name.endswith(".flow") else "NAME.flow.yaml"
    found.add(
        "F0033", "this is a flow in YAML, and the file is read as the DSL", line, f"name the file `{better}`"
    )
