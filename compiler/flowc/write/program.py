"""Write a program: a `Program` comes in, its bind graph goes out as text for people, or as JSON.

    flow daily_etl(day: date, fanout: int = 32) -> Report
      0 parts = task shop.etl:list_partitions(day)
          reads day
      1 loads = for part in parts parallel fanout errors collect
          reads parts=@0, day, fanout; after @0
          do
            0 raw = task shop.etl:extract(part, day=day) retry 4 …
                reads part, day
            gives @0

One line says what a node does, the line below it where its names come from and what it comes after:
`parts=@0` is the value of node 0 of the same body, `x=@3.y` what node 3 assigned to `y`, a name alone comes
from the surroundings. Below that stand the node's own bodies. The text is stable: golden files hold it.
"""

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import date, timedelta
from typing import assert_never, cast

from flowc.expr.types import show
from flowc.write.expr import write_expr
from flowrt.expr.tree import Const, Expr
from flowrt.program import (
    Block,
    Body,
    Bounded,
    Branch,
    Cache,
    CallFlow,
    Compute,
    Emit,
    Fail,
    Flow,
    ForEach,
    Imported,
    Leave,
    Lock,
    Loop,
    Node,
    Op,
    Param,
    Program,
    Race,
    Rethrow,
    Retry,
    Saga,
    Sample,
    Sleep,
    Source,
    Start,
    Switch,
    Task,
    Try,
    Undo,
    Wait,
)
from flowrt.type_ref import Input

STEP = "  "

LOST_MAX = 3
"""How often a lost worker is replaced when nothing else is said; not worth a word."""


def write_text(program: Program) -> str:
    """The bind graph of a program, readable; the main flow first."""
    names = [program.main, *(name for name in program.flows if name != program.main)]
    return "\n".join("".join(f"{line}\n" for line in _flow(program.flows[name])) for name in names)


def _flow(flow: Flow) -> Iterator[str]:
    inputs = ", ".join(map(_input, flow.inputs))
    returns = "" if flow.returns is None else f" -> {show(flow.returns)}"
    yield f"flow {flow.name}({inputs}){returns}{worded('timeout', flow.timeout)}"
    for name, text in flow.labels:
        yield f"{STEP}label {name}={text!r}"
    if flow.schedule is not None:
        yield f"{STEP}schedule {flow.schedule}"
    yield from _indented(_body(flow.body))


def _input(declared: Input) -> str:
    default = "" if declared.default is None else f" = {write_expr(declared.default)}"
    bounds = (
        worded("min", declared.minimum)
        + worded("max", declared.maximum)
        + worded("choices", declared.choices)
    )
    return f"{declared.name}: {show(declared.type)}{default}{bounds}"


def _body(body: Body) -> Iterator[str]:
    if body.failure != "cancel":
        yield f"failure {body.failure}"
    for index, node in enumerate(body.nodes):
        yield f"{index} {node.id} = {operation_text(node.op)}"
        edges = _edges(node)
        if edges:
            yield STEP * 2 + edges
        for word, inner in labelled_bodies(node.op):
            yield STEP * 2 + word
            yield from (STEP * 3 + line for line in _body(inner))
    if body.value is not None:
        yield f"gives {_source(body.value)}"
    if body.exports:
        yield f"exports {_sources(body.exports)}"


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (STEP + line for line in lines)


def _edges(node: Node) -> str:
    reads = f"reads {_sources(node.env)}" if node.env else ""
    after = f"after {', '.join(f'@{index}' for index in node.after)}" if node.after else ""
    return "; ".join(filter(None, (reads, after)))


def _sources(named: tuple[tuple[str, Source], ...]) -> str:
    return ", ".join(name if source == Param(name) else f"{name}={_source(source)}" for name, source in named)


def _source(source: Source) -> str:
    if isinstance(source, Param):
        return source.name
    return f"@{source.node}.{source.field}" if source.field else f"@{source.node}"


def labelled_bodies(op: Op) -> Iterator[tuple[str, Body]]:  # noqa: C901, PLR0912 - one arm a kind
    """The bodies inside an operation, each with the word that it stands under."""
    match op:
        case Branch(_, then, orelse):
            yield "then", then
            if orelse is not None:
                yield "else", orelse
        case ForEach(body=body) | Block(body) | Saga(body) | Lock(_, body) | Bounded(body):
            yield "do", body
        case Task(undo=Undo(body)):
            yield "undo", body
        case Loop(body=body, check=check):
            if check is not None:
                yield "check", check
            yield "do", body
        case Wait(orelse=orelse):
            if orelse is not None:
                yield "else", orelse
        case Switch(_, cases, orelse):
            for case in cases:
                yield f"case {', '.join(map(write_expr, case.values))}", case.body
            if orelse is not None:
                yield "else", orelse
        case Race(branches):
            yield from ((f"branch {branch.id}", branch.body) for branch in branches)
        case Try(body, catches, final):
            yield "try", body
            for catch in catches:
                name = f" as {catch.name}" if catch.name else ""
                yield f"catch {', '.join(catch.types)}{name}", catch.body
            if final is not None:
                yield "finally", final
        case (
            Task()
            | Compute()
            | Sample()
            | Sleep()
            | Emit()
            | CallFlow()
            | Start()
            | Leave()
            | Rethrow()
            | Fail()
        ):
            pass


