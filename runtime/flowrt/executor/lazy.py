"""An executor that is made when the first attempt comes: a run that only waits or computes needs none.

Starting Ray takes seconds. A run that waits for an event for days, and one whose steps are all pure,
never pay for it.
"""

from collections.abc import Callable, Sequence

from flowrt.executor.port import Attempt, AttemptKey, Executor, Report
from flowrt.store.port import Blobs


class LazyExecutor:
    """Makes, starts and then is another executor. Implements `flowrt.executor.port.Executor`."""

    def __init__(self, make: Callable[[], Executor]) -> None:
        """Nothing is made before the first attempt."""
        self._make = make
        self._made: Executor | None = None
        self._started: tuple[Report, Blobs] | None = None

    def start(self, report: Report, blobs: Blobs) -> None:
        """Keep what the executor will be started with; one that was made already is started again."""
        self._started = (report, blobs)
        if self._made is not None:
            self._made.start(report, blobs)

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Take attempts on. Raises what the making or the start of the executor raises."""
        if self._made is None:
            assert self._started is not None, "the executor was not started"
            made = self._make()
            made.start(*self._started)
            self._made = made
        self._made.submit(attempts)

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        """Stop an attempt; before the first was submitted there is none."""
        if self._made is not None:
            self._made.stop(key, force=force)

    def close(self) -> None:
        """Close the executor, if it was made."""
        if self._made is not None:
            self._made.close()
            self._made = None
