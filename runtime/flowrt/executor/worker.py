"""What runs in a worker of Ray: the bytes of a job go in, the bytes of a reply come out.

The attempts of a job are made one after another in the main thread, where signals arrive:

* **Stopping.** `ray.cancel` interrupts the main thread as Ctrl-C would, but by a flag inside Python, so a
  step that sleeps or reads would not notice. Python writes a byte to its wake-up descriptor for each such
  flag; a thread reads it and sends the process a real signal that has no other effect than to end the
  system call. The step then gets `Interrupted`, and a job that was interrupted ends there: what it has
  done is reported, the rest goes back.
* **Time.** A timer raises TimeoutError in the step. A step that does not end within GRACE_S of that is
  deaf (it runs C code, or swallows the error) and the process ends, by a thread of `faulthandler` that
  does not need Python's lock. The executor knows such a death by the time it took.

Nothing here imports Ray, so it costs a worker only what `flowrt.executor.attempt` costs.
"""

import faulthandler
import os
import signal
import socket
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from types import FrameType
from typing import cast

from flowrt.encoding.values import Values
from flowrt.executor.attempt import Interrupted, make_with
from flowrt.executor.callee import ImportFailed, load
from flowrt.executor.failure import failure_of
from flowrt.executor.held import HeldBlobs, Kept
from flowrt.executor.port import Attempt, Halted, Outcome, Raised
from flowrt.executor.wire import Reply, pack_reply, unpack_job, unpickled
from flowrt.program import Pickled
from flowrt.store.port import Blobs

GRACE_S = 5.0


class _Interrupts:
    """Whether an interruption may be raised just now; outside of attempts it comes too late."""

    def __init__(self) -> None:
        self.armed = False
        self.wanted = False
        self._ears: tuple[socket.socket, socket.socket] | None = None

    def listen(self) -> None:
        """Take over SIGINT in this process, once, and the wake-up descriptor, each time."""
        if threading.current_thread() is not threading.main_thread():
            return
        if self._ears is None:
            self._ears = socket.socketpair()
            self._ears[1].settimeout(0)  # Python writes to it from a signal handler and must not block.
            signal.signal(signal.SIGURG, lambda _number, _frame: None)
            threading.Thread(target=self._wake, args=(self._ears[0],), daemon=True).start()
        signal.signal(signal.SIGINT, self._raise)
        signal.set_wakeup_fd(self._ears[1].fileno(), warn_on_full_buffer=False)

    def _raise(self, _number: int, _frame: FrameType | None) -> None:
        self.wanted = True
        if self.armed:
            raise Interrupted

    def _wake(self, ear: socket.socket) -> None:
        main = threading.main_thread().ident
        assert main is not None
        while numbers := ear.recv(64):
            if signal.SIGINT in numbers:
                signal.pthread_kill(main, signal.SIGURG)


_INTERRUPTS = _Interrupts()


def work(job: bytes, *held: Kept) -> tuple[bytes, Kept | None]:
    """Make the attempts of a job; the second value holds the large results, if there are any."""
    packed_blobs, attempts = unpack_job(job)
    blobs, values = _store(packed_blobs)
    blobs.hold(held)
    _INTERRUPTS.listen()
    outcomes: list[Outcome] = []
    busy_s = longest_s = 0.0
    printed = _printed()
    _INTERRUPTS.wanted = False
    for attempt in attempts:
        attempt = _with_code(attempt, blobs)  # noqa: PLW2901 - the same attempt, complete
        _warm(attempt)
        began = time.perf_counter()
        outcomes.append(_made(attempt, values))
        took = time.perf_counter() - began
        busy_s += took
        longest_s = max(longest_s, took)
        if _INTERRUPTS.wanted:
            break
    kept = blobs.take()
    sizes = [(digest, len(data)) for digest, data in kept] if kept is not None else []
    return pack_reply(Reply(outcomes, sizes, busy_s, longest_s, _printed() > printed)), kept


def _printed() -> int:
    """How much this process has printed: in a worker of Ray, stdout and stderr are files."""
    try:
        return sum(os.fstat(descriptor).st_size for descriptor in (1, 2))
    except OSError:
        return 0


@lru_cache(maxsize=4)
def _store(packed: bytes) -> tuple[HeldBlobs, Values]:
    blobs = HeldBlobs(cast("Blobs", unpickled(packed)))
    return blobs, Values(blobs)


def _with_code(attempt: Attempt, blobs: HeldBlobs) -> Attempt:
    """The attempt with its pickled code, when that came by reference."""
    callee = attempt.task.callee
    if attempt.code is not None or not isinstance(callee, Pickled):
        return attempt
    code = blobs.held(callee.digest)
    return attempt if code is None else replace(attempt, code=bytes(code))


def _warm(attempt: Attempt) -> None:
    """Import the callable first: what that takes says nothing about how long a step takes."""
    try:
        load(attempt.task.callee, attempt.code, attempt.run.python_path)
    except ImportFailed:
        return  # The attempt itself meets the same failure and reports it.


def _made(attempt: Attempt, values: Values) -> Outcome:
    try:
        _INTERRUPTS.armed = True
        try:
            if attempt.timeout_s is None:
                return make_with(attempt, values)
            with _bounded(attempt.timeout_s):
                return make_with(attempt, values)
        finally:
            _INTERRUPTS.armed = False
    except Interrupted:
        return Halted()
    except TimeoutError as late:
        # The alarm went off in the last lines of the attempt, outside of what the attempt looks after.
        now = time.time_ns() // 1000
        return Raised(failure_of(late, attempt.key.step, attempt.task.retry), now, now)


@contextmanager
def _bounded(timeout_s: float) -> Generator[None]:
    def late(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError(f"The attempt took longer than its timeout of {timeout_s:g} s.")

    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - the watchdog wants a descriptor
        signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, max(timeout_s, 1e-6))
        faulthandler.dump_traceback_later(timeout_s + GRACE_S, exit=True, file=nowhere)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            faulthandler.cancel_dump_traceback_later()
