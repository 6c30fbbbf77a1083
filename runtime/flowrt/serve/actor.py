"""A server inside a Ray cluster: the same engine, as a detached actor that has a name.

In: where the store is, and the cluster. Out: an actor that serves the store and outlives whoever started it.
Ray starts it again wherever it dies, on another node when its own is lost, and the store tells it how far
everything is. Only one has the name; should two ever live, because a node came back that was taken for
lost, they share the runs as any two servers do.

A store that is a folder ties the actor to the node that has it. What a store needs besides its URL, such as
FLOWC_STORE_KEY, comes from the environment of the cluster's nodes: nothing secret goes through Ray.
"""

import hashlib
import logging
import os
import threading
from pathlib import Path
from typing import Any, cast

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from flowrt.errors import ExecutorUnavailable, FlowrtError
from flowrt.executor.cluster import join, leave
from flowrt.executor.lazy import LazyExecutor
from flowrt.executor.ray import RayExecutor
from flowrt.interrupt import Interrupt
from flowrt.serve.server import run_server
from flowrt.store.opened import opened

NAMESPACE = "flowc"
START_S = 60.0
END_S = 30.0
AGAIN_S = 30.0

LOG = logging.getLogger("flowrt.serve")


class ClusterServer:
    """The actor: serves from its first moment on, in a thread of its own."""

    def __init__(self, url: str, blobs_url: str | None) -> None:
        """Begin to serve the store at `url`."""
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
        self._interrupt = Interrupt()
        self._problem: str | None = None
        self._place = (url, blobs_url)
        self._thread = threading.Thread(target=self._serve, name="flowrt-engine", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        """Serve; a store that cannot be used is tried again, for the actor would only be started again."""
        url, blobs_url = self._place
        while not self._interrupt.is_set():
            executor = LazyExecutor(RayExecutor)
            try:
                run_server(lambda: opened(url, blobs_url, create=False), executor, None, self._interrupt)
            except FlowrtError as error:
                self._problem = str(error)
                LOG.exception("the store cannot be served; it is tried again")
                self._interrupt.wait(AGAIN_S)
            finally:
                executor.close()

    def problem(self) -> str | None:
        """Why it does not serve, or None."""
        return self._problem

    def pid(self) -> int:
        """The process that serves."""
        return os.getpid()

    def end(self) -> bool:
        """Give the runs up; whether that came to its end in time."""
        self._interrupt.set()
        self._thread.join(END_S)
        return not self._thread.is_alive()


def server_name(url: str) -> str:
    """The name of the actor that serves a store."""
    return f"flowc-serve-{hashlib.sha256(_absolute(url).encode()).hexdigest()[:12]}"


def start_in_cluster(url: str, blobs_url: str | None, *, address: str | None) -> str:
    """Have a store served inside a cluster and return the actor's name; one that is there already stays.

    Raises ExecutorUnavailable when the cluster cannot be reached, or the actor does not start.
    """
    place, name = _absolute(url), server_name(url)
    blobs_place = None if blobs_url is None else _absolute(blobs_url)
    connection = join(address, None, quiet=True, prints=False)
    try:
        options: dict[str, object] = {
            "name": name,
            "namespace": NAMESPACE,
            "lifetime": "detached",
            "get_if_exists": True,
            "max_restarts": -1,
            "max_task_retries": -1,
            "num_cpus": 0,
        }
        if "://" not in place:
            node = ray.get_runtime_context().get_node_id()
            options["scheduling_strategy"] = NodeAffinitySchedulingStrategy(node_id=node, soft=False)
        actor: Any = cast("Any", ray.remote)(ClusterServer).options(**options).remote(place, blobs_place)
        problem = _answer(actor.problem.remote(), START_S, "did not start")
    finally:
        leave(connection)
    if problem:
        raise ExecutorUnavailable(f"The server {name} has started and cannot serve: {problem}")
    return name


def stop_in_cluster(url: str, *, address: str | None) -> str:
    """End the server of a store inside a cluster and return its name. Raises ExecutorUnavailable."""
    name = server_name(url)
    connection = join(address, None, quiet=True, prints=False)
    try:
        try:
            actor: Any = cast("Any", ray).get_actor(name, namespace=NAMESPACE)
        except ValueError as error:
            raise ExecutorUnavailable(f"No server {name} runs inside the cluster.") from error
        _answer(actor.end.remote(), 2 * END_S, "did not end by itself")
        cast("Any", ray).kill(actor, no_restart=True)
    finally:
        leave(connection)
    return name


def _answer(ref: object, patience_s: float, what: str) -> Any:  # noqa: ANN401 - what the method gives
    try:
        return cast("Any", ray).get(ref, timeout=patience_s)
    except GetTimeoutError as error:
        raise ExecutorUnavailable(
            f"The server inside the cluster {what} within {patience_s:.0f} s."
        ) from error
    except RayError as error:
        raise ExecutorUnavailable(f"The server inside the cluster {what}: {error}") from error


def _absolute(url: str) -> str:
    """A folder by its whole path: the actor has another current directory."""
    return url if "://" in url or url.endswith(":") else str(Path(url).expanduser().absolute())
