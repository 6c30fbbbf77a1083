"""The mailbox: order, waiting, and a signal whose handler runs past the deadline."""

import signal
import threading
import time

import pytest

from flowrt.mailbox import Mailbox


def test_items_come_in_order_and_then_nothing():
    mailbox: Mailbox[int] = Mailbox()
    assert mailbox.empty()
    for number in range(3):
        mailbox.post(number)
    assert not mailbox.empty()
    assert [mailbox.take(), mailbox.take_now(), mailbox.take(0.0), mailbox.take_now()] == [0, 1, 2, None]


def test_what_is_waited_for_wakes_the_waiter():
    mailbox: Mailbox[str] = Mailbox()
    mailbox.post("before")
    assert mailbox.take_now() == "before"  # Its bell still rings: that is no item.
    threading.Timer(0.1, mailbox.post, ("late",)).start()
    assert mailbox.take() == "late"


def test_none_is_lost_of_many_threads():
    mailbox: Mailbox[int] = Mailbox()
    threads = [
        threading.Thread(target=lambda start=start: [mailbox.post(start + n) for n in range(2_000)])
        for start in (0, 10_000, 20_000)
    ]
    for thread in threads:
        thread.start()
    taken = [mailbox.take() for _ in range(6_000)]
    assert sorted(taken) == [start + n for start in (0, 10_000, 20_000) for n in range(2_000)]
    assert mailbox.take(0.01) is None


@pytest.mark.timeout(20)
def test_a_handler_that_runs_past_the_deadline_does_not_make_it_wait_for_ever():
    """`queue.SimpleQueue.get` of Python 3.11 never returns here."""
    mailbox: Mailbox[int] = Mailbox()
    before = signal.signal(signal.SIGALRM, lambda *_: time.sleep(0.2))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        assert mailbox.take(0.1) is None
    finally:
        signal.signal(signal.SIGALRM, before)
