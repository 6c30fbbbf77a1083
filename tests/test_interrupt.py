"""A wish to end: set by handlers in the middle of anything, waited for by any number of threads."""

import random
import signal
import threading
import time

import pytest

from flowrt.interrupt import Interrupt


def test_who_waits_hears_of_it_and_whoever_comes_later_does_too():
    interrupt = Interrupt()
    assert (interrupt.is_set(), interrupt.wait(0.0), interrupt.wait(0.01)) == (False, False, False)
    heard: list[bool] = []
    threads = [threading.Thread(target=lambda: heard.append(interrupt.wait(20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    interrupt.set()
    interrupt.set()
    for thread in threads:
        thread.join(20)
    assert heard == [True] * 8
    assert (interrupt.is_set(), interrupt.wait(), interrupt.wait(1)) == (True, True, True)


@pytest.mark.timeout(30)
def test_a_handler_that_sets_it_never_waits_for_the_thread_that_it_interrupts():
    """A `threading.Event` in its place stands still for ever within a second."""
    current = [Interrupt()]
    before = signal.signal(signal.SIGALRM, lambda *_: current[0].set())
    rng = random.Random(1)
    ends_at = time.monotonic() + 1.0
    try:
        while time.monotonic() < ends_at:
            current[0] = Interrupt()
            signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-6, 4e-5))
            for _ in range(3):
                current[0].wait(0.0001)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
