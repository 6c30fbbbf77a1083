"""What the terminal shows while a run goes on, and how it is drawn."""

import io
import re
import time

import pytest

from flowc.cli.live import Live
from flowc.cli.progress import Progress, clip, format_seconds


def test_steps_that_run_and_tasks_that_are_done():
    progress = Progress("run-1", 100.0)
    progress.lines(100.0, 80, 24)
    progress.opened("parts", "task")
    progress.closed("parts", "succeeded", "")
    progress.opened("choice", "if")
    progress.opened("load", "task")
    assert progress.lines(103.5, 80, 24) == ["run-1  3.5 s  1 task done", "  load  3.5 s"]


def test_a_loop_tells_how_many_bodies_are_done():
    progress = Progress("r", 0.0)
    progress.opened("loads", "for")
    progress.expanded("loads", 4)
    for index in range(3):
        progress.opened(f"loads[{index}].raw", "task")
    progress.closed("loads[1].raw", "succeeded", "")
    progress.opened("loads[1].clean", "task")  # The same body goes on.
    assert "0 of 4" in progress.lines(1.0, 80, 24)[1]
    progress.closed("loads[0].raw", "succeeded", "")
    progress.closed("loads[2].raw", "failed", "ValueError: no")
    lines = progress.lines(1.0, 80, 24)
    assert lines[0] == "r  1.0 s  2 tasks done, 1 failed"
    assert lines[1] == "  loads  ━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌  2 of 4"
    progress.closed("loads[1].clean", "succeeded", "")
    progress.closed("loads", "succeeded", "")
    assert len(progress.lines(1.0, 80, 24)) == 1


def test_loops_inside_loops_count_for_themselves():
    progress = Progress("r", 0.0)
    progress.opened("outer", "for")
    progress.expanded("outer", 2)
    progress.opened("outer[0].inner", "for")
    progress.expanded("outer[0].inner", 3)
    progress.opened("outer[0].inner[0].x", "task")
    progress.closed("outer[0].inner[0].x", "succeeded", "")
    lines = progress.lines(0.0, 80, 24)
    assert lines[1].endswith("0 of 2")
    assert lines[2].endswith("1 of 3")


def test_a_loop_without_a_count_tells_its_rounds():
    progress = Progress("r", 0.0)
    progress.opened("train", "until")
    for index in range(2):
        progress.opened(f"train[{index}].epoch", "task")
        progress.closed(f"train[{index}].epoch", "succeeded", "")
    assert progress.lines(0.0, 80, 24)[1] == "  train  2 rounds done"


def test_waits_and_failed_attempts_are_told():
    progress = Progress("r", 0.0)
    progress.opened("approval", "wait")
    progress.waiting("approval", "approval", "order\x1b[2J17", 0)
    progress.opened("call", "task")
    progress.attempted("call", 1, "OSError: gone", 1, 2)
    lines = progress.lines(2.0, 80, 24)
    assert lines[1] == "  approval  2.0 s  waits for event approval with key order?[2J17"
    assert lines[2] == "  call  2.0 s  attempt 2, after OSError: gone"


def test_queues_are_told_until_it_is_the_steps_turn():
    progress = Progress("r", 0.0)
    progress.opened("paid", "task")
    progress.queued("paid", "shop:Account(ann)")
    progress.opened("guarded", "lock")
    progress.queued("guarded", "gpu")
    assert progress.lines(2.0, 80, 24)[1:] == [
        "  paid  2.0 s  waits for its turn at the actor `shop:Account(ann)`",
        "  guarded  2.0 s  waits for the lock `gpu`",
    ]
    progress.admitted("paid")
    progress.admitted("guarded")
    assert progress.lines(3.0, 80, 24)[1:] == ["  paid  1.0 s"]


def test_never_more_than_a_screenful():
    progress = Progress("r", 0.0)
    for index in range(100):
        progress.opened(f"step{index}", "task")
    for height in (1, 2, 3, 10):
        lines = progress.lines(0.0, 30, height)
        assert len(lines) <= height
        assert all(len(line) <= 30 for line in lines)
    assert progress.lines(0.0, 80, 10)[-1] == "  … and 92 more steps"


def test_nothing_is_kept_of_steps_that_are_over():
    progress = Progress("r", 0.0)
    progress.opened("loop", "for")
    for index in range(1000):
        progress.opened(f"loop[{index}].x", "task")
        progress.closed(f"loop[{index}].x", "succeeded", "")
    assert progress._steps == {}
    assert set(progress._kinds) == {"loop"}
    assert progress._loops["loop"].bodies == {}
    assert progress._loops["loop"].done == 1000


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0.0 s"), (59.94, "59.9 s"), (61, "1 min 1 s"), (7384, "2 h 3 min")]
)
def test_lengths_of_time(seconds, text):
    assert format_seconds(seconds) == text


def test_wide_characters_take_two_columns():
    assert clip("日本語日本語", 7) == "日本語…"
    assert clip("abc", 4) == "abc"


class Screen:
    """As much of a terminal as `Live` uses."""

    def __init__(self):
        self.rows, self.at = [""], 0

    def feed(self, text):
        for part in re.findall(r"\x1b\[\d*[A-Z]|\n|[^\x1b\n]+", text):
            match part:
                case "\x1b[K":
                    self.rows[self.at] = self.rows[self.at].removesuffix("\0")
                case "\x1b[J":
                    del self.rows[self.at :]
                    self.rows.append("")
                case "\n":
                    self.at += 1
                    self.rows.extend([""] * (self.at + 1 - len(self.rows)))
                case _ if part.endswith("F"):
                    self.at -= int(part[2:-1])
                case _:
                    self.rows[self.at] = part


def test_the_block_is_redrawn_in_place_and_removed():
    frames = [["one", "two"], ["three"], ["four", "five", "six"]]
    terminal = io.StringIO()
    now = {"frame": 0}
    with Live(terminal, lambda *_: frames[now["frame"]], lambda: True) as live:
        for number in range(3):
            now["frame"] = number
            time.sleep(0.25)
        print("printed by a task", file=live.stream)
        print("no end", end="", file=live.stream)
        time.sleep(0.15)
        screen = Screen()
        screen.feed(terminal.getvalue())
        assert screen.rows == ["printed by a task", "four", "five", "six", ""]
    screen = Screen()
    screen.feed(terminal.getvalue())
    assert [row for row in screen.rows if row] == ["printed by a task", "no end"]


def test_at_most_ten_frames_a_second():
    terminal = io.StringIO()
    frames = []
    with Live(terminal, lambda *_: frames.append(1) or ["x"], lambda: True):
        time.sleep(0.55)
    assert 2 <= len(frames) <= 6
