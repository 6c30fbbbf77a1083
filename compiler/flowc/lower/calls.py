"""Lower calls: a `Call` of the IR becomes a task, a sample or a call of a flow."""

from flowc.ir import Call, FlowCallee, Ident, Raise, Return, Start, TaskCallee
from flowc.lower.maker import Maker, names_in
from flowc.lower.retry import lower_retry, read_by
from flowc.scope.blocks import given_to
from flowrt.expr.tree import Expr
from flowrt.noun import replace
from flowrt.program import (
    Actor,
    Body,
    Bounded,
    Cache,
    CallFlow,
    Imported,
    Leave,
    Node,
    Out,
    Param,
    Sample,
    SampleKind,
    Source,
    Task,
    Undo,
)
from flowrt.program import Start as StartOp

LISTENER_LOST_MAX = 1_000
"""A listener may wait for months, and what is lost by losing its worker is nothing but the wait."""

_SAMPLES: dict[str, SampleKind] = {
    "flowc:now": "now",
    "flowc:today": "today",
    "flowc:uuid": "uuid",
    "flowc:random": "random",
}


def lower_prelude(maker: Maker, calls: tuple[Call, ...]) -> None:
    """The calls that were lifted out of a step's expressions: steps of their own, in their order."""
    for call in calls:
        index = lower_call(maker, call)
        if call.meta.id is not None:
            maker.own[call.meta.id.text] = Out(index)


def lower_call(maker: Maker, call: Call) -> int:
    """A call; the calls inside its arguments come first."""
    lower_prelude(maker, call.meta.prelude)
    if isinstance(call.callee, FlowCallee):
        args, env = _flow_args(maker, call, call.callee)
        return _add_flow_call(maker, call, CallFlow(maker.flows[call.callee.name].name, args), env)
    if call.callee.path in _SAMPLES:
        return maker.add(call.meta.path_id, Sample(_SAMPLES[call.callee.path]), ())
    task, names = _task(call)
    if call.undo is not None:
        own = "" if call.meta.id is None else call.meta.id.text
        undo = _undo(call.undo, own, names)
        task = replace(task, undo=undo)
        names = [*names, *undo.apart]
    return maker.add(call.meta.path_id, task, names)


def _add_flow_call(maker: Maker, call: Call, op: CallFlow, env: list[tuple[str, Source]]) -> int:
    """A call of a flow; with a bound in time or a policy it is a block of its own, of one step `flow`."""
    said = call.modifiers
    if said.timeout is None and said.retry is None:
        return maker.add(call.meta.path_id, op, (), env)
    body = Body((Node("flow", op, tuple((name, Param(name)) for name, _ in env)),), Out(0))
    retry = None if said.retry is None else lower_retry(said.retry)
    names = names_in(said.timeout, *read_by(retry))
    return maker.add(call.meta.path_id, Bounded(body, said.timeout, retry), names, env)


def _undo(call: Call, own: str, names: list[str]) -> Undo:
    """What takes a step back that reads `names` itself, and whose value has the name `own`."""
    task, read = _task(call)
    read = [name for name in read if name != "run"]
    node = Node(call.meta.path_id, task, tuple((name, Param(name)) for name in read))
    others = tuple(name for name in read if name != own)
    apart = tuple(name for name in others if name not in names)
    return Undo(Body((node,)), own if own in read else "", others, apart)


def _task(call: Call) -> tuple[Task, list[str]]:
    """The task of a call, without what takes it back, and the names that it reads."""
    assert isinstance(call.callee, TaskCallee), "a flow is no task"
    said = call.modifiers
    once = said.retry is not None and said.retry.never
    retry = None if said.retry is None or once else lower_retry(said.retry)
    task = Task(
        callee=Imported(call.callee.path),
        args=call.args,
        kwargs=_kwargs(call.kwargs),
        options=said.options,
        retry=retry,
        timeout=said.timeout,
        heartbeat=said.heartbeat,
        once=once,
        cache=None if said.cache is None else Cache(said.cache.key, said.cache.ttl),
    )
    if call.callee.listener:
        task = replace(task, listener=True, lost_max=LISTENER_LOST_MAX)
    cached = () if said.cache is None else (said.cache.key, said.cache.ttl)
    lengths = (said.timeout, said.heartbeat, *cached)
    if call.callee.method and call.key is not None:
        task = replace(task, actor=Actor(call.key, call.callee.method))
    values = (*given_to(call), said.options, *lengths)
    return task, names_in(*values, *read_by(retry))


def lower_start(maker: Maker, step: Start) -> int:
    """`start`: a flow with its inputs, as a run of its own."""
    assert isinstance(step.call.callee, FlowCallee), "only flows are started"
    args, env = _flow_args(maker, step.call, step.call.callee)
    flow = maker.flows[step.call.callee.name].name
    return maker.add(step.meta.path_id, StartOp(flow, args), (), env)


def lower_raise(maker: Maker, step: Raise) -> int:
    """`raise`: a task that makes the exception."""
    callee: TaskCallee = step.callee
    task = Task(Imported(callee.path), step.args, _kwargs(step.kwargs), raises=True)
    names = names_in(*step.args, *(value for _, value in step.kwargs))
    maker.left = True
    return maker.add(step.meta.path_id, task, names)


def lower_return(maker: Maker, step: Return) -> int:
    """`return`: of nothing, of a value, or by going on as another flow."""
    path = step.meta.path_id
    maker.left = True
    if step.tail is not None and isinstance(step.tail.callee, FlowCallee):
        lower_prelude(maker, step.tail.meta.prelude)
        args, env = _flow_args(maker, step.tail, step.tail.callee)
        flow = maker.flows[step.tail.callee.name].name
        return maker.add(path, Leave("tail", flow=flow, args=args), (), env)
    if step.expr is None:
        return maker.add(path, Leave("return"), ())
    name, source = maker.named(step.expr, f"{path}/value", "$value")
    return maker.add(path, Leave("return", name), (), ((name, source),))


def _flow_args(
    maker: Maker, call: Call, callee: FlowCallee
) -> tuple[tuple[tuple[str, str], ...], list[tuple[str, Source]]]:
    """Which input of the flow is which name, and the sources of those names."""
    inputs = [each.name.text for each in maker.flows[callee.name].flow.inputs]
    given = [*zip(inputs, call.args, strict=False), *((name.text, value) for name, value in call.kwargs)]
    args: list[tuple[str, str]] = []
    env: dict[str, Source] = {}
    for name, value in given:
        known, source = maker.named(value, f"{call.meta.path_id}/{name}", f"${name}")
        args.append((name, known))
        env[known] = source
    return tuple(args), list(env.items())


def _kwargs(kwargs: tuple[tuple[Ident, Expr], ...]) -> tuple[tuple[str, Expr], ...]:
    return tuple((name.text, value) for name, value in kwargs)
