"""A short version of the campaign: some cases of each kind."""

import subprocess
import sys
from pathlib import Path

CAMPAIGN = Path(__file__).parent / "campaign.py"


def test_damage_is_detected_or_harmless():
    done = subprocess.run(
        [sys.executable, str(CAMPAIGN), "--sample", "6", "--processes", "2"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("0 wrong")
    assert done.stdout.count("sealed") == 6
