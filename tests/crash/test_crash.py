"""The short versions of the campaigns of this folder; the long ones are documented at their heads."""

import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGN = Path(__file__).resolve().parent / "campaign.py"


def campaign(*words: str) -> str:
    """What a campaign says that ends well."""
    command = [sys.executable, str(CAMPAIGN), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def test_killed_at_random_instants() -> None:
    assert "6 of 6 trials without a violation" in campaign("--times", "6")


@pytest.mark.ray
@pytest.mark.slow
def test_killed_at_random_instants_on_ray() -> None:
    assert "2 of 2 trials without a violation" in campaign("--times", "2", "--executor", "ray")
