"""Exceptions as text: what a task raised goes in, a `Failure` that can be recorded comes out.

Only text leaves the worker: an exception may not be picklable, its `__str__` may raise, its text may be
of any size and may hold a secret that the step was given.
"""

import builtins
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from flowrt.core.catching import names_of
from flowrt.executor.callee import ImportFailed, find
from flowrt.executor.redaction import NOTHING_HIDDEN, Redaction
from flowrt.record import Failure
from flowrt.snapshot.cache import as_recorded, names_packed

MESSAGE_LIMIT = 4_000
TRACEBACK_LIMIT = 8_192
_PYTHON = Path(os.__file__).parent
_NOT_THE_AUTHORS = (
    f"{Path(__file__).parents[1]}{os.sep}",
    f"{_PYTHON}{os.sep}asyncio{os.sep}",
    f"{_PYTHON}{os.sep}concurrent{os.sep}",
    f"{_PYTHON}{os.sep}importlib{os.sep}",
    "<frozen importlib.",
)
_SCRIPT = ("__main__:", "__main__.")
_PICKLER = f"{os.sep}cloudpickle{os.sep}"
_READ_ONLY = ("read-only", "read only")


def failure_of(
    error: BaseException,
    step: str,
    paths: Sequence[str] = (),
    secrets: Redaction = NOTHING_HIDDEN,
    *,
    of_engine: bool = False,
) -> Failure:
    """What is recorded of an exception.

    Args:
        error: What was raised.
        step: The path of the step that it arose in.
        paths: Exception classes, by import path, that are compared with it here, where it lives.
        secrets: What must not be seen in the texts.
        of_engine: No module of the author's is imported for that.
    """
    caught, notes = _caught(error, paths, of_engine=of_engine)
    text = _clean(_text(error), secrets)  # First: half a secret would not be known for one.
    if isinstance(error, ValueError) and any(words in text for words in _READ_ONLY):
        notes.append("arguments are shared and cannot be changed; change a copy: `copy.deepcopy(value)`")
    if isinstance(error, FileNotFoundError) and names_packed(_text(error)):
        notes.append(
            "the packed code has no such file; `flowc run --verbose` tells what was left out, and why"
        )
    message = _shortened(text, MESSAGE_LIMIT, "") + "".join(f" ({note})" for note in notes)
    return Failure(
        type=_clean(qualified(type(error)), secrets),
        message=_clean(message, secrets),
        step=step,
        traceback=_shortened(_clean(_traceback(error), secrets), TRACEBACK_LIMIT, "end"),
        caught=caught,
    )


def qualified(cls: type) -> str:
    """`module.Class`; `Class` alone for Python's own, as a traceback has it, and `flowrt.Class` for ours."""
    package = cls.__module__.partition(".")[0]
    module = package if package == "flowrt" else cls.__module__
    return cls.__qualname__ if module == "builtins" else f"{module}.{cls.__qualname__}"


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


def _clean(text: str, secrets: Redaction) -> str:
    return as_recorded(secrets.text(text)).encode("utf-8", "backslashreplace").decode()


def _traceback(error: BaseException) -> str:
    """The author's frames, of the exception and of those that led to it; empty when there are none."""
    try:
        told = traceback.TracebackException.from_exception(error, compact=True)
        text = "".join(told.format()) if _keep_authors_frames(told) else ""
    except Exception as second:  # noqa: BLE001 - an exception class may break its own formatting
        text = f"(no traceback: {type(second).__name__} while it was formatted)"
    return text


def _keep_authors_frames(told: traceback.TracebackException) -> bool:
    """Leave out frames of the runtime and of what it calls, and exceptions that are then without any.

    False if nothing of the author's is left.
    """
    met: list[traceback.TracebackException] = []
    todo: list[traceback.TracebackException | None] = [told]
    while todo:
        one = todo.pop()
        if one is not None:
            one.stack = traceback.StackSummary.from_list([f for f in one.stack if _is_authors(f.filename)])
            met.append(one)
            todo += [one.__cause__, one.__context__, *(one.exceptions or ())]
    kept: set[int] = set()
    for one in reversed(met):  # Those that led to another come before it.
        one.__cause__ = one.__cause__ if id(one.__cause__) in kept else None
        one.__context__ = one.__context__ if id(one.__context__) in kept else None
        led = [one.__cause__, one.__context__, *(one.exceptions or ())]
        # A syntax error names its line without a frame.
        own = len(one.stack) > 0 or isinstance(getattr(one, "lineno", None), str)
        if own or any(id(other) in kept for other in led if other is not None):
            kept.add(id(one))
    return id(told) in kept


def _is_authors(filename: str) -> bool:
    return not filename.startswith(_NOT_THE_AUTHORS) and _PICKLER not in filename


def _caught(
    error: BaseException, paths: Sequence[str], *, of_engine: bool
) -> tuple[tuple[str, ...], list[str]]:
    caught: list[str] = []
    notes: list[str] = []
    names = {name for cls in type(error).__mro__ for name in names_of(cls)}
    for path in dict.fromkeys(paths):
        if path in names:
            caught.append(path)
            continue
        if path.startswith(_SCRIPT):
            continue  # The classes of a script came here by value; no other name leads to them.
        if of_engine and path.partition(":")[0].partition(".")[0] not in sys.stdlib_module_names:
            continue
        try:
            wanted = exception_class(path)
        except ImportFailed as failed:
            notes.append(f"`{path}` was not compared with it: {failed}")
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
