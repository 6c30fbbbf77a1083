"""A few lines at the foot of a terminal that change in place. In: a source of lines. Out: escape codes.

One frame is one write: the cursor goes up to the first of the old lines, each new line is written over
an old one and the rest of it erased, and what is left below is erased at the end. Nothing is blanked
first, so that nothing flickers. What others print meanwhile goes through `Live.stream`: whole lines are
put above the block.
"""

import io
import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TextIO, cast

INTERVAL_S = 0.1
IDLE_S = 1.0
DEFAULT_SIZE = (80, 24)

Lines = Callable[[float, int, int], list[str]]


class Live:
    """Redraws while the `with` block runs, then removes its lines.

    `lines(now, width, height)` is asked for a frame when `changed()` says so, at most ten times a
    second, and once a second in any case, because lines tell times.
    """

    def __init__(self, terminal: TextIO, lines: Lines, changed: Callable[[], bool]) -> None:
        """Draw on `terminal`; nothing is written before the block is entered."""
        self._terminal = terminal
        self._lines = lines
        self._changed = changed
        self._drawn = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._redraw_until_over, daemon=True)
        self._above = Above(self)
        self.stream = cast("TextIO", self._above)  # What `print` needs of a stream is there.

    def __enter__(self) -> "Live":
        """Begin to draw."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove the lines."""
        self._over.set()
        self._thread.join()
        self._above.write_rest()
        self._frame([])

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._terminal.fileno()

    def put_above(self, text: str) -> None:
        """Write whole lines above the block."""
        with self._lock:
            up = f"\x1b[{self._drawn}F" if self._drawn else ""
            self._drawn = 0
            self._write(f"{up}\x1b[J{text}" if up else text)
        if not self._over.is_set():
            self._frame(self._lines(time.monotonic(), *self._size()))

    def _redraw_until_over(self) -> None:
        last = 0.0
        while not self._over.wait(INTERVAL_S):
            now = time.monotonic()
            if self._changed() or now - last >= IDLE_S:
                last = now
                self._frame(self._lines(now, *self._size()))

    def _frame(self, lines: list[str]) -> None:
        with self._lock:
            if not lines and not self._drawn:
                return
            up = f"\x1b[{self._drawn}F" if self._drawn else ""
            self._drawn = len(lines)
            self._write(up + "".join(f"{line}\x1b[K\n" for line in lines) + "\x1b[J")

    def _write(self, text: str) -> None:
        try:
            self._terminal.write(text)
            self._terminal.flush()
        except OSError:  # The terminal was closed: the run goes on without it.
            self._over.set()

    def _size(self) -> tuple[int, int]:
        """Columns and lines that a frame may take: one line stays free for the cursor."""
        try:
            width, height = os.get_terminal_size(self._terminal.fileno())
        except (OSError, ValueError):
            width, height = 0, 0
        if not width or not height:  # A terminal may not know its size.
            width, height = DEFAULT_SIZE
        return max(width, 20), max(height - 1, 2)


class Above(io.TextIOBase):
    """A text stream whose lines appear above the block of a `Live`."""

    def __init__(self, live: Live) -> None:
        """Write for `live`."""
        super().__init__()
        self._live = live
        self._rest = ""

    def write(self, text: str, /) -> int:
        """Show the lines that are whole now."""
        whole, newline, rest = (self._rest + text).rpartition("\n")
        self._rest = rest
        if newline:
            self._live.put_above(whole + newline)
        return len(text)

    def write_rest(self) -> None:
        """Show what is left of a line without an end."""
        if self._rest:
            self._live.put_above(self._rest + "\n")
            self._rest = ""

    def fileno(self) -> int:
        """The terminal's descriptor."""
        return self._live.fileno()

    def isatty(self) -> bool:
        """It ends on a terminal."""
        return True

    def writable(self) -> bool:
        """It can be written to."""
        return True
