"""A step that ends its process, where the process is everybody's: in, a thread; out, what it wanted.

In a worker of Ray a step that calls `os._exit` loses its worker and is made again. In a thread of the
command it would end the command without a word. So `os._exit` is stood in for, once and for good: in a
thread that makes an attempt it ends the attempt, everywhere else, also in a process that the step has
forked, it does what it always does. A crash in C code still ends the command.
"""

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn


class ProcessExit(BaseException):
    """Raised in the author's code in place of the end of the process."""


class _Here(threading.local):
    process: int | None = None
    status: int | None = None


_HERE = _Here()
_exit = os._exit


def _stand_in(status: int) -> NoReturn:
    if _HERE.process != os.getpid():
        _exit(status)
    _HERE.status = status
    raise ProcessExit(f"os._exit({status})")


class Wanted:
    """Whether an attempt wanted its process to end: the status that it gave, else None."""

    status: int | None = None


@contextmanager
def survived() -> Generator[Wanted]:
    """For the time of a `with` block, let this thread's code end no more than itself."""
    if os._exit is not _stand_in:
        os._exit = _stand_in
    wanted = Wanted()
    _HERE.process, _HERE.status = os.getpid(), None
    try:
        yield wanted
    finally:
        wanted.status, _HERE.process = _HERE.status, None
