"""Waiting at scale, in short: see `waiting.py`, which is run with a hundred thousand runs."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_some_hundred_runs_wait_and_go_on():
    script = Path(__file__).with_name("waiting.py")
    words = ["--runs", "300", "--rate", "20", "--seconds", "2", "--lead", "4"]
    command = [sys.executable, str(script), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    # How late timers are on a machine that does other things is no matter of a test.
    assert "runs told by events" in done.stdout, done.stdout + done.stderr
    assert "early" not in done.stdout
