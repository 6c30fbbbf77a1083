"""The HTTP API as an ASGI application. In: a service; out: its routes, behind the rules of access.

Every request passes the guard first, so that a caller who is not let in learns nothing from what the
routes would answer. Whatever goes wrong is a document of its own kind (RFC 9457), never a traceback.
"""

import asyncio
import json
import logging
from importlib.resources import files

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flowrt.errors import FlowrtError, StoreError
from flowrt.schedule import next_slot, read_schedule
from flowrt.serve.events_http import send_event
from flowrt.serve.problem import JsonResponse, Problem, ProblemResponse, problem_of
from flowrt.serve.runs_http import cancel_run, list_runs, output_of_run, show_run, submit_run
from flowrt.serve.service import Service, in_thread, service_of
from flowrt.serve.signs import TURN_LATE_S
from flowrt.shown.run_json import iso
from flowrt.store.rows import Deployment

HEALTH_S = 2.0

LOG = logging.getLogger("flowrt.serve")


def make_app(service: Service) -> ASGIApp:
    """The application of a service."""
    app = Starlette(
        routes=[
            Route("/v1/runs", submit_run, methods=["POST"]),
            Route("/v1/runs", list_runs, methods=["GET"]),
            Route("/v1/runs/{run_id}", show_run, methods=["GET"]),
            Route("/v1/runs/{run_id}/output", output_of_run, methods=["GET"]),
            Route("/v1/runs/{run_id}/cancel", cancel_run, methods=["POST"]),
            Route("/v1/events", send_event, methods=["POST"]),
            Route("/v1/flows", list_flows, methods=["GET"]),
            Route("/healthz", health, methods=["GET"]),
            Route("/metrics", metrics, methods=["GET"]),
            Route("/openapi.json", document, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _no_route, Problem: _problem, FlowrtError: _refused},
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return _Guard(app, service)


class _Guard:
    """Lets requests in, counts answers, and turns a fault of ours into an answer."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        begun = False

        async def counted(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                self._service.signs.answered(scope["method"], message["status"])
            await send(message)

        try:
            self._service.access.admit(scope["path"], scope["method"], scope["headers"])
            await self._app(scope, receive, counted)
        except Problem as problem:
            await ProblemResponse(problem)(scope, receive, counted)
        except Exception as error:  # The sender hears of a fault, and the process goes on.
            LOG.exception("%s %s failed", scope["method"], scope["path"].encode("unicode_escape").decode())
            if not begun:
                fault = Problem(500, f"flowc failed ({type(error).__name__}); its log has more.")
                await ProblemResponse(fault)(scope, receive, counted)


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:  # noqa: PLR2004
        return ProblemResponse(
            Problem(404, "There is nothing at this path; /openapi.json tells what there is.")
        )
    if error.status_code == 405:  # noqa: PLR2004
        allowed = (error.headers or {}).get("Allow", "")
        detail = f"This path takes {allowed}, not {request.method}."
        return ProblemResponse(Problem(405, detail, headers={"Allow": allowed}))
    return ProblemResponse(Problem(error.status_code, f"{error.detail}."))


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return ProblemResponse(error)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, FlowrtError)
    problem = problem_of(error)
    if isinstance(error, StoreError):
        LOG.warning("a request could not be served: %s", error)
    return ProblemResponse(problem)


async def list_flows(request: Request) -> Response:
    """GET /v1/flows: what is deployed."""
    service = service_of(request)

    def look() -> list[dict[str, object]]:
        return [_flow_json(service, each) for each in service.catalog.all()]

    return JsonResponse({"flows": await in_thread(look)})


def _flow_json(service: Service, deployment: Deployment) -> dict[str, object]:
    flow = service.catalog.flow(deployment)
    schedule: object = None
    following: int | None = None
    if deployment.schedule is not None:
        schedule = json.loads(deployment.schedule)
        try:
            following = next_slot(read_schedule(deployment.schedule), deployment.cursor)
        except (ValueError, OSError, ImportError):
            following = None  # The scheduler says in the log what is wrong with it.
    return {
        "flow": deployment.name,
        "inputs": [
            {"name": each.name, "required": each.default is None, "doc": each.doc} for each in flow.inputs
        ],
        "labels": dict(deployment.labels),
        "schedule": schedule,
        "next_at": iso(following),
        "deployed_at": iso(deployment.deployed_at),
    }


async def health(request: Request) -> Response:
    """GET /healthz: whether the store can be reached and the engine turns."""
    service = service_of(request)
    engine = service.signs.turn_age_s() < TURN_LATE_S
    try:
        async with asyncio.timeout(HEALTH_S):
            await in_thread(lambda: service.store.news((), 0))
        store = True
    except (StoreError, TimeoutError):
        store = False
    good = engine and store
    told = {"status": "ok" if good else "failing", "store": store, "engine": engine}
    return JsonResponse(told, 200 if good else 503)


async def metrics(request: Request) -> Response:
    """GET /metrics: counts, in Prometheus' text format."""
    return PlainTextResponse(
        service_of(request).signs.text(), media_type="text/plain; version=0.0.4; charset=utf-8"
    )


async def document(_request: Request) -> Response:
    """GET /openapi.json: this API, described."""
    text = (files("flowc_schemas") / "openapi.json").read_text(encoding="utf-8")
    return Response(text, media_type="application/json")
