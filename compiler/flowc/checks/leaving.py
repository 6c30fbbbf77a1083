"""Steps that leave from where they cannot, and steps that no path reaches."""

from collections.abc import Iterator
from typing import assert_never

from flowc.checks.endless import endless_in
from flowc.checks.places import first_line, kind_of
from flowc.diagnostic import Diagnostic, Label
from flowc.ir import (
    Break,
    Call,
    Continue,
    Do,
    Emit,
    Fail,
    For,
    Graph,
    GraphBody,
    If,
    Lock,
    Loop,
    Race,
    Raise,
    Rethrow,
    Return,
    Saga,
    Sleep,
    Start,
    Step,
    Switch,
    Try,
    Value,
    Wait,
)
from flowc.scope.blocks import blocks_of
from flowc.scope.facts import FlowFacts, Misplaced, Unreached
from flowc.span import Span


def misplaced_leaves(facts: FlowFacts) -> Iterator[Diagnostic]:
    """`return`, `break` and `continue` in graphs, in parallel loops, and outside of loops."""
    for each in facts.misplaced:
        yield _outside(each, facts) if each.fault == "no loop" else _inside(each, facts)


def _outside(each: Misplaced, facts: FlowFacts) -> Diagnostic:
    word = kind_of(each.step)
    return Diagnostic(
        "F0212",
        f"`{word}` stands outside of any loop",
        facts.file.source,
        first_line(facts.file.source, each.step.meta.span),
        help="to end the flow here, write `return`"
        if word == "break"
        else "take it away: there is nothing to repeat",
    )


def _inside(each: Misplaced, facts: FlowFacts) -> Diagnostic:
    word, source = kind_of(each.step), facts.file.source
    outer: Step | None
    if each.fault == "finally":
        message = f"`{word}` cannot leave a `finally`"
        outer = next((s for s in reversed(each.inside) if isinstance(s, Try)), None)
        text = "this `try` goes on as it has ended: with its value, its failure, or what it left for"
        help_text = f"nobody would hear of a failure any more: put the `{word}` behind the `try`"
    elif each.fault == "graph":
        message = f"`{word}` cannot stand inside a graph"
        outer = next((step for step in reversed(each.inside) if _holds_graph(step)), None)
        text = "the steps of this graph run at the same time"
        if isinstance(outer, For | Loop):
            text = "the body of this loop is a graph, whose steps run at the same time"
        help_text = "the steps of a graph have no order to break off: "
        help_text += (
            "write `result:` for the value of the flow" if word == "return" else "use a list of steps (`do`)"
        )
    else:
        message = f"`{word}` cannot leave a parallel `for`"
        outer = next(
            (s for s in reversed(each.inside) if isinstance(s, For) and s.parallel is not None), None
        )
        text = "the bodies of this loop run at the same time"
        help_text = (
            "leave out `parallel` to run one body after another; or `collect` what the bodies find and go on "
            "after the loop; `need: 1` ends the loop when one body has succeeded"
        )
    labels = () if outer is None else (Label(_head(outer, facts), text),)
    at = first_line(source, each.step.meta.span)
    return Diagnostic("F0213", message, source, at, help=help_text, labels=labels)


def _holds_graph(step: Step) -> bool:
    return any(isinstance(block, GraphBody) for block in blocks_of(step))


def unreached_steps(facts: FlowFacts) -> Iterator[Diagnostic]:
    """The first step of a list that comes after one which always leaves."""
    endless = [loop for loop, _ in endless_in(facts)]
    for each in facts.unreached:
        # What cannot leave from where it stands, and a loop without an end, have been reported themselves.
        if not facts.misplaced and not any(each.after is loop for loop in endless):
            yield _unreached(each, facts)


def _unreached(each: Unreached, facts: FlowFacts) -> Diagnostic:
    what = "this result is never used" if each.is_result else "this step is never reached"
    source = facts.file.source
    return Diagnostic(
        "F0211",
        what,
        source,
        first_line(source, each.span),
        help="take it away, or move it above what leaves",
        labels=(Label(_head(each.after, facts), _why(each.after)),),
        severity="warning",
    )


def _why(step: Step) -> str:  # noqa: PLR0911 - one arm a kind
    match step:
        case Return():
            return "`return` ends the flow here"
        case Raise() | Rethrow() | Fail():
            return f"`{kind_of(step)}` fails here"
        case Break():
            return "`break` ends the loop here"
        case Continue():
            return "`continue` ends the iteration here"
        case Loop():
            return "this loop never ends by itself"
        case Race():
            return "every branch of this race leaves"
        case If() | Switch() | For() | Wait() | Graph() | Do() | Saga() | Lock() | Try():
            return "every path through this step leaves"
        case Call() | Value() | Sleep() | Emit() | Start():
            return "every path through this step leaves"
        case _:
            assert_never(step)


def _head(step: Step, facts: FlowFacts) -> Span:
    return first_line(facts.file.source, step.meta.span)
