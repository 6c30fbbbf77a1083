"""The garbage collector, held off for a while. A tenth of a short process goes into looking for garbage."""

import gc
from types import TracebackType


class no_collection:  # noqa: N801 - read as a phrase: `with no_collection():`
    """Keeps the collector from running inside the `with` block; memory is still freed by counting."""

    def __enter__(self) -> None:
        """Hold it off."""
        self._was_enabled = gc.isenabled()
        gc.disable()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it run again, if it did before."""
        if self._was_enabled:
            gc.enable()
