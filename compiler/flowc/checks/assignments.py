"""Names that are assigned where they must not be, or in vain."""

from collections.abc import Iterator
from typing import assert_never

from flowc.checks.places import origin
from flowc.diagnostic import Diagnostic, Label
from flowc.scope.facts import Clash, FlowFacts


def outer_assignments(facts: FlowFacts) -> Iterator[Diagnostic]:
    """Outer names that a graph, a branch of a race or the body of a parallel `for` assigns."""
    for clash in facts.clashes:
        yield _clash(clash, facts)


def _clash(clash: Clash, facts: FlowFacts) -> Diagnostic:
    name, word = clash.ident.text, facts.file.source.either("`id`", "name")
    match clash.barrier:
        case "graph":
            message = f"a graph cannot assign `{name}`, which has a value already"
            help_text = (
                f"each name of a graph is assigned once, since its steps have no order: choose another {word}"
            )
        case "parallel":
            message = f"the body of a parallel `for` cannot assign `{name}` of the outside"
            help_text = (
                f"its bodies run at the same time, so chance would say which one wins: choose another {word} "
                "and `collect` it, or leave out `parallel` to run one after another"
            )
        case "race":
            message = f"a branch of a race cannot assign `{name}` of the outside"
            help_text = (
                "the branches run at the same time, and only some of them get to their ends: choose another "
                f"{word}, make it the value of the branch by its last step, and read the {word} of the race"
            )
        case _:
            assert_never(clash.barrier)
    return Diagnostic(
        "F0204",
        message,
        facts.file.source,
        clash.ident.span,
        help=help_text,
        labels=(Label(clash.outer.span, origin(clash.outer)),),
    )


def shadowing_variables(facts: FlowFacts) -> Iterator[Diagnostic]:
    """Loop variables and caught errors that have the name of something else."""
    for shadow in facts.shadows:
        name = shadow.ident.text
        what, where = ("caught error", "else") if shadow.is_error else ("loop variable", "outside the loop")
        yield Diagnostic(
            "F0219",
            f"the {what} `{name}` has the name of something {where}",
            facts.file.source,
            shadow.ident.span,
            hint="has a value already",
            help=f"choose another name for the {what.split()[-1]}: "
            "a reader cannot tell which of the two is meant",
            labels=(Label(shadow.outer.span, origin(shadow.outer)),),
        )


def unread_values(facts: FlowFacts) -> Iterator[Diagnostic]:
    """Ids that are given again in the same list before anything has read the first value."""
    word = facts.file.source.either("`id`", "name")
    for pair in facts.overwritten:
        name = pair.first.text
        yield Diagnostic(
            "F0206",
            f"`{name}` is assigned again before anything has read its value",
            facts.file.source,
            pair.second.span,
            hint="takes the place of the value above",
            help=f"give one of the two another {word}, or leave the first one out if no step needs it",
            labels=(Label(pair.first.span, "this value is never read"),),
            severity="warning",
        )
