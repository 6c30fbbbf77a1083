"""Loops of a plain execution: in a `for`, `while` or `until` and its values, out how it ended.

Bodies run one after another even where `parallel` allows more. So of a loop with `need` it is always
the first bodies that count.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from flowrt.amounts import duration_us
from flowrt.collected import Collected, ForError
from flowrt.encoding.elements import elements
from flowrt.executor.failure import failure_of
from flowrt.expr.kinds import truth
from flowrt.plain.scene import Done, Ended, Left, NeverEnds, PlainFailure, Scene, Values
from flowrt.program import Body, ForEach, Loop

RunBody: TypeAlias = Callable[[Body, Values, Scene], Ended]


def run_for(op: ForEach, env: Values, scene: Scene, run_body: RunBody) -> Ended:
    """Run the body once for each item, or list of items."""
    batch = 0 if op.batch is None else count_of("batch", scene.evaluate(op.batch, env))
    items = _items(env[op.items], batch)
    need = 0 if op.need is None else count_of("need", scene.evaluate(op.need, env), least=0)
    carried = {name: env[name] for name in op.carried}
    values: list[object] = []
    errors: list[ForError] = []
    for index, item in enumerate(items):
        try:
            ended = run_body(op.body, {**env, **carried, op.var: item}, scene)
        except Exception as error:
            if op.errors == "fail" or isinstance(error, NeverEnds):
                raise
            errors.append(ForError(index, item, *describe(error)))
            continue
        if isinstance(ended, Left) and ended.kind in {"return", "tail"}:
            return ended
        carried = {name: ended.names[name] for name in op.carried}
        if isinstance(ended, Left):
            if ended.kind == "break":
                break
            continue
        values.append(ended.value)
        if need and len(values) >= need:
            break
    else:
        if len(values) < need:
            message = f"{need} bodies had to succeed and {len(values)} of {len(items)} did."
            raise PlainFailure("flowrt.NeedNotMet", message)
    if not op.keep:
        return Done(None, carried)
    return Done(Collected(values, errors) if op.errors == "collect" else values, carried)


def describe(error: Exception) -> tuple[str, str]:
    """The qualified type of an exception, and its message, as a journal would hold them."""
    if isinstance(error, PlainFailure):
        return error.type, error.message
    failure = failure_of(error, "")
    return failure.type, failure.message


def _items(value: object, batch: int) -> Sequence[object]:
    items = elements(value)
    if not batch:
        return items
    return [list(items[start : start + batch]) for start in range(0, len(items), batch)]


def count_of(what: str, value: object, least: int = 1) -> int:
    """A bound, such as `need`. Raises PlainFailure for what is no number from `least` upwards."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= least:
        return value
    message = f"`{what}` is a number from {least} upwards, and it came to {value!r}."
    raise PlainFailure("ValueError", message)


def run_loop(op: Loop, env: Values, scene: Scene, run_body: RunBody) -> Ended:
    """Run the body round after round; see `flowrt.core.loops` for the order of things."""
    bound = 0 if op.max is None else count_of("max", scene.evaluate(op.max, env))
    carried = {name: env[name] for name in op.carried}
    value: object = None
    count = 0
    while True:
        if op.kind == "while" and not _holds(op, {**env, **carried}, scene, run_body):
            return Done(value, carried)
        if bound and count >= bound:
            what = "still holds" if op.kind == "while" else "does not hold yet"
            message = f"The loop ran its `max` of {bound} rounds and its condition {what}."
            raise PlainFailure("flowrt.LoopLimit", message)
        ended = run_body(op.body, {**env, **carried}, scene)
        count += 1
        if isinstance(ended, Left) and ended.kind in {"return", "tail"}:
            return ended
        carried = {name: ended.names[name] for name in op.carried}
        if isinstance(ended, Done):
            value = ended.value
        elif ended.kind == "break":
            return Done(value, carried)
        if op.kind == "until" and _holds(op, {**env, **ended.names}, scene, run_body):
            return Done(value, carried)
        _pause(op, {**env, **carried}, scene)


def _holds(op: Loop, env: Mapping[str, object], scene: Scene, run_body: RunBody) -> bool:
    if op.check is not None:
        ended = run_body(op.check, env, scene)
        assert isinstance(ended, Done), "a check has no way to leave"
        env = {**env, **ended.names}
    return truth(scene.evaluate(op.cond, env))


def _pause(op: Loop, env: Values, scene: Scene) -> None:
    if op.every is not None:
        time.sleep(duration_us("every", scene.evaluate(op.every, env)) / 1_000_000)
