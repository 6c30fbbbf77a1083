"""Plain execution: in a program and its inputs, out its result, in this process and at once.

This is the meaning of a program without durability: tasks are called directly, one after another, and
pauses are really slept. It holds no journal, and a result exists only when the whole run has ended. The
durable engine must come to the same results; that makes this small interpreter its oracle. It is also
what the bodies of `flowrt.graph.ops` run inside a worker.

Bodies nest as deep as the author nested them, at most 100, so they may recurse here; the nodes of a body
are a loop, and a tail call goes on in the same place. Values are handed on as they are: a callable that
changes its argument changes it for others too.
"""

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from random import random
from types import MappingProxyType
from typing import assert_never

from flowrt.amounts import duration_us, event_key, keyed_lock_name, whole_number
from flowrt.errors import BadInput
from flowrt.executor.run_info import RunInfo
from flowrt.expr.choose import choose
from flowrt.expr.kinds import truth
from flowrt.expr.tree import Expr, Name
from flowrt.inputs.payload import hold_payload
from flowrt.plain.loops import run_for, run_loop
from flowrt.plain.race import run_race
from flowrt.plain.saga import note_undo, run_saga
from flowrt.plain.scene import Done, Ended, Left, NeverEnds, PlainEvent, PlainFailure, Scene, Values
from flowrt.plain.task import run_task
from flowrt.plain.tries import caught_error, run_guarded
from flowrt.program import (
    Block,
    Body,
    Bounded,
    Branch,
    CallFlow,
    Compute,
    Emit,
    Fail,
    Flow,
    ForEach,
    Leave,
    Lock,
    Loop,
    Node,
    Op,
    Param,
    Program,
    Race,
    Rethrow,
    Saga,
    Sample,
    SampleKind,
    Sleep,
    Source,
    Start,
    Switch,
    Task,
    Try,
    Wait,
)
from flowrt.schedule import slot_after

DEPTH_MAX = 50
"""How deep flows may call each other here, tail calls not counted: each takes Python's own stack."""

_NOTHING: Values = MappingProxyType({})


def run_plain(
    program: Program,
    inputs: Values,
    events: Iterable[PlainEvent] | None = None,
    python_path: Sequence[str] = (),
) -> object:
    """Run a program to its end.

    Args:
        program: What to run.
        inputs: The values of the main flow's inputs; those left out take their defaults.
        events: What waits may take, oldest first. Without it a `wait` fails, for nobody would answer.
        python_path: Where callables are looked for first.

    Raises:
        BadInput: An input is missing or unknown.
        PlainFailure: A step failed for a reason that lies in the flow.
        Exception: What a callable raised.
    """
    flow = program.flows[program.main]
    labels = dict(flow.labels)
    run = RunInfo(f"plain-{uuid.uuid4().hex[:8]}", flow.name, datetime.now(UTC), labels)
    waiting = None if events is None else list(events)
    scene = Scene(program.flows, program.code, run, tuple(python_path), events=waiting, actors={})
    return run_flow(program.main, inputs, scene)


def run_flow(name: str, inputs: Values, scene: Scene) -> object:
    """The value of a flow. A tail call is one more turn of the loop."""
    while True:
        flow = scene.flows[name]
        ended = run_body(flow.body, filled_in(flow, inputs, scene), scene)
        if isinstance(ended, Done) or ended.kind != "tail":
            return ended.value
        name, inputs = ended.flow, ended.names


def filled_in(flow: Flow, inputs: Values, scene: Scene) -> Values:
    """The inputs of a flow, those left out at their defaults. Raises BadInput."""
    declared = {each.name: each for each in flow.inputs}
    for name in inputs:
        if name not in declared:
            raise BadInput(f"The flow `{flow.name}` has no input `{name}`.")
    filled = dict(inputs)
    for name, each in declared.items():
        if name in filled:
            continue
        if each.default is None:
            raise BadInput(f"The flow `{flow.name}` needs its input `{name}`.")
        filled[name] = scene.evaluate(each.default, _NOTHING)
    return filled


