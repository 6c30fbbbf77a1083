"""The executor on Ray: attempts become calls of one remote function, and their outcomes are reported.

There is one remote function for each set of options, never one for each step, and no step's code is
exported to Ray. Calls are made with `max_retries=0, retry_exceptions=False`: a call that Ray repeated by
itself could give a recorded step another value. Completions come by a callback on the first return value,
a few hundred bytes; the second one holds large results, which stay in the object store.

`flowrt.executor.dispatch` decides what is called when; here is how.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import ray
from ray import exceptions

from flowrt.errors import ExecutorUnavailable
from flowrt.executor.cluster import Connection, head_of_cluster, join, leave, listens
from flowrt.executor.dispatch import Dispatch
from flowrt.executor.held import Kept
from flowrt.executor.launcher import Trouble
from flowrt.executor.options import BadOption
from flowrt.executor.port import Attempt, AttemptKey, Report
from flowrt.executor.ray_listeners import ListenerActor
from flowrt.executor.signs import Sign, kill_named, read_sign, remove_sign
from flowrt.executor.wire import Packer
from flowrt.executor.worker import work
from flowrt.store.port import Blobs

if TYPE_CHECKING:
    from concurrent.futures import Future

_LOG = logging.getLogger("flowrt")
_LOOK_AGAIN_S = 5.0
_KNOCK_EVERY_S = 2.0
_PATIENCE_S = 20.0
"""Ray itself ends this process, without a word to us, when the head has been away for a minute."""
_LOGS_TAKE_S = 0.5
"""What tasks print takes a while to arrive; Ray itself waits so long when a script of its own ends."""
_LEAST_HELD = 64 << 20
_HUNT_S = 5.0

_LOST = (
    exceptions.WorkerCrashedError,
    exceptions.NodeDiedError,
    exceptions.OutOfMemoryError,
    exceptions.LocalRayletDiedError,
    exceptions.RaySystemError,
    exceptions.ObjectStoreFullError,
    exceptions.OutOfDiskError,
    exceptions.RayActorError,
)
# Not ObjectLostError: it is told apart first, for an argument that is lost can be had from the blob store.


@dataclass(slots=True)
class _Launched:
    """A call of the remote function: its two return values. `hosted`: its process has others to serve too."""

    reply: Any
    kept: Any
    hosted: bool = False


class RayLauncher:
    """Calls the remote function and reads what Ray says of the calls."""

    def __init__(self) -> None:
        """Look at the cluster that this process is connected to."""
        remote = cast("Any", ray.remote)
        self._remote = remote(num_returns=2, max_retries=0, retry_exceptions=False)(work)
        self._looked_at = -_LOOK_AGAIN_S
        self._cpus = 1.0
        self._head = head_of_cluster()
        self._knocked_at = 0.0
        self._silent_since: float | None = None
        self._died = ""
        self._hosts: dict[tuple[str, ...], ListenerActor] = {}
        self._hunters = Hunters()

    def accept(self, options: Mapping[str, object]) -> object:
        """The remote function with these options. Raises BadOption."""
        try:
            return self._remote.options(name="flowrt", **_strategy(options)) if options else self._remote
        except (TypeError, ValueError) as error:
            raise BadOption(f"Ray refuses the options of the step: {error}") from error

    def host(self, place: tuple[str, ...]) -> object:
        """The actor of the listeners of that code."""
        return self._hosts.setdefault(place, ListenerActor())

    def end(self, *, gone: bool) -> None:
        """End the actors, of a cluster that is there, and whatever asks it for something."""
        for host in self._hosts.values() if not gone else ():
            host.kill()
        self._hunters.end()

    def launch(
        self,
        prepared: object,
        job: bytes,
        held: Sequence[object],
        done: Callable[[bytes | BaseException], None],
    ) -> object:
        """Call the function; an error of the call itself comes through `done`, too."""
        try:
            reply, kept = cast("Any", prepared).remote(job, *held)
        except Exception as error:  # noqa: BLE001 - whatever Ray has against it becomes the step's outcome
            done(error)
            return _Launched(None, None)
        host = prepared if isinstance(prepared, ListenerActor) else None
        handle = None if host is None else host.handle

        def completed(future: "Future[bytes]") -> None:
            error = future.exception()
            if host is not None and isinstance(error, exceptions.RayActorError):
                host.forget(handle)
            if error is not None:
                # Ray logs an error that nobody has looked at; both values have it, and it is looked after.
                kept.future()
            done(future.result() if error is None else error)

        reply.future().add_done_callback(completed)
        return _Launched(reply, kept, hosted=host is not None)

    def put(self, kept: Kept) -> object:
        """Put into the object store."""
        return cast("Any", ray).put(kept)

    def cancel(self, launched: object, *, force: bool) -> None:
        """Interrupt a call, or kill its worker."""
        call = cast("_Launched", launched)
        if call.reply is not None:
            cast("Any", ray).cancel(call.reply, force=force and not call.hosted)

    def sign(self, name: str) -> Sign | None:
        """The last sign of the worker that made a job, if it makes any."""
        return read_sign(name) if self._answers() else None

    def hunt(self, name: str) -> None:
        """Kill the processes that work on a job, on every node; nobody waits for it."""
        if not self._answers():
            return
        self._hunters.begin(name)

    def kept(self, launched: object) -> object:
        """The second return value."""
        return cast("_Launched", launched).kept

    def trouble(self, error: BaseException) -> Trouble:
        """What an error of a call means."""
        match error:
            case exceptions.TaskCancelledError():
                return Trouble("cancelled", "the call was cancelled")
            case exceptions.ObjectLostError():
                return Trouble("value lost", _first_line(error))
            case exceptions.RayTaskError() if isinstance(_cause(error), exceptions.ObjectLostError):
                return Trouble("value lost", _first_line(error))
            case _ if isinstance(error, _LOST):
                gone = isinstance(error, exceptions.NodeDiedError)
                if isinstance(error, exceptions.LocalRayletDiedError):
                    self._died = "Ray has ended on this machine, and with it the connection to its cluster."
                return Trouble("lost", _first_line(error), node_lost=gone)
            case exceptions.RayTaskError():
                return Trouble("error", f"The step could not be begun in a worker of Ray: {_why(error)}")
            case _:
                return Trouble("error", f"Ray did not run the step: {error}")

    def gone(self) -> str:
        """Why the cluster is given up: this machine's part of it died, or its head has been away too long."""
        if self._died:
            return self._died
        self._answers(_KNOCK_EVERY_S)
        if self._silent_since is None or time.monotonic() - self._silent_since < _PATIENCE_S:
            return ""
        return f"The head of the Ray cluster at {self._head} has not answered for {_PATIENCE_S:g} s."

    def _answers(self, seldom_s: float = 0.0) -> bool:
        """Whether somebody listens at the cluster's head; without, what one asks of it takes a minute."""
        now = time.monotonic()
        if self._head and now - self._knocked_at > seldom_s:
            self._knocked_at = now
            if listens(self._head):
                self._silent_since = None
            elif self._silent_since is None:
                self._silent_since = now
        return self._silent_since is None

    def cpus(self) -> float:
        """The CPUs of the cluster, looked up every few seconds."""
        now = time.monotonic()
        if now - self._looked_at > _LOOK_AGAIN_S and self._answers():
            self._looked_at = now
            self._cpus = max(1.0, float(_resources().get("CPU", 1.0)))
        return self._cpus

    def lacking(self, options: Mapping[str, object]) -> str:
        """What no node has enough of."""
        if not self._answers():
            return ""
        wanted = _wanted(options)
        nodes = [
            cast("dict[str, float]", node["Resources"])
            for node in cast("list[dict[str, Any]]", cast("Any", ray).nodes())
            if node["Alive"]
        ]
        if any(all(node.get(name, 0.0) >= amount for name, amount in wanted.items()) for node in nodes):
            return ""
        most = {name: max((node.get(name, 0.0) for node in nodes), default=0.0) for name in wanted}
        asked = ", ".join(f"{name}: {amount:g}" for name, amount in wanted.items())
        there = ", ".join(f"{name}: {amount:g}" for name, amount in most.items())
        return f"it asks for {asked}, and the best node of the cluster has {there}."


