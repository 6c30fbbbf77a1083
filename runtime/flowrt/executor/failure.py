"""Exceptions as text: what a task raised goes in, a `Failure` that can be recorded comes out.

Only text leaves the worker: an exception may not be picklable, its `__str__` may raise, its text may be
of any size and may hold a secret that the step was given.
"""

import builtins
import os
import traceback
from collections.abc import Collection
from pathlib import Path
from types import TracebackType
from typing import cast

from flowrt.executor.callee import ImportFailed, find
from flowrt.program import Retry
from flowrt.record import Failure

MESSAGE_LIMIT = 4_000
TRACEBACK_LIMIT = 8_192
_OUR_FRAMES = (
    f"{Path(__file__).parent}{os.sep}",
    f"{Path(os.__file__).parent}{os.sep}asyncio{os.sep}",
)


def failure_of(
    error: BaseException, step: str, retry: Retry | None = None, secrets: Collection[str] = ()
) -> Failure:
    """What is recorded of an exception.

    Args:
        error: What was raised.
        step: The path of the step that it arose in.
        retry: The step's retry policy: its classes are compared with the exception here, where it lives.
        secrets: Values that must not be seen in the texts.
    """
    caught, notes = _caught(error, retry)
    message = _shortened(_text(error), MESSAGE_LIMIT, "") + "".join(f" ({note})" for note in notes)
    return Failure(
        type=qualified(type(error)),
        message=_clean(message, secrets),
        step=step,
        traceback=_clean(_traceback(error), secrets),
        caught=caught,
    )


def qualified(cls: type) -> str:
    """`module.Class`, and `Class` alone for Python's own, as a traceback has it."""
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001 - the author's own `__str__`
        return f"(no text: its __str__ raised {type(second).__name__})"


def _shortened(text: str, limit: int, keep_from_end: str) -> str:
    if len(text) <= limit:
        return text
    left_out = f"… ({len(text) - limit} characters left out) "
    return left_out + text[-limit:] if keep_from_end else text[:limit] + left_out.rstrip()


def _clean(text: str, secrets: Collection[str]) -> str:
    for secret in sorted((secret for secret in secrets if secret), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text.encode("utf-8", "backslashreplace").decode()


def _traceback(error: BaseException) -> str:
    """The author's frames: those above the first of them are the runtime's own and are left out."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_OUR_FRAMES):
        frames = frames.tb_next
    if frames is None and error.__cause__ is None:
        return ""
    try:
        text = "".join(_formatted(error, frames))
    except Exception as second:  # noqa: BLE001 - an exception class may break its own formatting
        text = f"(no traceback: {type(second).__name__} while it was formatted)"
    return _shortened(text, TRACEBACK_LIMIT, "end")


def _formatted(error: BaseException, frames: TracebackType | None) -> list[str]:
    return list(traceback.TracebackException(type(error), error, frames, compact=True).format())


def _caught(error: BaseException, retry: Retry | None) -> tuple[tuple[str, ...], list[str]]:
    if retry is None:
        return (), []
    caught: list[str] = []
    notes: list[str] = []
    for path in dict.fromkeys((*retry.catch, *retry.unless)):
        try:
            wanted = exception_class(path)
        except ImportFailed as failed:
            notes.append(f"the retry policy was not compared with it: {failed}")
            continue
        if isinstance(error, wanted):
            caught.append(path)
    return tuple(caught), notes


def exception_class(path: str) -> type[BaseException]:
    """The exception class at an import path; a bare name is one of Python's own.

    Raises:
        ImportFailed: There is none.
    """
    if ":" in path:
        found = find(path)
    elif "." in path:
        module, _, name = path.rpartition(".")
        found = find(f"{module}:{name}")
    else:
        found = cast("object", getattr(builtins, path, None))
    if isinstance(found, type) and issubclass(found, BaseException):
        return found
    raise ImportFailed(f"`{path}` is not an exception class.")
