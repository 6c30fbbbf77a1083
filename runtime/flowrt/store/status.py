"""Which statuses of a run are ends. In: nothing; out: a set of statuses."""

from flowrt.store.port import RunStatus

ENDED: frozenset[RunStatus] = frozenset({"succeeded", "failed", "cancelled"})
