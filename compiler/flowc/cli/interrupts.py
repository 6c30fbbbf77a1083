"""Ctrl-C and SIGTERM while a run is driven: the first asks it to suspend, the second ends the process.

The second is safe as well: what the journal holds is all that counts, as after `kill -9`. A handler only
sets an event, because a signal may arrive in the middle of any write.
"""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TypeAlias

from flowc.cli.exits import INTERRUPTED

SIGNALS = (signal.SIGINT, signal.SIGTERM)

Handler: TypeAlias = Callable[[int, FrameType | None], object] | int | None


class Interrupts:
    """Our handlers while the `with` block runs. `asked` is set by the first signal."""

    def __init__(self) -> None:
        """Install nothing yet."""
        self.asked = threading.Event()
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
        if self.asked.is_set():
            os._exit(INTERRUPTED)
        self.asked.set()
