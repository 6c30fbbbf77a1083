"""The runs that an engine holds in memory: which there are, which something has happened to.

What goes wrong with one run is that run's affair: it is laid aside with the reason, its attempts are
stopped, and the others go on.
"""

import logging
from collections.abc import Callable, Iterable, Iterator

from flowrt.engine.conduct import Conductor
from flowrt.errors import ExecutorUnavailable, FlowrtError, StoreUnavailable
from flowrt.executor.port import Executor

_LOG = logging.getLogger("flowrt")


class HeldRuns:
    """Runs by id. `awake` are those that a turn has to look at, `broken` why some were laid aside.

    `given_up` are runs, epochs and problems that the store has not been told of yet.
    """

    def __init__(self, executor: Executor) -> None:
        """Begin with none; attempts of runs that are dropped are stopped at `executor`."""
        self.awake: dict[str, Conductor] = {}
        self.broken: dict[str, Exception] = {}
        self.given_up: list[tuple[str, int, str]] = []
        self._executor = executor
        self._all: dict[str, Conductor] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all)

    def __iter__(self) -> Iterator[Conductor]:
        """All of them; they may be dropped meanwhile."""
        return iter(list(self._all.values()))

    def epochs(self) -> dict[str, int]:
        """Every run that is ours and its epoch: not those that have just been let go."""
        return {i: conductor.run.epoch for i, conductor in self._all.items() if not conductor.run.let_go}

    def owned(self) -> dict[str, int]:
        """Every run that the store has as ours, and its epoch: those that it has not been told of as well."""
        return {**{run_id: epoch for run_id, epoch, _ in self.given_up}, **self.epochs()}

    def put_behind(self, conductors: Iterable[Conductor]) -> None:
        """Let the others that are awake come first."""
        for conductor in conductors:
            run_id = conductor.run.run_id
            if self.awake.get(run_id) is conductor:
                self.awake[run_id] = self.awake.pop(run_id)

    def add(self, conductor: Conductor) -> None:
        """Hold a run; it is awake.

        One that is held already was taken again by ourselves, after a lease that ran out while the store
        did not answer: the earlier epoch is over, and so are its attempts.
        """
        run_id = conductor.run.run_id
        before = self._all.get(run_id)
        if before is not None:
            self.drop(before)
        self._all[run_id] = self.awake[run_id] = conductor

    def get(self, run_id: str) -> Conductor | None:
        """The run of an id."""
        return self._all.get(run_id)

    def wake(self, run_id: str) -> Conductor | None:
        """The run of an id, which something has happened to."""
        conductor = self._all.get(run_id)
        if conductor is not None:
            self.awake[run_id] = conductor
        return conductor

    def drop(self, conductor: Conductor) -> None:
        """Hold a run no more; its attempts are stopped by force."""
        run = conductor.run
        self._all.pop(run.run_id, None)
        self.awake.pop(run.run_id, None)
        for step, key in run.in_flight.items():
            if step not in conductor.ready:
                self._executor.stop(key, force=True)

    def alone(self, conductor: Conductor, work: Callable[[], None]) -> None:
        """Do something for one run. Raises StoreUnavailable, ExecutorUnavailable: these concern all."""
        try:
            work()
        except (StoreUnavailable, ExecutorUnavailable):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other runs must go on
            self.lay_aside(conductor, error)

    def lay_aside(self, conductor: Conductor, error: Exception) -> None:
        """Hold a run no more, with what is wrong with it; the store is to be told."""
        run = conductor.run
        problem = str(error)
        if not isinstance(error, FlowrtError):
            problem = f"flowc failed: {type(error).__name__}: {error}"
            _LOG.error("Run %s: %s", run.run_id, problem, exc_info=error)
        self.drop(conductor)
        self.broken[run.run_id] = error
        self.given_up.append((run.run_id, run.epoch, problem))
