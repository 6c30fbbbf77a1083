"""What a task may know of the step that it is an attempt of. In: nothing. Out: the current context."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepContext:
    """The attempt that is being made.

    `idempotency_key` is the same for every attempt of a step: hand it to services that know how to drop
    a second request with the same key. It is a new one when the saga around the step was undone and the run
    then reopened: what was undone has to be done again. `fence` grows each time another process takes the
    run over: a service that remembers the highest fence it has seen can refuse a superseded process.
    """

    run_id: str
    step: str
    attempt: int
    idempotency_key: str
    fence: int
    labels: Mapping[str, str]


def idempotent_step(step: str, times_anew: int) -> str:
    """The part of the idempotency key for a step whose saga was undone and begun anew so many times."""
    return f"{step}@{times_anew}" if times_anew else step


_CURRENT: ContextVar[StepContext] = ContextVar("flowrt_step")
_BEAT: ContextVar[Callable[[], None]] = ContextVar("flowrt_beat")
# The attempts of this process whose heart is listened to: a thread of a task's own has no context.
_BEATS: set[Callable[[], None]] = set()


def current() -> StepContext:
    """The context of the attempt that this code runs in.

    Raises:
        LookupError: This code does not run inside an attempt of a step.
    """
    try:
        return _CURRENT.get()
    except LookupError:
        raise LookupError(
            "There is no current step: `flowrt.current()` works only in code that a flow runs as a task."
        ) from None


def heartbeat() -> None:
    """Tell that the attempt is alive and makes progress; cheap enough for every turn of a loop.

    An attempt of a step with `heartbeat: 5m` that has not called this for five minutes has failed. It
    may be called from any thread. Without such a bound, and outside of a task, it does nothing, so that a
    callable can be used on its own.
    """
    beat = _BEAT.get(None)
    if beat is None:
        beats = tuple(_BEATS)
        beat = beats[0] if len(beats) == 1 else None
    if beat is not None:
        beat()


@contextmanager
def beating(beat: Callable[[], None]) -> Generator[None]:
    """Let `heartbeat` call `beat` for the time of a `with` block."""
    token = _BEAT.set(beat)
    _BEATS.add(beat)
    try:
        yield
    finally:
        _BEATS.discard(beat)
        _BEAT.reset(token)


@contextmanager
def entered(context: StepContext) -> Generator[None]:
    """Make `context` the current one for the time of a `with` block."""
    token = _CURRENT.set(context)
    try:
        yield
    finally:
        _CURRENT.reset(token)
