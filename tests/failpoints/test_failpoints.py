"""The short version of the failpoint campaign; the long one is `python tests/failpoints/campaign.py`."""

import subprocess
import sys
from pathlib import Path

CAMPAIGN = Path(__file__).resolve().parent / "campaign.py"


def test_a_process_dies_once_at_each_point() -> None:
    command = [sys.executable, str(CAMPAIGN), "--short"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    assert ", 0 violations" in done.stdout
