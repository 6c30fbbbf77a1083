"""Lower steps: one step of the IR becomes one node, and the nodes of the calls inside its expressions.

In: a block of checked IR and the body that it goes into. Out: the source of the block's value. Steps of
a list are nodes each after the one before; steps behind one that always leaves are never reached and
become nothing.
"""

from functools import partial
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
    Steps,
    Switch,
    Try,
    Value,
    Wait,
)
from flowc.lower.branches import lower_if, lower_race, lower_switch, lower_wait
from flowc.lower.calls import lower_call, lower_prelude, lower_raise, lower_return, lower_start
from flowc.lower.graphs import graph_value, lower_graph, names_of_graph
from flowc.lower.loops import lower_for, lower_jump, lower_loop
from flowc.lower.maker import Maker, names_in, params_of
from flowc.lower.tries import bounded, lower_try
from flowrt.program import Block as BlockOp
from flowrt.program import Body, Failure, Op, Out, Source
from flowrt.program import Emit as EmitOp
from flowrt.program import Fail as FailOp
from flowrt.program import Lock as LockOp
from flowrt.program import Rethrow as RethrowOp
from flowrt.program import Saga as SagaOp
from flowrt.program import Sleep as SleepOp


def lower_block(maker: Maker, block: Block, *, wanted: bool) -> Source | None:
    """Add the steps of a block; the source of its value if it is `wanted` and there is one."""
    match block:
        case GraphBody():
            lower_graph(maker, block, partial(_lower_step, wanted=True))
            return graph_value(maker, block) if wanted else None
        case Steps(steps):
            value: Source | None = None
            for step in steps:
                if maker.left:
                    break
                is_last = step is steps[-1]
                value = Out(_lower_step(maker, step, wanted=wanted and is_last))
            return value if wanted and not maker.left else None
        case _:
            assert_never(block)


def _lower_step(maker: Maker, step: Step, *, wanted: bool) -> int:
    """Add a step and note the name of its value; the number of its node."""
    if not isinstance(step, Call):
        lower_prelude(maker, step.meta.prelude)
    index = _lower(maker, step, wanted=wanted or step.meta.id is not None)
    if step.meta.id is not None:
        maker.own[step.meta.id.text] = Out(index)
    return index


def _lower(maker: Maker, step: Step, *, wanted: bool) -> int:  # noqa: C901, PLR0911, PLR0912 - one arm a kind
    match step:
        case Call():
            return lower_call(maker, step)
        case Value(meta, expr):
            return maker.compute(meta.path_id, expr)
        case If():
            return lower_if(maker, step, lower_block, wanted=wanted)
        case Switch():
            return lower_switch(maker, step, lower_block, wanted=wanted)
        case Race():
            return lower_race(maker, step, lower_block, wanted=wanted)
        case For():
            return lower_for(maker, step, lower_block, wanted=wanted)
        case Loop():
            return lower_loop(maker, step, lower_block, wanted=wanted)
        case Sleep(meta, duration, until, cron, tz):
            op = SleepOp(duration, until, cron, tz)
            return maker.add(meta.path_id, op, names_in(duration, until, cron, tz))
        case Wait():
            return lower_wait(maker, step, lower_block)
        case Emit(meta, event, key, payload, declared):
            return maker.add(meta.path_id, EmitOp(event.text, key, payload, declared), names_in(key, payload))
        case Graph():
            return _lower_nested(maker, step, step.failure, wanted=wanted)
        case Try():
            return lower_try(maker, step, lower_block, wanted=wanted)
        case Rethrow(meta, error):
            maker.left = True
            return maker.add(meta.path_id, RethrowOp(error.text), (error.text,))
        case Do() | Saga() | Lock():
            return _lower_nested(maker, step, "cancel", wanted=wanted)
        case Start():
            return lower_start(maker, step)
        case Return():
            return lower_return(maker, step)
        case Raise():
            return lower_raise(maker, step)
        case Fail(meta, message):
            maker.left = True
            return maker.add(meta.path_id, FailOp(message), names_in(message))
        case Break() | Continue():
            return lower_jump(maker, step)
        case _:
            assert_never(step)


def _lower_nested(maker: Maker, step: Graph | Do | Saga | Lock, failure: Failure, *, wanted: bool) -> int:
    """`graph`, `do` and `saga`: what they assign is known after them."""
    inside = maker.inner()
    is_graph = isinstance(step.body, GraphBody)
    value = lower_block(inside, step.body, wanted=wanted and (isinstance(step, Lock) or not is_graph))
    if isinstance(step.body, GraphBody):
        names = names_of_graph(step.body)
    else:
        names = [name for name in inside.own if not name.startswith("$")]
    body = inside.body(value, inside.export(names), failure)
    op, read = _nested_op(step, body, names=is_graph)
    index = maker.add(step.meta.path_id, op, [*params_of(body), *read])
    maker.own.update({name: Out(index, name) for name in names} if not inside.left else {})
    maker.left = inside.left
    return index


def _nested_op(step: Graph | Do | Saga | Lock, body: Body, *, names: bool) -> tuple[Op, list[str]]:
    """The operation of a nested block, and the names that it reads besides those of its body."""
    if isinstance(step, Saga):
        return SagaOp(body), []
    if isinstance(step, Lock):
        return LockOp(step.name.text, body, step.limit, step.key), names_in(step.key, step.limit)
    if isinstance(step, Do) and (step.timeout is not None or step.retry is not None):
        return bounded(body, step.timeout, step.retry)
    return BlockOp(body, names=names), []