def run_body(body: Body, env: Values, scene: Scene) -> Ended:
    """Run the nodes of a body in their order."""
    done: dict[int, Done] = {}
    failure: Exception | None = None
    for index, node in enumerate(body.nodes):
        if failure is not None and not _is_ready(node, done):
            continue
        try:
            values = {name: read(source, env, done) for name, source in node.env}
            ended = run_op(node.op, values, scene)
        except Exception as error:
            if body.failure == "cancel":
                raise
            failure = failure or error
            continue
        if isinstance(ended, Left):
            return ended
        done[index] = ended
    if failure is not None:
        raise failure
    exports = {name: read(source, env, done) for name, source in body.exports}
    return Done(None if body.value is None else read(body.value, env, done), exports)


def _is_ready(node: Node, done: Mapping[int, Done]) -> bool:
    """Whether everything that a node comes after has succeeded; asked only after a failure."""
    reads = [source.node for _, source in node.env if not isinstance(source, Param)]
    return all(index in done for index in (*reads, *node.after))


def read(source: Source, env: Values, done: Mapping[int, Done]) -> object:
    """The value of a source in a body."""
    if isinstance(source, Param):
        return env[source.name]
    ended = done[source.node]
    return ended.names[source.field] if source.field else ended.value


def run_op(op: Op, env: Values, scene: Scene) -> Ended:  # noqa: C901, PLR0911, PLR0912 - one arm a kind
    """Run one operation with the values of its environment."""
    match op:
        case Task():
            value = run_task(op, env, scene)
            note_undo(op, value, env, scene)
            return Done(value)
        case Compute(Name(name)) if name in env:
            return Done(env[name])
        case Compute(expr):
            return Done(scene.evaluate(expr, env))
        case Sample(what):
            return Done(_sample(what))
        case Branch():
            return _run_branch(op, env, scene)
        case ForEach():
            return run_for(op, env, scene, run_body)
        case Loop():
            return run_loop(op, env, scene, run_body)
        case Sleep():
            return _sleep(op, env, scene)
        case Wait():
            return _run_wait(op, env, scene)
        case Emit():
            return _run_emit(op, env, scene)
        case Block(body, names):
            ended = run_body(body, env, scene)
            return Done(dict(ended.names), ended.names) if names and isinstance(ended, Done) else ended
        case Lock():
            return _run_lock(op, env, scene)
        case Saga():
            return run_saga(op, env, scene, run_body)
        case Switch():
            return _run_switch(op, env, scene)
        case Race():
            return run_race(op, env, scene, run_body)
        case Try() | Bounded():
            return run_guarded(op, env, scene, run_body)
        case Rethrow(name):
            raise caught_error(scene, env[name])
        case CallFlow(flow, args):
            return Done(_call_flow(flow, {name: env[source] for name, source in args}, scene))
        case Start(flow, args):
            return Done(_start_flow(flow, {name: env[source] for name, source in args}, scene))
        case Leave("tail", _, flow, args):
            return Left("tail", names={name: env[source] for name, source in args}, flow=flow)
        case Leave(kind, value):
            return Left(kind, None if value is None else env[value], env)
        case Fail(message):
            raise PlainFailure("flowrt.FlowFailed", str(scene.evaluate(message, env)))
        case _:
            assert_never(op)


def _sample(what: SampleKind) -> object:
    match what:
        case "now":
            return datetime.now(UTC)
        case "today":
            return datetime.now(UTC).date()
        case "uuid":
            return str(uuid.uuid4())
        case "random":
            return random()  # noqa: S311 - not for secrets


def _run_branch(op: Branch, env: Values, scene: Scene) -> Ended:
    if truth(scene.evaluate(op.cond, env)):
        return run_body(op.then, env, scene)
    return Done() if op.orelse is None else run_body(op.orelse, env, scene)


