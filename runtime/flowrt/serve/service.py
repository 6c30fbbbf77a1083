"""What the HTTP API has to hand: a store of its own, what is deployed, the intake of events, signs of life.

Every call on the store waits for a disk or a network, so it is made in a thread, never in the event loop.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event
from typing import TypeVar, cast

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from flowrt.serve.access import Access
from flowrt.serve.deploy import Catalog
from flowrt.serve.intake import Intake
from flowrt.serve.signs import Signs
from flowrt.store.port import Blobs, Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of one server. `closing` is set when long requests are to come to an end."""

    store: Store
    blobs: Blobs
    catalog: Catalog
    intake: Intake
    access: Access
    signs: Signs
    closing: Event = field(default_factory=Event)


def service_of(request: Request) -> Service:
    """The service that a request is made to."""
    return cast("Service", request.app.state.service)


async def in_thread(call: Callable[[], T]) -> T:
    """Make a call that waits. Raises what it raises."""
    return await run_in_threadpool(call)
