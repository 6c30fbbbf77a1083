"""One attempt: an `Attempt` goes in, the author's callable is called, an `Outcome` comes out.

This is what a worker does, whichever executor it belongs to. Five things happen in order, and each has
its own kind of failure:

    load the callable       Lost when the store is at fault; else Raised, not retryable: it would fail again
    decode the environment  Lost when the store is at fault; Raised when the bytes are
    evaluate the arguments  Raised, not retryable: the same expressions over the same values
    call it                 Raised, retryable; not for a BaseException such as SystemExit
    record the result       Lost when the store is at fault; Raised, not retryable, when it cannot be encoded

A result is durable before the outcome is returned: small ones travel inside the outcome and are durable
with the record that the engine makes of it, large ones are in the blob store. Nothing that the author's
code raises gets out, and only text about it is carried (`flowrt.executor.failure`).
"""

import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from copy import deepcopy
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Literal, NamedTuple, Protocol, TypeAlias, cast

from flowrt.context import StepContext, beating, entered, idempotent_step
from flowrt.encoding.values import Values
from flowrt.errors import CodecError, StoreCorrupt, StoreError
from flowrt.executor.callee import ImportFailed
from flowrt.executor.code import function_of
from flowrt.executor.failure import failure_of, qualified
from flowrt.executor.objects import Method
from flowrt.executor.port import Attempt, Halted, Lost, Outcome, Raised, Returned
from flowrt.executor.printed import redacted
from flowrt.executor.ray_refs import awaited, behind
from flowrt.executor.redaction import Redaction
from flowrt.executor.run_info import run_info
from flowrt.expr.evaluate import evaluate
from flowrt.expr.tree import Const, Expr
from flowrt.listener import POLL
from flowrt.program import Actor, Imported, Pickled
from flowrt.store.port import Blobs
from flowrt.value import Handle

# Iterators of these modules hold nothing but what they give, so a list of it loses nothing.
_PLAIN_ITERATORS = ("builtins", "itertools", "_csv")

Phase: TypeAlias = Literal["load", "decode", "arguments", "call", "record"]


class Interrupted(KeyboardInterrupt):
    """Raised in the author's code by an executor that was asked to stop the attempt."""


class _Call(NamedTuple):
    """A call that is ready to be made."""

    function: Callable[..., object]
    args: list[object]
    kwargs: dict[str, object]


def make_attempt(attempt: Attempt, blobs: Blobs) -> Outcome:
    """Make one attempt; never raises.

    Args:
        attempt: What is to be done.
        blobs: Where large values are read and large results are put.
    """
    return make_with(attempt, Values(blobs))


class Pulse(Protocol):
    """Listens to the heartbeats of an attempt, while the author's code runs."""

    def begin(self) -> None:
        """The author's code begins."""
        ...

    def beat(self) -> None:
        """A heartbeat; from any thread."""
        ...

    def end(self) -> None:
        """The author's code has ended."""
        ...


async def listen(attempt: Attempt, values: Values) -> Outcome:
    """Make an attempt that waits for an event, as a coroutine among others. Ends as Halted when cancelled."""
    return await _Making(attempt, values, None, alone=False).listened()


def make_with(
    attempt: Attempt, values: Values, pulse: Pulse | None = None, *, alone: bool = False
) -> Outcome:
    """Make one attempt with a `Values` that outlives it, so that its caches serve the next one too.

    `alone`: nothing else in this process prints meanwhile (see `flowrt.executor.printed`).
    """
    process = os.getpid()
    outcome = _Making(attempt, values, pulse, alone=alone).outcome()
    if os.getpid() != process:
        os._exit(0)  # A process that the author's code has forked came back here: it is no worker.
    return outcome


