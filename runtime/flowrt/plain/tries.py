"""`try`, and blocks that are made again, in a plain execution. In: the operation; out: how it ended.

The bound in time of a block is not kept, for nothing watches over it; neither is that of a task.
"""

import time
from dataclasses import replace
from random import random

from flowrt.core.catching import EVERY, is_one_of
from flowrt.core.retry import next_attempt_at
from flowrt.executor.failure import failure_of
from flowrt.plain.loops import RunBody
from flowrt.plain.scene import Done, Ended, Left, PlainFailure, Scene, Values
from flowrt.plain.task import policy_of
from flowrt.program import Bounded, Catch, Try
from flowrt.record import Failure


def run_guarded(op: Try | Bounded, env: Values, scene: Scene, run_body: RunBody) -> Ended:
    """Run a `try`, or a block that is made again."""
    if isinstance(op, Try):
        return _run_try(op, env, scene, run_body)
    return _run_bounded(op, env, scene, run_body)


def _run_try(op: Try, env: Values, scene: Scene, run_body: RunBody) -> Ended:
    """Run the body, the catch of its failure, and `finally` after both."""
    try:
        ended = _body_or_catch(op, env, scene, run_body)
    except Exception as error:
        if op.final is not None:
            try:
                run_body(op.final, env, scene)
            except Exception as second:
                second.add_note(f"Before `finally` failed, this failed: {error}")
                raise
        raise
    if op.final is None:
        return ended
    final = run_body(op.final, env, scene)
    if isinstance(final, Left):
        return final
    if isinstance(ended, Done):
        return Done(ended.value, {**ended.names, **final.names})
    if ended.kind in ("return", "tail"):
        return ended
    return replace(ended, names={name: final.names.get(name, old) for name, old in ended.names.items()})


def _body_or_catch(op: Try, env: Values, scene: Scene, run_body: RunBody) -> Ended:
    try:
        return run_body(op.body, env, scene)
    except Exception as error:
        failure = failure_in(error, tuple(path for catch in op.catches for path in catch.types))
        catch = next((catch for catch in op.catches if is_one_of(catch.types, failure)), None)
        if catch is None:
            raise
        return _caught(catch, error, failure, env, scene, run_body)


def _caught(
    catch: Catch, error: Exception, failure: Failure, env: Values, scene: Scene, run_body: RunBody
) -> Ended:
    read = {
        "type": failure.type,
        "message": failure.message,
        "step": failure.step,
        "traceback": failure.traceback,
    }
    env = {**env, catch.name: read} if catch.name else env
    return run_body(catch.body, env, replace(scene, caught=(*scene.caught, (read, error))))


def caught_error(scene: Scene, read: object) -> Exception:
    """What was raised, by the error that a catch reads of it."""
    return next(error for known, error in reversed(scene.caught) if known is read)


def failure_in(error: Exception, paths: tuple[str, ...]) -> Failure:
    """What a journal would hold of an exception that was raised in a plain execution."""
    if isinstance(error, PlainFailure):
        return Failure(error.type, error.message)
    return failure_of(error, "", paths)


def _run_bounded(op: Bounded, env: Values, scene: Scene, run_body: RunBody) -> Ended:
    """Run the body until it does not fail, or its policy gives up."""
    first_at = time.monotonic_ns() // 1_000
    retries = 0
    while True:
        try:
            return run_body(op.body, env, scene)
        except Exception as error:
            if op.retry is None:
                raise
            failure = failure_in(error, (*op.retry.catch, *op.retry.unless, EVERY))
            policy = policy_of(op.retry, env, scene)
            now = time.monotonic_ns() // 1_000
            again_at = next_attempt_at(policy, failure, retries, first_at, now, random())  # noqa: S311
            if again_at is None:
                raise
        retries += 1
        time.sleep((again_at - now) / 1_000_000)
