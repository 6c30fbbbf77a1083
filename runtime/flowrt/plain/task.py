"""One task of a plain execution: in a `Task` and the values it reads, out the callable's result.

The callable runs in this process. Its retry policy is kept, and delays are really slept. Time-outs are
not kept, for nothing watches over the call.
"""

import asyncio
import inspect
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from random import random
from typing import cast

from flowrt.amounts import duration_us, keyed_lock_name
from flowrt.core.retry import Policy, next_attempt_at
from flowrt.executor.failure import failure_of
from flowrt.executor.listener import load_task
from flowrt.executor.objects import Method
from flowrt.expr.tree import Expr
from flowrt.plain.scene import PlainFailure, Scene, Values
from flowrt.program import Actor, Imported, Pickled, Retry, Task


def run_task(task: Task, env: Values, scene: Scene) -> object:
    """Call the task's callable until it returns or its policy gives up."""
    code = scene.code.get(task.callee.digest) if isinstance(task.callee, Pickled) else None
    function = load_task(task, code, scene.python_path)
    first_at = _now()
    retries = 0
    while True:
        try:
            return _attempt(function, task, env, scene)
        except Exception as error:
            if task.retry is None:
                raise
            failure = failure_of(error, "", (*task.retry.catch, *task.retry.unless))
            policy = policy_of(task.retry, env, scene)
            now = _now()
            again_at = next_attempt_at(policy, failure, retries, first_at, now, random())  # noqa: S311
            if again_at is None:
                raise
        retries += 1
        time.sleep((again_at - now) / 1_000_000)


def _now() -> int:
    return time.monotonic_ns() // 1_000


def _attempt(function: Callable[..., object], task: Task, env: Values, scene: Scene) -> object:
    args = [scene.evaluate(arg, env) for arg in task.args]
    kwargs = {name: scene.evaluate(arg, env) for name, arg in task.kwargs}
    if task.actor is not None:
        return _method(task, task.actor, function, env, scene)(*args, **kwargs)
    value = _finished(function(*args, **kwargs))
    if task.raises:
        if isinstance(value, BaseException):
            raise value
        message = f"`raise` needs an exception, and the value is of type {type(value).__name__}."
        raise PlainFailure("TypeError", message)
    return value


def _finished(value: object) -> object:
    if inspect.iscoroutine(value):
        value = asyncio.run(value)
    return list(cast("Iterator[object]", value)) if inspect.isgenerator(value) else value


def _method(task: Task, actor: Actor, cls: object, env: Values, scene: Scene) -> Callable[..., object]:
    """A method of the object of a key, which is changed when the method has returned."""
    if scene.actors is None:
        message = "There are no actors here: their objects are kept by the durable engine."
        raise PlainFailure("flowrt.NoActors", message)
    objects, key = scene.actors, scene.evaluate(actor.key, env)
    path = task.callee.path if isinstance(task.callee, Imported) else task.callee.name
    method = Method(path, cls, actor.method, key)
    name = keyed_lock_name(path, key)
    if name in objects:
        method.restore(deepcopy(objects[name]))

    def called(*args: object, **kwargs: object) -> object:
        value = _finished(method(*args, **kwargs))
        objects[name] = method.stored()
        return value

    return called


def policy_of(retry: Retry, env: Values, scene: Scene) -> Policy:
    """A retry policy in numbers."""

    def length_us(what: str, expr: Expr) -> int:
        return duration_us(what, scene.evaluate(expr, env))

    retry_max, factor = scene.evaluate(retry.max, env), scene.evaluate(retry.factor, env)
    if not isinstance(retry_max, int) or not isinstance(factor, int | float):
        message = f"`max` and `factor` of a retry are numbers, and they came to {retry_max!r} and {factor!r}."
        raise TypeError(message)
    return Policy(
        max=retry_max,
        delay_us=length_us("delay", retry.delay),
        factor=factor,
        cap_us=length_us("cap", retry.cap),
        jitter=retry.jitter,
        catch=retry.catch,
        unless=retry.unless,
        within_us=None if retry.within is None else length_us("within", retry.within),
    )
