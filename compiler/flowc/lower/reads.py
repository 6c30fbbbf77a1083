"""A step of the IR comes in; out go the names that its expressions read, at any depth."""

from collections.abc import Iterator
from typing import assert_never

from flowc.ir import (
    Break,
    Call,
    Continue,
    Do,
    Emit,
    Fail,
    For,
    Graph,
    If,
    Lock,
    Loop,
    Modifiers,
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
from flowc.lower.maker import names_in
from flowc.scope.blocks import blocks_of, calls_of, given_to, variables_of
from flowrt.expr.tree import Expr


def reads_of(step: Step) -> set[str]:
    """The names that a step and the steps inside it read; variables of loops inside it are left out."""
    names: set[str] = set()
    variables: set[str] = set()
    todo = [step]
    while todo:
        each = todo.pop()
        names.update(names_in(*_exprs(each)))
        names.update(_undo_reads(each))
        todo.extend(calls_of(each))
        todo.extend(inner for block in blocks_of(each) for inner in block.steps)
        variables.update(name.text for name in variables_of(each))
    return names - variables


def _exprs(step: Step) -> Iterator[Expr | None]:  # noqa: C901, PLR0912 - one arm a kind
    match step:
        case Call():
            yield from (*given_to(step), *_modifiers(step.modifiers))
        case Raise(_, _, args, kwargs):
            yield from (*args, *(value for _, value in kwargs))
        case Value(_, expr) | Return(_, expr):
            yield expr
        case If(_, cond):
            yield cond
        case Switch(_, subject, cases):
            yield subject
            yield from (value for case in cases for value in case.values)
        case Race(_, _, need):
            yield need
        case For():
            yield from (step.items, step.parallel, step.need, step.batch, step.collect)
        case Loop():
            yield from (step.cond, step.max, step.every)
        case Sleep():
            yield from (step.duration, step.until, step.cron, step.tz)
        case Wait():
            yield from (step.key, step.match, step.timeout)
        case Emit():
            yield from (step.key, step.payload)
        case Fail(_, message):
            yield message
        case Lock():
            yield from (step.key, step.limit)
        case Do():
            yield from _modifiers(Modifiers(timeout=step.timeout, retry=step.retry))
        case Graph() | Saga() | Try() | Start() | Rethrow() | Break() | Continue():
            pass
        case _:
            assert_never(step)


def _undo_reads(step: Step) -> set[str]:
    """What the undo of a call reads, but for the value of the call."""
    if not isinstance(step, Call) or step.undo is None:
        return set()
    own = "" if step.meta.id is None else step.meta.id.text
    return set(names_in(*_exprs(step.undo))) - {own}


def _modifiers(said: Modifiers) -> Iterator[Expr | None]:
    yield from (said.options, said.timeout, said.heartbeat)
    if said.cache is not None:
        yield from (said.cache.key, said.cache.ttl)
    if said.retry is not None:
        retry = said.retry
        yield from (retry.max, retry.delay, retry.factor, retry.cap, retry.within)