class _Making:
    """The state of one attempt: how far it came, and the secrets that it was given."""

    def __init__(self, attempt: Attempt, values: Values, pulse: Pulse | None, *, alone: bool) -> None:
        self._attempt = attempt
        self._pulse = pulse
        self._values = values if attempt.run.allow_pickle else values.of_data()
        self._alone = alone
        self._phase: Phase = "load"
        self._secrets = Redaction()

    def outcome(self) -> Outcome:
        started_at = _now()
        try:
            call = self._prepare()
            self._phase = "call"
            with entered(_context(self._attempt)), redacted(self._secrets, whole_process=self._alone):
                result = self._called(call)
                if self._attempt.task.raises:
                    _raise(result, self._attempt.key.step)
                result = awaited(result)
                self._phase = "record"
                value = self._recorded(result)
                state = self._state(call.function)
        except Interrupted:
            return Halted()
        except BaseException as error:  # noqa: BLE001 - the author's code may raise anything
            return self._ended_by(error, started_at)
        return Returned(value, started_at, _now(), state)

    async def listened(self) -> Outcome:
        """The outcome of an attempt that waits: only the author's coroutine has the event loop."""
        import asyncio  # noqa: PLC0415 - see `_run_coroutine`

        started_at = _now()
        try:
            call = await asyncio.to_thread(self._prepare)
            self._phase = "call"
            with entered(_context(self._attempt)), redacted(self._secrets, whole_process=False):
                event = await _coroutine(call.function(*call.args, **call.kwargs))
            self._phase = "record"
            value = await asyncio.to_thread(self._recorded, event)
        except (Interrupted, asyncio.CancelledError):
            return Halted()
        except BaseException as error:  # noqa: BLE001 - the author's code may raise anything
            return self._ended_by(error, started_at)
        return Returned(value, started_at, _now())

    def _prepare(self) -> _Call:
        attempt, task = self._attempt, self._attempt.task
        if isinstance(task.callee, Pickled) and not attempt.run.allow_pickle:
            raise ImportFailed(
                f"The pickled code of `{task.callee.name}` is not loaded: the codec is `data`."
            )
        function = function_of(attempt, self._values.blobs)
        self._phase = "decode"
        env = self._values.load_env(attempt.env)
        self._phase = "arguments"
        env.setdefault("run", run_info(attempt.run))
        args = [self._argument(arg, env) for arg in task.args]
        kwargs = {name: self._argument(arg, env) for name, arg in task.kwargs}
        if task.actor is not None:
            function = self._method(task.actor, function, env)
        return _Call(function, args, kwargs)

    def _method(self, actor: Actor, cls: object, env: Mapping[str, object]) -> Method:
        """The method of an actor, with the state that the object has."""
        callee, key = self._attempt.task.callee, evaluate(actor.key, env)
        self._phase = "load"
        method = Method(callee.path if isinstance(callee, Imported) else callee.name, cls, actor.method, key)
        if self._attempt.state is not None:
            self._phase = "decode"
            method.restore(self._values.load(self._attempt.state))
        return method

    def _state(self, function: Callable[..., object]) -> Handle | None:
        """What the call of an actor's method has made of its object."""
        if not isinstance(function, Method):
            return None
        try:
            return self._recorded(function.stored())
        except CodecError as error:
            told = (
                f"What the actor {function} has become cannot be stored: {self._culprit(function) or error}"
            )
            raise NotRecordable(told) from error

    def _culprit(self, method: Method) -> str | None:
        """The first of the object's attributes that cannot be stored, if one cannot."""
        for name, value in method.attributes.items():
            try:
                self._values.parts(value)
            except CodecError as error:
                return f"its attribute `{name}`: {error}"
        return None

    def _called(self, call: _Call) -> object:
        """What the author's code gives; its heartbeats are listened to meanwhile."""
        if self._pulse is None:
            return _finished(call.function(*call.args, **call.kwargs))
        self._pulse.begin()
        try:
            with beating(self._pulse.beat):
                return _finished(call.function(*call.args, **call.kwargs))
        finally:
            self._pulse.end()

    def _argument(self, expr: Expr, env: Mapping[str, object]) -> object:
        if isinstance(expr, Const):
            # The constant belongs to every attempt in this process; what one does to it no other may see.
            return deepcopy(expr.value)
        return evaluate(expr, env, self._secret)

    def _recorded(self, result: object) -> Handle:
        parts = self._values.parts(result)
        name = self._secrets.found_in(parts)
        if name is not None:
            raise CodecError(
                f"it holds the secret {name}, and what is recorded may not hold secrets. Return something "
                "else, and have each task that needs the secret take it as an argument of its own"
            )
        return self._values.stored(parts)

    def _secret(self, name: str) -> str:
        value = os.environ.get(name)
        if value is None:
            raise LookupError(
                f"The secret {name} is not known: the environment variable {name} is not set in the worker."
            )
        self._secrets.add(name, value)
        return value

    def _ended_by(self, error: BaseException, started_at: int) -> Outcome:
        referenced = behind(error)
        if referenced is not None:
            error, self._phase = referenced, "call"
        at_fault = self._phase in ("load", "decode", "record")
        if at_fault and isinstance(error, StoreError) and not isinstance(error, StoreCorrupt):
            return Lost(f"the store failed: {error}")
        timed_out = isinstance(error, TimeoutError)
        if self._phase == "record" and not timed_out:
            error = _not_recordable(error)
        called = self._phase == "call" or timed_out
        paths = self._attempt.asked_for if called else self._attempt.catches
        failure = failure_of(error, self._attempt.key.step, paths, self._secrets)
        retryable = timed_out or (self._phase == "call" and isinstance(error, Exception))
        return Raised(failure, started_at, _now(), retryable)


