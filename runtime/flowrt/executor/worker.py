"""What runs in a worker of Ray: the bytes of a job go in, the bytes of a reply come out.

The attempts of a job are made one after another in the main thread, where signals arrive:

* **Stopping.** `ray.cancel` interrupts the main thread as Ctrl-C would, but by a flag inside Python, so a
  step that sleeps or reads would not notice. Python writes a byte to its wake-up descriptor for each such
  flag; a thread reads it and sends the process a real signal that has no other effect than to end the
  system call. The step then gets `Interrupted`, and a job that was interrupted ends there: what it has
  done is reported, the rest goes back.
* **Time.** Attempts that have a bound in time travel alone; `flowrt.executor.alarm` watches over them, and
  `flowrt.executor.signs` lets the executor know of a process that was ended by it.

Nothing here imports Ray, so it costs a worker only what `flowrt.executor.attempt` costs.
"""

import os
import signal
import socket
import threading
import time
from dataclasses import replace
from functools import lru_cache
from types import FrameType
from typing import cast

from flowrt.encoding.values import Values
from flowrt.errors import StoreError
from flowrt.executor.alarm import Alarm
from flowrt.executor.attempt import Interrupted, make_with
from flowrt.executor.callee import ImportFailed
from flowrt.executor.code import function_of
from flowrt.executor.failure import failure_of
from flowrt.executor.held import HeldBlobs, Kept
from flowrt.executor.port import Attempt, Halted, Outcome, Raised
from flowrt.executor.signs import Scribe, Sign
from flowrt.executor.wire import Reply, pack_reply, unpack_job, unpickled
from flowrt.program import Pickled
from flowrt.store.port import Blobs


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
_SCRIBE = Scribe()


def work(job: bytes, *held: Kept) -> tuple[bytes, Kept | None]:
    """Make the attempts of a job; the second value holds the large results, if there are any."""
    name, packed_blobs, attempts = unpack_job(job)
    _SCRIBE.name(name)
    blobs, values = _store(packed_blobs)
    blobs.hold(held)
    _INTERRUPTS.listen()
    outcomes: list[Outcome] = []
    busy_s = longest_s = 0.0
    printed = _printed()
    _INTERRUPTS.wanted = False
    for attempt in attempts:
        attempt = _with_code(attempt, blobs)  # noqa: PLW2901 - the same attempt, complete
        _warm(attempt, values.blobs)
        began = time.perf_counter()
        outcomes.append(_made(name, attempt, values))
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


def _warm(attempt: Attempt, blobs: Blobs) -> None:
    """Import the callable first: what that takes says nothing about how long a step takes."""
    if not attempt.run.allow_pickle and isinstance(attempt.task.callee, Pickled):
        return  # The attempt refuses it.
    try:
        function_of(attempt, blobs)
    except (ImportFailed, StoreError):
        return  # The attempt itself meets the same failure and reports it.


def _made(job: str, attempt: Attempt, values: Values) -> Outcome:
    try:
        _INTERRUPTS.armed = True
        try:
            if attempt.timeout_s is None and attempt.heartbeat_s is None:
                return make_with(attempt, values, alone=True)
            return _bounded(job, attempt, values)
        finally:
            _INTERRUPTS.armed = False
    except Interrupted:
        _INTERRUPTS.armed = False
        return Halted()


def _bounded(job: str, attempt: Attempt, values: Values) -> Outcome:
    """An attempt with a bound in time: when the alarm has rung it has failed, whatever it makes of that."""
    began_at = time.time()
    _SCRIBE.begin(job, Sign(began_at, None if attempt.heartbeat_s is None else began_at))
    alarm = Alarm(
        attempt.timeout_s,
        attempt.heartbeat_s,
        lambda heard_at: _SCRIBE.tell(job, Sign(began_at, heard_at)),
    )
    outcome: Outcome | None = None
    try:
        with alarm:
            outcome = make_with(attempt, values, None if attempt.heartbeat_s is None else alarm, alone=True)
    except TimeoutError:
        assert alarm.rang is not None, "nothing else raises in the last lines of an attempt"
    finally:
        alarm.off()
        _SCRIBE.tell(job, None)
    late = alarm.rang
    if late is None or isinstance(outcome, Halted):
        assert outcome is not None, "without an alarm the attempt has an outcome"
        return outcome
    where = outcome.failure.traceback if isinstance(outcome, Raised) else ""
    failure = replace(failure_of(late, attempt.key.step, attempt.asked_for), traceback=where)
    return Raised(failure, int(began_at * 1e6), time.time_ns() // 1000)
