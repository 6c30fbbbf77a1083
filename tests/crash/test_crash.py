"""The short versions of the campaigns of this folder; the long ones are documented at their heads."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def campaign(name: str, *words: str) -> str:
    """What a campaign says that ends well."""
    command = [sys.executable, str(HERE / f"{name}.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-2000:]}"
    return done.stdout


def test_killed_at_random_instants() -> None:
    assert "4 of 4 trials without a violation" in campaign("campaign", "--times", "4")


@pytest.mark.ray
@pytest.mark.slow
def test_killed_at_random_instants_on_ray() -> None:
    said = campaign("campaign", "--times", "2", "--executor", "ray")
    assert "2 of 2 trials without a violation" in said


def test_two_engines_race_for_a_run_and_dead_owners_come_back() -> None:
    said = campaign("races", "--races", "4", "--zombies", "4")
    assert "4 of kind race" in said
    assert "4 of kind zombie" in said


def test_who_holds_a_lock_is_killed_or_stopped() -> None:
    said = campaign("locks", "--times", "1", "--seed", "3")
    assert all(f"1 of kind {kind}" in said for kind in ("crowd", "order", "stopped", "served"))


def test_every_deposit_is_there_once_when_engines_are_killed() -> None:
    said = campaign("accounts", "--times", "1", "--runs", "3", "--kills", "4", "--seed", "2")
    killed = re.search(r"1 trials, (\d+) servers killed", said)
    assert killed, said
    assert 1 <= int(killed[1]) <= 4, "on a fast machine the work is done before the last of them"
    assert ", 0 violations" in said


def test_events_while_their_receiver_is_killed() -> None:
    assert "100 events, 200 to be seen" in campaign("events", "--events", "100", "--kills", "2")


@pytest.mark.parametrize("outage", ["disk", "io"])
def test_a_store_that_cannot_be_written_for_a_while(outage: str) -> None:
    assert outage in campaign("outages", "--only", outage)


@pytest.mark.slow
def test_a_server_that_is_killed_again_and_again() -> None:
    assert "8 runs, 16 events" in campaign("outages", "--only", "postgres", "--runs", "8")