class NotRecordable(Exception):
    """The result of a step, or what it has made of an actor, cannot be stored."""


def _not_recordable(error: BaseException) -> NotRecordable:
    if isinstance(error, NotRecordable):
        return error
    told = NotRecordable(f"The result of the step cannot be stored: {error}")
    told.__cause__ = error.__cause__ if isinstance(error, CodecError) else error  # Its text is said here.
    return told


def _raise(result: object, step: str) -> None:
    match result:
        case BaseException():
            raise result
        case type() if issubclass(result, BaseException):
            raise result
        case _:
            given = qualified(type(result))
            raise TypeError(f"`{step}` raises what its callable gives; it gave a {given}, not an exception.")


def _coroutine(result: object) -> Coroutine[object, object, object]:
    """What a listener waits with. Anything else has waited already, and held up all others meanwhile."""
    if isinstance(result, CoroutineType):
        return cast("Coroutine[object, object, object]", result)
    raise TypeError(f"A listener waits with `await`: write `async def {POLL}`.")


def _finished(result: object) -> object:
    """What a callable means by what it gave: coroutines are run, generators become lists."""
    match result:
        case CoroutineType():
            return _finished(_run_coroutine(cast("Coroutine[object, object, object]", result)))
        case AsyncGeneratorType():
            return _run_coroutine(_all_of(cast("AsyncIterator[object]", result)))
        case GeneratorType():
            return list(cast("Iterator[object]", result))
        case Iterator() if type(cast("object", result)).__module__ in _PLAIN_ITERATORS:
            return list(cast("Iterator[object]", result))
        case _:
            return result


def _run_coroutine(coroutine: Coroutine[object, object, object]) -> object:
    import asyncio  # noqa: PLC0415 - 30 ms that a worker without coroutines need not pay

    return asyncio.run(coroutine)


async def _all_of(items: AsyncIterator[object]) -> object:
    return [item async for item in items]


def _context(attempt: Attempt) -> StepContext:
    key, run = attempt.key, attempt.run
    same = f"{key.run_id}/{idempotent_step(key.step, attempt.times_anew)}"
    return StepContext(key.run_id, key.step, key.attempt, same, run.epoch, run.labels)


def _now() -> int:
    return time.time_ns() // 1000
