"""Which statuses of a run are ends. In: nothing; out: sets of statuses."""

from flowrt.store.rows import RunStatus

ENDED: frozenset[RunStatus] = frozenset({"succeeded", "failed", "cancelled"})

OVER: frozenset[RunStatus] = frozenset({"succeeded", "cancelled"})
"""The ends for good: a run that failed may be reopened."""