class RayExecutor:
    """Makes attempts in the workers of Ray. Implements `flowrt.executor.port.Executor`."""

    def __init__(
        self,
        address: str | None = None,
        num_cpus: float | None = None,
        *,
        quiet: bool = True,
        prints: bool = True,
    ) -> None:
        """Nothing happens before `start`.

        Args:
            address: Of a running cluster; None for RAY_ADDRESS, or else for a local Ray of our own.
            num_cpus: CPUs of a local Ray; None for those of the machine.
            quiet: Ray logs nothing but errors.
            prints: What tasks print is shown on stderr.
        """
        self._address = address
        self._num_cpus = num_cpus
        self._quiet = quiet
        self._prints = prints
        self._connection: Connection | None = None
        self._launcher: RayLauncher | None = None
        self._dispatch: Dispatch | None = None
        self._thread: threading.Thread | None = None

    def start(self, report: Report, blobs: Blobs) -> None:
        """Connect to Ray, or start it. Raises ExecutorUnavailable."""
        try:
            packer = Packer(blobs)
        except TypeError as error:
            raise ExecutorUnavailable(f"Ray's workers cannot use this store. {error}") from error
        self._connection = join(self._address, self._num_cpus, quiet=self._quiet, prints=self._prints)
        held_bytes = max(_LEAST_HELD, int(_resources().get("object_store_memory", 0.0) / 4))
        self._launcher = RayLauncher()
        self._dispatch = Dispatch(self._launcher, report, packer, held_bytes)
        self._thread = threading.Thread(target=self._dispatch.run, name="flowrt-ray", daemon=True)
        self._thread.start()

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Take attempts on. Raises ExecutorUnavailable when the cluster is gone."""
        assert self._dispatch is not None, "the executor was not started"
        if self._dispatch.gone:
            raise ExecutorUnavailable(f"{self._dispatch.gone} What has been recorded is not lost.")
        self._dispatch.submit(attempts)

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        """Stop an attempt: interrupt it, or kill its worker."""
        assert self._dispatch is not None, "the executor was not started"
        self._dispatch.stop(key, force=force)

    def close(self) -> None:
        """Kill what is under way, without reports, and leave Ray as it was found."""
        if self._dispatch is not None and self._thread is not None:
            self._dispatch.close()
            self._thread.join()
            if self._launcher is not None:
                self._launcher.end(gone=bool(self._dispatch.gone))
            if self._prints:
                time.sleep(max(0.0, self._dispatch.printed_at + _LOGS_TAKE_S - time.monotonic()))
            self._dispatch = self._thread = None
        if self._connection is not None:
            leave(self._connection)
            self._connection = None


class Hunters:
    """Threads that kill workers which no longer answer.

    Whoever asks Ray for something when this process has left it starts another Ray, without a word. So each
    has a turn to speak to Ray, and none has one behind the end.
    """

    def __init__(self) -> None:
        """Nobody is hunted yet."""
        self._turn = threading.Lock()
        self._over = False

    def begin(self, name: str) -> threading.Thread:
        """Kill the processes that work on a job, on every node."""
        thread = threading.Thread(target=self._hunt, args=(name,), name="flowrt-hunt", daemon=True)
        thread.start()
        return thread

    def end(self) -> None:
        """Wait for who has the turn, but not for a cluster that does not answer; nobody has another one."""
        self._over = True
        if self._turn.acquire(timeout=_HUNT_S):
            self._turn.release()

    def _hunt(self, name: str) -> None:
        from ray.util.scheduling_strategies import (  # noqa: PLC0415 - rarely needed
            NodeAffinitySchedulingStrategy,
        )

        with self._turn:
            try:
                nodes = [] if self._over else cast("list[dict[str, Any]]", cast("Any", ray).nodes())
                killer = cast("Any", ray.remote)(num_cpus=0, max_retries=0)(kill_named)
                for node in nodes:
                    if node["Alive"] and not self._over:
                        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
                        killer.options(name="flowrt", scheduling_strategy=there).remote(name)
                if not self._over:
                    remove_sign(name)
            except exceptions.RayError as error:
                _LOG.warning("A worker that no longer answers could not be killed: %s", _first_line(error))


def _resources() -> dict[str, float]:
    return cast("dict[str, float]", cast("Any", ray).cluster_resources())


def _strategy(options: Mapping[str, object]) -> dict[str, object]:
    """Options with a scheduling strategy as Ray's object where the author gave a mapping."""
    named = dict(options)
    strategy = named.get("scheduling_strategy")
    if isinstance(strategy, Mapping):
        from ray.util import scheduling_strategies as strategies  # noqa: PLC0415 - rarely needed

        fields = dict(cast("Mapping[str, Any]", strategy))
        fields.setdefault("soft", False)
        named["scheduling_strategy"] = strategies.NodeAffinitySchedulingStrategy(**fields)
    return named


def _wanted(options: Mapping[str, object]) -> dict[str, float]:
    wanted = {"CPU": 1.0}
    for option, resource in (("num_cpus", "CPU"), ("num_gpus", "GPU"), ("memory", "memory")):
        amount = options.get(option)
        if isinstance(amount, int | float):
            wanted[resource] = float(amount)
    custom = options.get("resources")
    if isinstance(custom, Mapping):
        wanted.update(
            {str(name): float(amount) for name, amount in cast("Mapping[str, Any]", custom).items()}
        )
    return {name: amount for name, amount in wanted.items() if amount > 0}


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _cause(error: BaseException) -> BaseException | None:
    return cast("BaseException | None", getattr(error, "cause", None))


def _why(error: BaseException) -> str:
    cause = _cause(error) or error
    return f"{type(cause).__name__}: {cause}"
