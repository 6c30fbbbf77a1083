"""What an engine says when the store cannot be reached. In: trouble, or none; out: warnings, now and then."""

import logging
from dataclasses import dataclass

from flowrt.clock import Clock

SAY_AGAIN_US = 60_000_000
"""How often it is said that the store cannot be reached."""

CALM_US = 1_000_000
"""How long nothing must have failed for it to be said that all is well again."""

_LOG = logging.getLogger("flowrt")


@dataclass(slots=True)
class Blocked:
    """Since when something has been in the way, and when that was last said."""

    clock: Clock
    blocked_at: int | None = None
    said_at: int = 0

    def say(self, error: Exception) -> None:
        """Something is in the way; it is said now and then."""
        now = self.clock.now()
        if self.blocked_at is None or now - self.said_at >= SAY_AGAIN_US:
            self.said_at = now
            _LOG.warning("%s The runs wait, and nothing is lost.", error)
        self.blocked_at = now

    def say_no_more(self) -> None:
        """Nothing is in the way; that is said once it has been so for a while."""
        if self.blocked_at is not None and self.clock.now() - self.blocked_at >= CALM_US:
            _LOG.warning("The store can be used again; the runs go on.")
            self.blocked_at = None
