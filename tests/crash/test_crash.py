"""The short version of the crash campaign; the long one is `python tests/crash/campaign.py`."""

import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGN = Path(__file__).resolve().parent / "campaign.py"


@pytest.mark.ray
@pytest.mark.slow
def test_killed_at_random_instants() -> None:
    command = [sys.executable, str(CAMPAIGN), "--times", "4", "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    assert "4 of 4 trials without a violation" in done.stdout
