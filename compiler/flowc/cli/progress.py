"""What a run is doing just now. In: what an `Observer` is told. Out: a few lines of text for a terminal.

A run may open a million steps, so that everything here is kept per open step or per open loop, and a
line is made only when somebody looks. The core tells of steps, not of the bodies of a loop: a body is
known by the part `loads[17]` of its steps' paths, and is over when none of them is open. Bodies begin in
the order of their indices, hence a count of those begun stands for a set of them.
"""

import re
import threading
import unicodedata
from collections.abc import Iterator

from flowrt.noun import field, noun
from flowrt.observer import StepEnd, StepKind

WORKING: frozenset[StepKind] = frozenset({"task"})
LOOPS: frozenset[StepKind] = frozenset({"for", "while", "until"})
BAR_WIDTH = 20
_INDEX = re.compile(r"\[(\d+)\]")


@noun(frozen=False)
class OpenLoop:
    """A loop that runs: how many bodies it has (0: unknown), how many began, and the open steps of each."""

    count: int = 0
    begun: int = 0
    bodies: dict[int, int] = field(default_factory=dict[int, int])

    @property
    def done(self) -> int:
        """How many bodies are over."""
        return self.begun - len(self.bodies)


@noun(frozen=False)
class OpenStep:
    """A step that works or waits; `note` says what for, or what became of its last attempt."""

    since: float
    note: str = ""


class Progress:
    """An `Observer` that keeps what is open. Told by the engine's thread, read by the terminal's."""

    def __init__(self, title: str, started_at: float) -> None:
        """Begin; `title` heads the lines, `started_at` is a reading of the clock that `lines` is given."""
        self._title = title
        self._started_at = started_at
        self._now = started_at
        self._lock = threading.Lock()
        self._kinds: dict[str, StepKind] = {}
        self._steps: dict[str, OpenStep] = {}
        self._loops: dict[str, OpenLoop] = {}
        self._ended = {"succeeded": 0, "failed": 0, "stopped": 0}
        self.changed = True

    def opened(self, step: str, kind: StepKind) -> None:
        """A step became possible and was started."""
        with self._lock:
            self.changed = True
            self._kinds[step] = kind
            for loop, index in self._enclosing(step):
                loop.begun = max(loop.begun, index + 1)
                loop.bodies[index] = loop.bodies.get(index, 0) + 1
            if kind in LOOPS:
                self._loops[step] = OpenLoop()
            elif kind in WORKING:
                self._steps[step] = OpenStep(self._now)

    def expanded(self, step: str, count: int) -> None:
        """A `for` knows how many bodies it has."""
        with self._lock:
            self.changed = True
            if step in self._loops:
                self._loops[step].count = count

    def attempted(self, step: str, attempt: int, error: str, started_at: int, ended_at: int) -> None:  # noqa: ARG002 - the port's names
        """An attempt of a task ended."""
        if not error:
            return
        with self._lock:
            self.changed = True
            if step in self._steps:
                self._steps[step].note = f"attempt {attempt + 1}, after {error}"

    def waiting(self, step: str, event: str, key: str | None, due_at: int) -> None:
        """A wait or a sleep is durable."""
        what = f"waits for event {event}" if event else "sleeps"
        about = f" with key {key}" if key is not None else ""
        with self._lock:
            self.changed = True
            self._steps[step] = OpenStep(self._now, f"{what}{about}{_until(due_at)}")

    def queued(self, step: str, lock: str) -> None:
        """A step stands in a queue."""
        from flowrt.why.history import lock_text

        with self._lock:
            self.changed = True
            self._steps[step] = OpenStep(self._now, f"waits for {lock_text(lock)}")

    def admitted(self, step: str) -> None:
        """It is a step's turn: a task works from now on, and of a lock it is its body that does."""
        with self._lock:
            self.changed = True
            self._steps.pop(step, None)
            if self._kinds.get(step) in WORKING:
                self._steps[step] = OpenStep(self._now)

    def closed(self, step: str, end: StepEnd, error: str) -> None:  # noqa: ARG002 - the port's names
        """A step ended."""
        with self._lock:
            self.changed = True
            kind = self._kinds.pop(step, None)
            if kind in WORKING:
                self._ended[end] += 1
            self._steps.pop(step, None)
            self._loops.pop(step, None)
            for loop, index in self._enclosing(step):
                left = loop.bodies.get(index, 0) - 1
                if left > 0:
                    loop.bodies[index] = left
                else:
                    loop.bodies.pop(index, None)

    def done_count(self) -> int:
        """How many tasks have succeeded."""
        return self._ended["succeeded"]

    def lines(self, now: float, width: int, height: int) -> list[str]:
        """At most `height` lines of at most `width` columns; `now` in seconds."""
        with self._lock:
            self._now = now
            self.changed = False
            loops = [(path, loop.done, loop.count) for path, loop in self._loops.items()]
            steps = [(path, step.since, step.note) for path, step in self._steps.items()]
            head = f"{self._title}  {format_seconds(now - self._started_at)}  {self._counts()}"
        room = max(0, height - 1)
        body = [_loop_line(*loop) for loop in loops[:room]]
        left = room - len(body)
        shown = steps if len(steps) <= left else steps[: max(0, left - 1)]
        body.extend(_step_line(path, now - since, note) for path, since, note in shown)
        if len(shown) < len(steps) and left > 0:
            body.append(f"  … and {len(steps) - len(shown)} more steps")
        return [clip(line, width) for line in (head, *body)]

    def _counts(self) -> str:
        failed = self._ended["failed"]
        return tasks_done(self._ended["succeeded"]) + (f", {failed} failed" if failed else "")

    def _enclosing(self, step: str) -> Iterator[tuple[OpenLoop, int]]:
        """The open loops that a step is in, and the index of the body of each."""
        if "[" not in step:
            return
        for found in _INDEX.finditer(step):
            loop = self._loops.get(step[: found.start()])
            if loop is not None:
                yield loop, int(found.group(1))


def _loop_line(path: str, done: int, count: int) -> str:
    if not count:
        return f"  {path}  {done} rounds done"
    filled = BAR_WIDTH * min(done, count) // count
    return f"  {path}  {'━' * filled}{'╌' * (BAR_WIDTH - filled)}  {done} of {count}"


def _step_line(path: str, seconds: float, note: str) -> str:
    return f"  {path}  {format_seconds(seconds)}" + (f"  {note}" if note else "")


def _until(due_at: int) -> str:
    if not due_at:
        return ""
    from datetime import datetime

    return f" until {datetime.fromtimestamp(due_at / 1e6).astimezone():%Y-%m-%d %H:%M:%S}"


def tasks_done(count: int) -> str:
    """How many tasks have succeeded, in words."""
    return "1 task done" if count == 1 else f"{count} tasks done"


def format_seconds(seconds: float) -> str:
    """A length of time for people: `3.2 s`, `4 min 5 s`, `2 h 3 min`."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{max(0.0, seconds):.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def clip(line: str, width: int) -> str:
    """A line that takes at most `width` columns, without characters that move the cursor."""
    kept: list[str] = []
    used = 0
    for char in line:
        shown = char if char.isprintable() else "?"
        columns = 2 if unicodedata.east_asian_width(shown) in "WF" else 1
        if used + columns > width - 1:
            return "".join(kept) + "…"
        kept.append(shown)
        used += columns
    return "".join(kept)
