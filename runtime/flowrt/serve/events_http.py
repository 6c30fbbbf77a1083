"""Events over HTTP: `POST /v1/events`. In: requests; out: the number of an event that is durable."""

import asyncio
import time

from starlette.requests import Request
from starlette.responses import Response

from flowrt.amounts import event_key, event_name
from flowrt.clock import WallClock
from flowrt.encoding.codec import encode
from flowrt.errors import BadRunId, UnknownRun
from flowrt.run_id import check_run_id
from flowrt.serve.access import unauthorised
from flowrt.serve.body import check_type, read_body, read_object, text
from flowrt.serve.payloads import check_payload
from flowrt.serve.problem import JsonResponse, Problem
from flowrt.serve.service import Service, in_thread, service_of
from flowrt.store.rows import NewEvent

FIELDS = ("name", "key", "data", "run", "dedupe")
DEDUPE_MAX = 256


async def send_event(request: Request) -> Response:
    """POST /v1/events: accept an event; the answer comes when it is durable."""
    service = service_of(request)
    check_type(request)
    body = await read_body(request)
    signature = service.access.signed(request.headers.raw, body, time.time())
    found = read_object(body, FIELDS)
    event = await in_thread(lambda: _checked(service, found, _dedupe(found, request, signature)))
    answer = service.intake.accept(event)
    try:
        number = await asyncio.wrap_future(answer)
    except UnknownRun:
        if signature is not None:
            raise unauthorised() from None
        raise
    service.signs.accepted()
    return JsonResponse({"event": number}, 202)


def _checked(service: Service, found: dict[str, object], dedupe: str | None) -> NewEvent:
    """The event; one that no deployed flow could take is refused."""
    event = _event(found, dedupe)
    check_payload(event.name, found.get("data"), service.catalog.waiters(service.blobs))
    return event


def _event(found: dict[str, object], dedupe: str | None) -> NewEvent:
    name = text(found, "name")
    if name is None or not name.isidentifier():
        raise Problem(422, "`name` has to be the name of an event: letters, digits and `_`.")
    try:
        event_name(name)
    except ValueError as error:
        raise Problem(422, f"`name`: {error}") from error
    run_id = text(found, "run")
    if run_id is not None:
        try:
            check_run_id(run_id)
        except BadRunId as error:
            raise UnknownRun(str(error)) from error
    return NewEvent(
        name=name,
        key=_key(found.get("key")),
        payload=b"".join(encode(found.get("data"))),
        at=WallClock().now(),
        run_id=run_id,
        dedupe=dedupe,
    )


def _key(value: object) -> str | None:
    if value is None:
        return None
    try:
        return event_key(value)
    except TypeError as error:
        raise Problem(422, "`key` has to be text or a whole number.") from error
    except ValueError as error:
        raise Problem(422, f"`key`: {error}") from error


def _dedupe(found: dict[str, object], request: Request, signature: str | None) -> str | None:
    """What names the event for ever: the body, else the header, else the signature."""
    own, header = text(found, "dedupe"), request.headers.get("idempotency-key")
    if signature is not None and header is not None:
        raise Problem(422, "A signature does not cover `Idempotency-Key`: put `dedupe` into the signed body.")
    if own is not None and header is not None and own != header:
        raise Problem(422, "`dedupe` and `Idempotency-Key` differ: give one of them.")
    dedupe = own or header or signature
    if dedupe is not None and len(dedupe) > DEDUPE_MAX:
        raise Problem(422, f"`dedupe` has at most {DEDUPE_MAX} characters.")
    return dedupe