def operation_text(op: Op) -> str:  # noqa: C901, PLR0911, PLR0912 - one arm a kind
    """An operation in one line, without its bodies."""
    match op:
        case Task():
            return _task(op)
        case Compute(expr):
            return f"value {write_expr(expr)}"
        case Sample(what):
            return f"sample {what}"
        case Branch(cond):
            return f"if {write_expr(cond)}"
        case ForEach():
            return _for_each(op)
        case Loop():
            carried = _carried(op.carried)
            return (
                f"{op.kind} {write_expr(op.cond)}{worded('max', op.max)}{worded('every', op.every)}{carried}"
            )
        case Sleep():
            return _sleep(op)
        case Wait(event, key, match, timeout):
            return f"wait {event}{worded('key', key)}{worded('match', match)}{worded('timeout', timeout)}"
        case Emit(event, key, payload):
            return f"emit {event}{worded('key', key)}{worded('with', payload)}"
        case Block(_, names):
            return "graph" if names else "do"
        case Lock(name, _, limit, key):
            return f"lock {name}{worded('key', key)}{worded('limit', limit)}"
        case Saga():
            return "saga"
        case Switch(subject):
            return f"switch {write_expr(subject)}"
        case Race(_, need, errors):
            return f"race{worded('need', need)}{'' if errors == 'fail' else f' errors {errors}'}"
        case Try():
            return "try"
        case Bounded(_, timeout, retry):
            return f"do{worded('timeout', timeout)}{'' if retry is None else _retry(retry)}"
        case Rethrow(name):
            return f"raise {name}"
        case CallFlow(flow, args):
            return f"call {flow}({_args(args)})"
        case Start(flow, args):
            return f"start {flow}({_args(args)})"
        case Leave("tail", _, flow, args):
            return f"go on as {flow}({_args(args)})"
        case Leave(kind, value):
            return f"{kind} {value}" if value is not None else kind
        case Fail(message):
            return f"fail {write_expr(message)}"
        case _:
            assert_never(op)


def _sleep(op: Sleep) -> str:
    until = f"{worded('until', op.until)}{worded('cron', op.cron)}{worded('tz', op.tz)}"
    return f"sleep{worded('', op.duration)}{until}"


def _task(task: Task) -> str:
    callee = task.callee.path if isinstance(task.callee, Imported) else f"pickled {task.callee.name}"
    if task.actor is not None:
        callee += f"({write_expr(task.actor.key)}).{task.actor.method}"
    args = [*map(write_expr, task.args), *(f"{name}={write_expr(value)}" for name, value in task.kwargs)]
    retry = " retry never" if task.once else "" if task.retry is None else _retry(task.retry)
    lost = "" if task.listener or task.lost_max == LOST_MAX else f" lost_max {task.lost_max}"
    return (
        f"{'raise' if task.raises else 'listener' if task.listener else 'task'} {callee}({', '.join(args)})"
        f"{retry}{worded('timeout', task.timeout)}{worded('heartbeat', task.heartbeat)}"
        f"{worded('options', task.options)}{lost}{_cache(task.cache)}"
    )


def _cache(cache: Cache | None) -> str:
    return "" if cache is None else f" cache{worded('', cache.key)}{worded('ttl', cache.ttl)}"


def _retry(retry: Retry) -> str:
    catch = f" catch {', '.join(retry.catch)}" if retry.catch else ""
    unless = f" unless {', '.join(retry.unless)}" if retry.unless else ""
    return (
        f"{worded('retry', retry.max)}{worded('delay', retry.delay)}{worded('factor', retry.factor)}"
        f"{worded('cap', retry.cap)} jitter {retry.jitter}{catch}{unless}{worded('within', retry.within)}"
    )


def _for_each(op: ForEach) -> str:
    return (
        f"for {op.var} in {op.items}{worded('parallel', op.parallel)}"
        f"{'' if op.errors == 'fail' else f' errors {op.errors}'}"
        f"{worded('need', op.need)}{worded('batch', op.batch)}{_carried(op.carried)}"
        f"{'' if op.keep else ' (value not kept)'}"
    )


def _carried(names: tuple[str, ...]) -> str:
    return f" carrying {', '.join(names)}" if names else ""


def _args(args: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name}={source}" for name, source in args)


def worded(word: str, expr: Expr | None) -> str:
    """A word and an expression behind a space, or nothing when there is no expression."""
    if expr is None:
        return ""
    text = write_expr(expr)
    if isinstance(expr, Const) and isinstance(expr.value, timedelta):
        text = text.removeprefix('duration("').removesuffix('")')
    return f" {word} {text}" if word else f" {text}"


def write_json(program: Program) -> str:
    """All of a program as JSON: each dataclass an object with its class as `kind`.

    Expressions are their texts, durations and dates too; pickled code is left out.
    """
    shown = {"main": program.main, "flows": {name: _plain(flow) for name, flow in program.flows.items()}}
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


def _plain(value: object) -> object:
    """A part of a program as JSON's own types."""
    if isinstance(value, Expr):
        return write_expr(value)
    if is_dataclass(value) and not isinstance(value, type):
        parts = {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
        return {"kind": type(value).__name__, **parts}
    if isinstance(value, tuple):
        return [_plain(part) for part in cast("tuple[object, ...]", value)]
    if isinstance(value, timedelta | date):
        return str(value)
    return value
