"""A whole server: the engine in the calling thread, schedules as its hook, HTTP in a thread beside it.

In: how to open the store, an executor, where to listen. Out: runs that end, until the interrupt is set.
The API has a store of its own: what its callers wait for does not wait for the engine, nor the other way.
"""

import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import socket
from typing import TypeAlias

from flowrt.engine.pace import PACE, Pace
from flowrt.engine.serve import serve
from flowrt.executor.port import Executor
from flowrt.interrupt import Interrupt
from flowrt.serve.access import Access
from flowrt.serve.scheduler import Scheduler
from flowrt.serve.signs import Signs
from flowrt.snapshot.versions import mismatches
from flowrt.store.port import Blobs, Store

LOG = logging.getLogger("flowrt.serve")

OpenStore: TypeAlias = Callable[[], tuple[Store, Blobs]]


@dataclass(frozen=True, slots=True)
class Http:
    """A socket that listens, and to whom. It is closed when the server ends."""

    bound: socket
    access: Access


def run_server(
    open_store: OpenStore, executor: Executor, http: Http | None, interrupt: Interrupt, pace: Pace = PACE
) -> None:
    """Serve a store until `interrupt` is set; the executor is left open.

    Raises StoreError.
    """
    signs = Signs()
    with _listening(open_store, http, signs) as alive:
        store, blobs = open_store()

        def turned(now: int) -> None:
            signs.turned(now)
            if not alive() and not interrupt.is_set():
                LOG.error("the HTTP server has ended; the engine ends too")
                interrupt.set()

        try:
            serve(
                store,
                blobs,
                executor,
                interrupt=interrupt,
                hooks=(Scheduler(store, blobs),),
                mismatches=mismatches,
                on_turn=turned,
                pace=pace,
            )
        finally:
            store.close()


@contextmanager
def _listening(open_store: OpenStore, http: Http | None, signs: Signs) -> Generator[Callable[[], bool]]:
    """The HTTP API while the block runs; gives whether it lives."""
    if http is None:
        yield lambda: True
        return
    from flowrt.serve.app import make_app  # noqa: PLC0415 - a server without HTTP does without starlette
    from flowrt.serve.deploy import Catalog  # noqa: PLC0415
    from flowrt.serve.intake import Intake  # noqa: PLC0415
    from flowrt.serve.listen import Listener, url_of  # noqa: PLC0415
    from flowrt.serve.service import Service  # noqa: PLC0415

    store, blobs = open_store()
    intake = Intake(store)
    service = Service(store, blobs, Catalog(store), intake, http.access, signs)
    listener = Listener(make_app(service), http.bound)
    LOG.info("listening at %s", url_of(http.bound))
    try:
        yield listener.alive
    finally:
        service.closing.set()
        listener.close()
        intake.close()
        store.close()
