"""A step or a block comes in; out go the steps inside it, at any depth, and the names that they assign."""

from collections.abc import Iterator
from typing import assert_never

from flowc.ir import (
    Block,
    Break,
    Call,
    Continue,
    Do,
    Emit,
    Fail,
    For,
    Graph,
    Ident,
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
    Steps,
    Switch,
    Try,
    Value,
    Wait,
)
from flowrt.expr.tree import Expr


def blocks_of(step: Step) -> tuple[Block, ...]:  # noqa: PLR0911 - one a kind
    """The blocks that stand directly in a step, in the order of the text."""
    match step:
        case If():
            return (step.then,) if step.orelse is None else (step.then, step.orelse)
        case Switch():
            bodies = tuple(case.body for case in step.cases)
            return bodies if step.orelse is None else (*bodies, step.orelse)
        case Race():
            return tuple(branch.body for branch in step.branches)
        case For() | Loop() | Graph() | Do() | Saga() | Lock():
            return (step.body,)
        case Wait():
            return () if step.orelse is None else (step.orelse,)
        case Try():
            catches = (catch.body for catch in step.catches)
            return (step.body, *catches, *(() if step.final is None else (step.final,)))
        case (
            Call()
            | Value()
            | Sleep()
            | Emit()
            | Start()
            | Return()
            | Raise()
            | Rethrow()
            | Fail()
            | Break()
            | Continue()
        ):
            return ()
        case _:
            assert_never(step)


def calls_of(step: Step) -> tuple[Call, ...]:
    """The calls that were lifted out of a step's expressions, those made at the ends of bodies included."""
    match step:
        case For():
            return (*step.meta.prelude, *step.collect_prelude)
        case Loop():
            return (*step.meta.prelude, *step.check)
        case Return():
            return step.meta.prelude if step.tail is None else (*step.meta.prelude, step.tail)
        case Start():
            return (*step.meta.prelude, step.call)
        case (
            Call()
            | Value()
            | If()
            | Sleep()
            | Wait()
            | Emit()
            | Graph()
            | Do()
            | Saga()
            | Lock()
            | Switch()
            | Race()
            | Try()
            | Raise()
            | Rethrow()
            | Fail()
            | Break()
            | Continue()
        ):
            return step.meta.prelude
        case _:
            assert_never(step)


def steps_in(block: Block) -> Iterator[Step]:
    """Every step of a block and of the blocks inside it, in the order of the text."""
    todo = list(reversed(block.steps))
    while todo:
        step = todo.pop()
        yield step
        for inner in reversed(blocks_of(step)):
            todo.extend(reversed(inner.steps))


def assigned_in(block: Block) -> frozenset[str]:
    """The names that the steps of a block assign, at any depth."""
    return frozenset(step.meta.id.text for step in steps_in(block) if step.meta.id is not None)


def assigned_inside(step: Step) -> dict[str, Ident]:
    """The names that the blocks inside a step assign, each where it first is; `variables_of` them too."""
    names = {name.text: name for name in variables_of(step)}
    for block in blocks_of(step):
        for inner in steps_in(block):
            if inner.meta.id is not None:
                names.setdefault(inner.meta.id.text, inner.meta.id)
            for name in variables_of(inner):
                names.setdefault(name.text, name)
    return names


def variables_of(step: Step) -> tuple[Ident, ...]:
    """The names that a step gives to a block inside it, for as long as that runs."""
    match step:
        case For():
            return (step.var,)
        case Try():
            return tuple(catch.name for catch in step.catches if catch.name is not None)
        case _:
            return ()


def names_of(step: Step) -> tuple[str, ...]:
    """The fields of a step's value, when it is the mapping of a graph's names; else nothing."""
    if not isinstance(step, Graph | Do) or isinstance(step.body, Steps):
        return ()
    return tuple(each.meta.id.text for each in step.body.steps if each.meta.id is not None)


def given_to(call: Call) -> tuple[Expr, ...]:
    """What a call is given: the key of the actor, if there is one, and the arguments."""
    key = () if call.key is None else (call.key,)
    return (*key, *call.args, *(value for _, value in call.kwargs))
