"""The short version of the simulation; the long one is `python tests/simulation/campaign.py`."""

import re
import subprocess
import sys
from pathlib import Path

CAMPAIGN = Path(__file__).resolve().parent / "campaign.py"


def campaign(*arguments: str) -> str:
    command = [sys.executable, str(CAMPAIGN), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_no_seed_breaks_a_promise() -> None:
    assert "240 seeds, 0 with a violation" in campaign("--seeds", "240")


def test_the_same_seed_gives_the_same_trace() -> None:
    one, other = (campaign("--replay", "5") for _ in range(2))
    assert one == other
    assert re.search(r"trace [0-9a-f]{32}: no violation", one)
