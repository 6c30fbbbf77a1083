"""The short version of the planted faults; the long one is `python tests/planted/campaign.py`."""

import subprocess
import sys
from pathlib import Path

CAMPAIGN = Path(__file__).resolve().parent / "campaign.py"


def campaign(*arguments: str) -> str:
    command = [sys.executable, str(CAMPAIGN), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def test_every_fault_can_be_planted() -> None:
    """When the source changes, its faults are written anew."""
    told = campaign("--check")
    assert " 0 problems" in told
    assert int(told.split()[0]) >= 30


def test_a_planted_fault_is_caught() -> None:
    told = campaign("--only", "the bytes of a blob are not synced")
    assert "1 faults planted, 1 caught, 0 survived" in told
