"""The short version of the simulation; the long one is `python tests/simulation/campaign.py`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

NOTABLE = (
    "dies at",
    "frozen",
    "no answer",
    "Lost",
    "Halted",
    "parks",
    "takes over",
    "superseded",
    "RunOwned",
    "interrupt",
    "outage",
    "jump",
    "cancel",
    "event",
    "start",
    "taken over",
    "waits for a lock",
    "deposited",
)
"""What the simulation is for: where it happens never, little is proved."""

CAMPAIGN = Path(__file__).resolve().parent / "campaign.py"


def campaign(*arguments: str) -> str:
    command = [sys.executable, str(CAMPAIGN), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


def test_no_seed_breaks_a_promise() -> None:
    told = campaign("--seeds", "400")
    assert "400 seeds, 0 with a violation" in told
    for what in NOTABLE:
        happened = re.search(rf"\b{what} ([\d,]+)", told)
        assert happened, f"`{what}` never happened: {told}"
        assert int(happened[1].replace(",", "")) >= 20, told


def test_no_seed_breaks_a_promise_on_sql() -> None:
    assert "10 seeds, 0 with a violation" in campaign("--seeds", "10", "--first", "385", "--store", "sqlite")


def test_the_same_seed_gives_the_same_trace() -> None:
    one, other = (campaign("--replay", "5") for _ in range(2))
    assert one == other
    assert re.search(r"trace [0-9a-f]{32}: no violation", one)


@pytest.mark.parametrize("seed", [1055, 1090])
def test_seeds_that_have_found_something(seed: int) -> None:
    """A run that waits for a lock was let go before it had looked: no answer was taken for one."""
    assert "1 seeds, 0 with a violation" in campaign("--seeds", "1", "--first", str(seed))
