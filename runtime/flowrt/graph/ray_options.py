"""Options of a bound remote function, in Ray's own words; out what a `Task` says of them.

Ray's `max_retries` counts lost workers, and exceptions too when `retry_exceptions` names them; it waits
for nothing between attempts. The other options stay options, in Ray's meaning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

from flowrt.errors import UnsupportedGraph
from flowrt.expr.tree import Const, Expr
from flowrt.program import Retry

UNBOUNDED = 2**31 - 1
"""The number of retries for Ray's -1, which means for ever."""

LOST_MAX = 3
"""Ray's own default of `max_retries`."""

_NO_PAUSE = Const(timedelta(0))
_NOT_OURS = frozenset({"max_retries", "retry_exceptions", "num_returns", "max_calls", "_metadata"})
"""`max_calls` is about when a worker process is replaced, which no result depends on."""


@dataclass(frozen=True, slots=True)
class TaskOptions:
    """The fields of a `Task` that come from Ray's options."""

    options: Expr | None
    retry: Retry | None
    lost_max: int


def read_options(function: str, bound: Mapping[str, object]) -> TaskOptions:
    """Sort the options of a bound function. Raises UnsupportedGraph."""
    returns = bound.get("num_returns", 1)
    if returns not in {1, None}:
        raise UnsupportedGraph(
            f"`{function}` is bound with num_returns={returns!r}. A step has one result: return a tuple, "
            "and take it apart in the step that reads it."
        )
    max_retries = bound.get("max_retries")
    lost_max = LOST_MAX
    if max_retries is not None:
        if not isinstance(max_retries, int):
            raise UnsupportedGraph(f"`{function}` is bound with max_retries={max_retries!r}: give a number.")
        lost_max = UNBOUNDED if max_retries < 0 else max_retries
    kept = {name: value for name, value in bound.items() if name not in _NOT_OURS and value is not None}
    retry = _read_retry(function, bound.get("retry_exceptions"), lost_max)
    return TaskOptions(Const(kept) if kept else None, retry, lost_max)


def _read_retry(function: str, exceptions: object, retry_max: int) -> Retry | None:
    if exceptions is None or exceptions is False or not retry_max:
        return None
    catch: tuple[str, ...] = ()
    if exceptions is not True:
        classes = cast("list[object]", exceptions) if isinstance(exceptions, list | tuple) else [exceptions]
        catch = tuple(_path(function, each) for each in classes)
    return Retry(Const(retry_max), _NO_PAUSE, Const(1), _NO_PAUSE, "none", catch)


def _path(function: str, exception: object) -> str:
    if not (isinstance(exception, type) and issubclass(exception, BaseException)):
        raise UnsupportedGraph(f"`retry_exceptions` of `{function}` holds {exception!r}, no exception class.")
    if "<locals>" in exception.__qualname__:
        raise UnsupportedGraph(
            f"`retry_exceptions` of `{function}` holds {exception.__qualname__}, which is defined inside a "
            "function and so has no import path. Define it at the top of its module."
        )
    return f"{exception.__module__}:{exception.__qualname__}"
