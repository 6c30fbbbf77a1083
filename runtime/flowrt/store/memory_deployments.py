"""The deployments of a store in memory. In: what is served by name; out: that, and cursors that move."""

from flowrt.noun import replace
from flowrt.store.memory_rows import stripped
from flowrt.store.rows import Deployment


class MemoryDeployments:
    """What is served, by name."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._all: dict[str, Deployment] = {}

    def deploy(self, deployment: Deployment) -> None:
        """Serve a flow by its name; the cursor of the same schedule stays, unless it is ahead."""
        old = self._all.get(deployment.name)
        same = old is not None and old.schedule is not None and old.schedule == deployment.schedule
        cursor = min(old.cursor, deployment.cursor) if old is not None and same else deployment.cursor
        self._all[deployment.name] = replace(stripped(deployment), cursor=cursor)

    def every(self) -> list[Deployment]:
        """All of them, by name."""
        return [self._all[name] for name in sorted(self._all)]

    def undeploy(self, name: str) -> bool:
        """Serve a flow no more; false when it was not served."""
        return self._all.pop(name, None) is not None

    def at(self, name: str, cursor: int) -> bool:
        """Whether there is a schedule of that name with its cursor there."""
        there = self._all.get(name)
        return there is not None and there.schedule is not None and there.cursor == cursor

    def move(self, name: str, after: int, to: int) -> bool:
        """Move the cursor of a schedule, if it is at `after`; whether it was."""
        moves = self.at(name, after)
        if moves:
            self._all[name] = replace(self._all[name], cursor=to)
        return moves
