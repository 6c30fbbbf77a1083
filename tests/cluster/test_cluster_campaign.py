"""A short version of `campaign.py`: a few workers killed and a node removed under runs."""

import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGN = Path(__file__).parent / "campaign.py"


@pytest.mark.ray
@pytest.mark.slow
def test_workers_and_a_node_die_under_runs_and_nothing_is_lost_or_made_twice() -> None:
    command = [sys.executable, str(CAMPAIGN), "--workers", "3", "--nodes", "1", "--seed", "3"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert "3 workers killed, 1 nodes removed" in ended.stdout
    assert "0 violations" in ended.stdout