def _run_switch(op: Switch, env: Values, scene: Scene) -> Ended:
    cases = [case.values for case in op.cases]
    index = choose(op.subject, cases, lambda expr: scene.evaluate(expr, env))
    body = op.cases[index].body if index >= 0 else op.orelse
    return Done() if body is None else run_body(body, env, scene)


def _call_flow(flow: str, inputs: Values, scene: Scene) -> object:
    if scene.depth >= DEPTH_MAX:
        message = (
            f"Flows call each other {DEPTH_MAX} deep. End the recursion, or call as the last thing of "
            "the flow (`return`), which takes no depth."
        )
        raise PlainFailure("flowrt.RecursionLimit", message)
    return run_flow(flow, inputs, replace(scene, depth=scene.depth + 1, undos=None))


def _start_flow(flow: str, inputs: Values, scene: Scene) -> str:
    """Run a flow that goes on by itself: here and now, and how it ends is nobody's affair."""
    run = replace(scene.run, id=f"plain-{uuid.uuid4().hex[:8]}", flow=flow)
    with suppress(Exception):
        run_flow(flow, inputs, replace(scene, run=run, undos=None))
    return run.id


def _sleep(op: Sleep, env: Values, scene: Scene) -> Ended:
    if op.until is not None:
        pause_s = (_instant(scene.evaluate(op.until, env)) - datetime.now(UTC)).total_seconds()
    elif op.cron is not None:
        tz = "UTC" if op.tz is None else scene.evaluate(op.tz, env)
        now = time.time_ns() // 1_000
        pause_s = (slot_after(scene.evaluate(op.cron, env), tz, now) - now) / 1_000_000
    else:
        assert op.duration is not None, "a sleep has a duration, an instant or a cron expression"
        pause_s = duration_us("sleep", scene.evaluate(op.duration, env)) / 1_000_000
    time.sleep(max(0.0, pause_s))
    return Done()


def _instant(value: object) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    message = f"`until` is a datetime or a date, not {type(value).__name__}."
    raise TypeError(message)


def _run_emit(op: Emit, env: Values, scene: Scene) -> Ended:
    payload = None if op.payload is None else scene.evaluate(op.payload, env)
    hold_payload(op.event, payload, op.type)
    if scene.events is not None:
        scene.events.append(PlainEvent(op.event, _key(op.key, env, scene), payload))
    return Done()


def _run_wait(op: Wait, env: Values, scene: Scene) -> Ended:
    """Take the oldest event that fits; when there is none, nothing will come: the time is over at once."""
    if scene.events is None:
        message = (
            f"A plain run has no inbox, so `wait: {op.event}` would never end. Give `events`, or run the "
            "flow durably with `flowrt.run`."
        )
        raise NeverEnds("flowrt.NoInbox", message)
    key = _key(op.key, env, scene)
    for index, event in enumerate(scene.events):
        if (event.name, event.key) != (op.event, key):
            continue
        if op.match is None or truth(scene.evaluate(op.match, {**env, "event": event.payload})):
            del scene.events[index]
            kept = op.orelse.exports if op.orelse is not None else ()
            return Done(event.payload, {name: env[name] for name, _ in kept})
    if op.timeout is not None and op.orelse is not None:
        return run_body(op.orelse, env, scene)
    message = f"No event `{op.event}` came in time, and the wait has no `else`."
    raise (PlainFailure if op.timeout is not None else NeverEnds)("flowrt.WaitTimedOut", message)


def _run_lock(op: Lock, env: Values, scene: Scene) -> Ended:
    """Nobody else is there, so the lock is had at once; what it is computed from may still be wrong."""
    if op.key is not None:
        keyed_lock_name(op.name, scene.evaluate(op.key, env))
    if op.limit is not None:
        whole_number("limit", scene.evaluate(op.limit, env), 1)
    return run_body(op.body, env, scene)


def _key(key: Expr | None, env: Values, scene: Scene) -> str | None:
    return None if key is None else event_key(scene.evaluate(key, env))
