"""Ctrl-C and SIGTERM while a run is driven: the first asks it to suspend, the second ends the process.

The second is safe as well: what the journal holds is all that counts, as after `kill -9`. It must come a
second later, because one wish may arrive twice: `timeout` signals its child and then the child's group.
A handler only sets a flag that takes no lock, because a signal may arrive in the middle of anything.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TypeAlias

from flowc.cli.exits import INTERRUPTED
from flowrt.interrupt import Interrupt

ONE_WISH_S = 1.0
SIGNALS = (signal.SIGINT, signal.SIGTERM)

Handler: TypeAlias = Callable[[int, FrameType | None], object] | int | None


class Interrupts:
    """Our handlers while the `with` block runs. `asked` is set by the first signal."""

    def __init__(self) -> None:
        """Install nothing yet."""
        self.asked = Interrupt()
        self._asked_at = 0.0
        self._before: dict[signal.Signals, Handler] = {}

    def __enter__(self) -> "Interrupts":
        """Install the handlers, where that is possible: in the main thread."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.getsignal(number) for number in SIGNALS}
            self.install()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put back what was there."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def install(self) -> None:
        """Install the handlers, again if need be: `ray.init` puts its own in the place of SIGTERM's."""
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                signal.signal(number, self._handle)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if not self.asked.is_set():
            self._asked_at = now
            self.asked.set()
        elif now - self._asked_at > ONE_WISH_S:
            os._exit(INTERRUPTED)
