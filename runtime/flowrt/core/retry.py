"""Retries: whether a failed attempt is made again, and when. No clock, no randomness: both are handed in.

The wait before retry n (from 0) is `delay * factor**n`, at most `cap`; with full jitter it is a random
share of that, so that many steps which failed together do not come back together.
"""

from typing import Literal

from flowrt.core.catching import is_one_of
from flowrt.noun import noun
from flowrt.record import Failure

LOST_DELAY_US = 100_000
LOST_DELAY_MAX_US = 30_000_000


@noun
class Policy:
    """A retry policy in numbers; lengths are in microseconds. `catch` empty is every Exception."""

    max: int
    delay_us: int
    factor: float
    cap_us: int
    jitter: Literal["full", "none"]
    catch: tuple[str, ...]
    unless: tuple[str, ...]
    within_us: int | None


def next_attempt_at(
    policy: Policy, failure: Failure, retry_count: int, first_at: int, ended_at: int, chance: float
) -> int | None:
    """When the next attempt is due, or None when there is none.

    `retry_count` is how many retries were made already, `chance` a random number of [0, 1).
    """
    if retry_count >= policy.max or not _catches(policy, failure):
        return None
    at = ended_at + int(_delay_us(policy, retry_count) * (chance if policy.jitter == "full" else 1.0))
    if policy.within_us is not None and at > first_at + policy.within_us:
        return None
    return at


def _catches(policy: Policy, failure: Failure) -> bool:
    if is_one_of(policy.unless, failure):
        return False
    return not policy.catch or is_one_of(policy.catch, failure)


def _delay_us(policy: Policy, retry_count: int) -> float:
    delay = float(policy.delay_us)
    for _ in range(min(retry_count, 1_000)):
        delay *= policy.factor
        if delay >= policy.cap_us:
            return policy.cap_us
    return min(delay, policy.cap_us)


def lost_attempt_at(lost_count: int, lost_max: int, now: int) -> int | None:
    """When an attempt whose worker was lost is made again; `lost_count` were lost before it."""
    if lost_count >= lost_max:
        return None
    return now + min(LOST_DELAY_US << lost_count, LOST_DELAY_MAX_US)
