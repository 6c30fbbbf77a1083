"""The pace of an engine: how long leases last, how often it looks at the store. In: nothing; out: numbers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Lengths in microseconds.

    A lease lasts `lease_us` and is renewed every `renew_us`; the store is asked for news every `news_us`.
    A serving engine claims runs `ahead_us` before they are due, so that what the claim takes makes no
    timer late, and lets a run go when it is not due within `park_us`, which is longer, so that no run goes
    to and fro. It holds at most `active_max` runs at a time, the others wait in the store.
    """

    lease_us: int = 30_000_000
    renew_us: int = 5_000_000
    news_us: int = 200_000
    ahead_us: int = 2_000_000
    park_us: int = 4_000_000
    active_max: int = 4_000


PACE = Pace()
