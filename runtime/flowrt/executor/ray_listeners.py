"""The actor of the listeners of one code. In: jobs; out: calls of an actor that is there.

A listener waits, so it needs no CPU and no worker of its own: an actor with an event loop holds thousands.
It is made when the first listener comes, and anew when it was lost: those who waited in it are reported as
lost, and come again. It is killed when its executor is closed.
"""

from typing import Any, cast

import ray

from flowrt.executor.host import ListenerHost

MOST = 100_000
"""So many listeners wait in one actor at most."""


class ListenerActor:
    """An actor for listeners, by a name that does not change when the actor does."""

    def __init__(self) -> None:
        """Nothing is started before the first call."""
        self.handle: Any = None

    def remote(self, job: bytes, *held: object) -> object:
        """Call the actor, as one calls a remote function with two return values."""
        if self.handle is None:
            options = {"num_cpus": 0, "max_concurrency": MOST, "max_restarts": 0, "max_task_retries": 0}
            self.handle = cast("Any", ray.remote)(**options)(ListenerHost).remote()
        return self.handle.listen.options(num_returns=2).remote(job, *held)

    def forget(self, handle: object) -> None:
        """An actor was lost: the next call makes another."""
        if self.handle is handle:
            self.handle = None

    def kill(self) -> None:
        """End the actor, and all that wait in it."""
        if self.handle is not None:
            cast("Any", ray).kill(self.handle)
            self.handle = None
