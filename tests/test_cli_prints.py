"""What tasks print on Ray is seen, every line of it, and beside the results."""

import os
import subprocess
import sys

import pytest

FLOW = """\
flowc: 1
use: {t: flowc_printing_tasks}
flow: printing
steps:
  - id: said
    for: i in range(4)
    parallel: 4
    do: t.say(i)
  - return: len(said)
"""
TASKS = """\
import sys


def say(i):
    print("saying", i)
    print("warning of", i, file=sys.stderr)
"""


@pytest.mark.ray
def test_every_line_that_tasks_print_is_seen_before_the_command_ends(tmp_path):
    (tmp_path / "x.flow.yaml").write_text(FLOW)
    (tmp_path / "flowc_printing_tasks.py").write_text(TASKS)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "FLOWC_"))
    }
    done = subprocess.run(
        [sys.executable, "-m", "flowc", "run", "x.flow.yaml"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "4\n")
    for i in range(4):
        assert f") saying {i}\n" in done.stderr
        assert f") warning of {i}\n" in done.stderr
    assert "\x1b" not in done.stderr
    assert "repeated" not in done.stderr
