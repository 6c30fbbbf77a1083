"""What a task may know of the step that it is an attempt of. In: nothing. Out: the current context."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepContext:
    """The attempt that is being made.

    `idempotency_key` is the same for every attempt of a step: hand it to services that know how to drop
    a second request with the same key. `fence` grows each time another process takes the run over:
    a service that remembers the highest fence it has seen can refuse a superseded process.
    """

    run_id: str
    step: str
    attempt: int
    idempotency_key: str
    fence: int
    labels: Mapping[str, str]


_CURRENT: ContextVar[StepContext] = ContextVar("flowrt_step")


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

    Outside of a task it does nothing, so that a callable can be used on its own.
    """


@contextmanager
def entered(context: StepContext) -> Generator[None]:
    """Make `context` the current one for the time of a `with` block."""
    token = _CURRENT.set(context)
    try:
        yield
    finally:
        _CURRENT.reset(token)
