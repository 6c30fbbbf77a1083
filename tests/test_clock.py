"""The clock of the machine: it never goes back, never stands still, and catches up with itself."""

import time

import pytest

from flowrt.clock import WallClock

SECOND = 1_000_000
NOON = 1_800_000_000 * SECOND


@pytest.fixture
def machine(monkeypatch):
    """A machine whose time passes, and whose clock can be set."""

    class Machine:
        wall, ticks = NOON, 0

        def passes(self, length: int) -> None:
            self.wall += length
            self.ticks += length

    machine = Machine()
    monkeypatch.setattr(time, "time_ns", lambda: machine.wall * 1000)
    monkeypatch.setattr(time, "monotonic_ns", lambda: machine.ticks * 1000)
    return machine


def test_it_is_the_clock_of_the_machine(machine):
    clock = WallClock()
    assert clock.now() == NOON
    machine.passes(3 * SECOND)
    machine.wall += 3600 * SECOND
    assert clock.now() == NOON + 3603 * SECOND
    assert clock.timeout_s(NOON + 3605 * SECOND) == 2.0


def test_set_back_by_an_hour_it_goes_at_half_the_speed_for_two(machine):
    clock = WallClock()
    clock.now()
    machine.wall -= 3600 * SECOND
    assert clock.now() == NOON
    machine.passes(SECOND)
    assert clock.now() == NOON + SECOND // 2
    for _ in range(7197):
        machine.passes(SECOND)
        clock.now()
    assert clock.now() == NOON + 3599 * SECOND
    machine.passes(2 * SECOND)
    assert clock.now() == machine.wall == NOON + 3600 * SECOND


def test_it_goes_on_however_often_it_is_asked(machine):
    clock = WallClock()
    clock.now()
    machine.wall -= 3600 * SECOND
    for _ in range(1000):
        machine.passes(1)
        clock.now()
    assert clock.now() == NOON + 500
