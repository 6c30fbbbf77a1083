"""What is reported of an attempt that came back without a reply. In: what is known of it. Out: an `Outcome`.

A worker that died may have been ended by its own watchdog, because the time of its attempt was up, or by
something else. Its last sign tells (`flowrt.executor.signs`): the watchdog bites GRACE_S after a bound is
over and not before, and Ray tells of the death of a process at once. Half of the grace is left to the
clocks of two machines. The death of a node is told late, so nothing follows from its time. What is left is
a machine so busy that Ray tells of a killed process later than its attempt's bound and that half: then it
counts as a time-out.
"""

import time

from flowrt.core.catching import ancestors
from flowrt.executor.alarm import GRACE_S, too_long, too_silent
from flowrt.executor.launcher import Trouble
from flowrt.executor.port import Attempt, Lost, Outcome, Raised
from flowrt.executor.signs import Sign
from flowrt.record import Failure

_AND_DEAF = " It did not end when told to, so its process was ended."


def told_of(attempt: Attempt, trouble: Trouble, sign: Sign | None) -> Outcome:
    """The outcome of an attempt whose call failed."""
    if trouble.kind == "error":
        now = time.time_ns() // 1000
        return Raised(Failure("RuntimeError", trouble.reason, attempt.key.step), now, now, retryable=False)
    late = None if trouble.node_lost else overdue(attempt, sign, GRACE_S / 2)
    return Lost(trouble.reason) if late is None else late


def overdue(attempt: Attempt, sign: Sign | None, margin_s: float) -> Raised | None:
    """The time-out of an attempt that is over its bound by at least `margin_s`; None when it is not."""
    if sign is None:
        return None
    now = time.time()
    if attempt.timeout_s is not None and now - sign.began_at >= attempt.timeout_s + margin_s:
        said = too_long(attempt.timeout_s)
    elif (
        attempt.heartbeat_s is not None
        and sign.heard_at is not None
        and now - sign.heard_at >= attempt.heartbeat_s + margin_s
    ):
        said = too_silent(attempt.heartbeat_s)
    else:
        return None
    caught = _caught_by_name(attempt)
    failure = Failure("TimeoutError", said + _AND_DEAF, attempt.key.step, caught=caught)
    return Raised(failure, int(sign.began_at * 1e6), time.time_ns() // 1000)


def _caught_by_name(attempt: Attempt) -> tuple[str, ...]:
    """Which of the classes that are asked for a TimeoutError is, by their names: nothing is imported."""
    names = ancestors("TimeoutError")
    return tuple(path for path in dict.fromkeys(attempt.asked_for) if path in names)
