"""Ctrl-C between any two lines of the engine: the run can be resumed, and no step runs behind its record."""

import os
import random
import sys
from types import FrameType

import pytest
from stories import HOUR, Story, program_of

from flowrt.errors import RunOwned
from flowrt.record import Received, Succeeded

COUNT = int(os.environ.get("FLOWC_INTERRUPTS", "80"))
ROOMS = ("active", "conduct", "engine", "inbox", "machine", "state", "timers", "constructs", "for_each")


class Interrupter:
    """Raises KeyboardInterrupt at the line of number `at` that runs in the rooms of the engine."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0
        self.where = ""

    def __enter__(self) -> "Interrupter":
        self.before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def _call(self, frame: FrameType, event: str, arg: object):  # noqa: ARG002
        name = frame.f_code.co_filename
        return self._line if "flowrt" in name and name.endswith(tuple(f"/{r}.py" for r in ROOMS)) else None

    def _line(self, frame: FrameType, event: str, arg: object):  # noqa: ARG002
        if event == "line":
            self.count += 1
            if self.count == self.at:
                self.where = f"{frame.f_code.co_qualname} line {frame.f_lineno}"
                raise KeyboardInterrupt
        return self._line


def lines_of(name: str) -> int:
    story = Story(program_of(name))
    story.start()
    with Interrupter(-1) as counting:
        story.drive()
    return counting.count


def driven(story: Story, interrupter: Interrupter) -> object:
    """The result of driving on after an interruption."""
    try:
        with interrupter:
            return story.value(story.drive())
    except KeyboardInterrupt:
        pass
    made = len(story.executor.made)
    recorded = {r.step for r in story.records() if isinstance(r, Succeeded)}
    try:
        result = story.drive()
    except RunOwned:
        # Interrupted while it let the run go: that takes until the lease is over.
        story.clock.at += HOUR
        result = story.drive()
    again = {key.step for key in story.executor.made[made:]} & recorded
    assert not again, f"{interrupter.where}: {again} ran again"
    return story.value(result)


@pytest.mark.parametrize("name", ["chain", "events", "fans", "pauses"])
def test_interrupted_at_any_line(name: str) -> None:
    whole = Story(program_of(name))
    expected = whole.value(whole.play())
    lines = lines_of(name)
    for at in sorted(random.Random(7).sample(range(1, lines + 1), min(lines, COUNT))):
        story = Story(program_of(name))
        story.start()
        interrupter = Interrupter(at)
        assert driven(story, interrupter) == expected, interrupter.where
        for kind in (Succeeded, Received):
            steps = [r.step for r in story.records() if isinstance(r, kind)]
            assert len(steps) == len(set(steps)), f"{interrupter.where}: recorded twice"
