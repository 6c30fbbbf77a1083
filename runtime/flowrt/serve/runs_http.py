"""Runs over HTTP: `/v1/runs` and what is below it. In: requests; out: answers, or a `Problem`."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import cast, get_args

from starlette.requests import Request
from starlette.responses import Response

from flowrt.engine.cancelling import heard
from flowrt.engine.drive import recorded_result
from flowrt.engine.terminating import terminate
from flowrt.errors import BadRunId, UnknownRun
from flowrt.listing import listed, status_of
from flowrt.run_id import check_run_id
from flowrt.serve.body import check_type, flag, labels, read_body, read_object, text
from flowrt.serve.deploy import Submission, submit
from flowrt.serve.problem import JsonResponse, Problem
from flowrt.serve.service import Service, in_thread, service_of
from flowrt.shown.json_value import plain
from flowrt.shown.load import load, use_code
from flowrt.shown.run_json import failure_json, row_json, run_json
from flowrt.store.rows import RunRow, RunStatus
from flowrt.store.status import ENDED
from flowrt.value import Blob
from flowrt.view import view

LIST_MAX = 1_000
LIST_DEFAULT = 100
WAIT_MAX_S = 60.0
HEARD_MAX_S = 5.0
"""So long a request to cancel waits for the owner of the run to hear it."""

POLL_FIRST_S = 0.05
POLL_MAX_S = 0.5
RESULT_MAX = 64 * 1024 * 1024
"""Encoded results above this size are for `flowc output --pickle`, not for a document of JSON."""


async def submit_run(request: Request) -> Response:
    """POST /v1/runs: make a run of a deployed flow."""
    service = service_of(request)
    check_type(request)
    found = read_object(await read_body(request), ("flow", "inputs", "id", "labels"))
    flow = text(found, "flow")
    if flow is None:
        raise Problem(422, "`flow` is missing: the name of a deployed flow.")
    said = Submission(_inputs(found), text(found, "id"), labels(found, "labels"))
    row, new = await in_thread(lambda: _submitted(service, flow, said))
    if new:
        service.signs.submitted()
    place = {"Location": f"/v1/runs/{row.run_id}"}
    return JsonResponse(row_json(row, status_of(row)), 201 if new else 200, place)


def _inputs(found: Mapping[str, object]) -> Mapping[str, object]:
    inputs = found.get("inputs")
    if inputs is None:
        return {}
    if not isinstance(inputs, dict):
        raise Problem(422, '`inputs` has to be an object, such as {"day": "2026-01-01"}.')
    return cast("dict[str, object]", inputs)


def _submitted(service: Service, flow: str, said: Submission) -> tuple[RunRow, bool]:
    """The run, and whether it is new. The same id, flow and inputs again are the same run."""
    deployment = service.catalog.get(flow)
    new = said.run_id is None or not _there(service, said.run_id)
    run_id = submit(service.store, service.blobs, service.catalog, deployment, said)
    return service.store.run(run_id), new


def _there(service: Service, run_id: str) -> bool:
    check_run_id(run_id)
    try:
        service.store.run(run_id)
    except UnknownRun:
        return False
    return True


async def list_runs(request: Request) -> Response:
    """GET /v1/runs: the newest first."""
    service = service_of(request)
    given = request.query_params
    limit = _number(given.get("limit"), "limit", LIST_DEFAULT, LIST_MAX)
    wanted = given.get("status")
    if wanted is not None and wanted not in get_args(RunStatus):
        raise Problem(422, f"`status` is one of {', '.join(get_args(RunStatus))}.")

    def look() -> dict[str, object]:
        found = listed(service.store, cast("RunStatus | None", wanted), given.get("flow"), limit)
        runs = [row_json(row, status) for row, status in found.rows]
        damaged = [{"run": each.run_id, "problem": each.problem} for each in found.damaged]
        return {"runs": runs, "damaged": damaged} if damaged else {"runs": runs}

    return JsonResponse(await in_thread(look))


def _number(given: str | None, name: str, default: int, most: int) -> int:
    if given is None:
        return default
    if not given.isascii() or not given.isdecimal() or not 1 <= int(given[:9]) <= most:
        raise Problem(422, f"`{name}` is a whole number from 1 to {most}.")
    return int(given[:9])


async def show_run(request: Request) -> Response:
    """GET /v1/runs/{id}: the run with its steps, as `flowc show --json`."""
    service, run_id = service_of(request), _run_id(request)

    def look() -> dict[str, object]:
        found = view(service.store, run_id)
        use_code(found.row, service.blobs)
        return run_json(found, service.blobs)

    return JsonResponse(await in_thread(look))


async def output_of_run(request: Request) -> Response:
    """GET /v1/runs/{id}/output: how the run ended; with `wait` the answer comes when it has."""
    service, run_id = service_of(request), _run_id(request)
    wait_s = _seconds(request.query_params.get("wait"))
    row = await _ended(service, request, run_id, wait_s)
    status = status_of(row)
    if row.status not in ENDED:
        raise Problem(409, f"Run {run_id} has not ended: it is {status}.", extra={"run_status": status})
    return JsonResponse(await in_thread(lambda: _output(service, row)))


async def _ended(service: Service, request: Request, run_id: str, wait_s: float) -> RunRow:
    """The row of a run, once it has ended or the time is up."""
    until = time.monotonic() + wait_s
    pause = POLL_FIRST_S
    while True:
        row = await in_thread(lambda: service.store.run(run_id))
        left = until - time.monotonic()
        if row.status in ENDED or left <= 0 or service.closing.is_set():
            return row
        await asyncio.sleep(min(pause, left))
        pause = min(2 * pause, POLL_MAX_S)
        if await request.is_disconnected():
            return row


def _output(service: Service, row: RunRow) -> dict[str, object]:
    """As `flowc run --json` prints it."""
    result = recorded_result(service.store, row)
    if isinstance(result.value, Blob) and result.value.size > RESULT_MAX:
        raise Problem(
            413,
            f"The result has {result.value.size} bytes, too many for JSON; "
            f"`flowc output {row.run_id} --pickle FILE` writes it.",
        )
    use_code(row, service.blobs)
    value = None if result.value is None else plain(load(service.blobs, result.value))
    return {
        "run": result.run_id,
        "flow": result.flow,
        "status": result.status,
        "result": value,
        "error": failure_json(result.failure),
    }


async def cancel_run(request: Request) -> Response:
    """POST /v1/runs/{id}/cancel: have a run cancelled. 200: its owner has heard it."""
    service, run_id = service_of(request), _run_id(request)
    body = await read_body(request)
    if body.strip():
        check_type(request)
    found = read_object(body, ("reason", "force", "terminate"))
    reason = text(found, "reason") or "cancelled over HTTP"
    force = flag(found, "force")

    if flag(found, "terminate"):
        return await _terminated(service, run_id, reason)

    def note() -> int:
        row = service.store.run(run_id)
        _refuse_ended(row)
        service.store.request_cancel(run_id, reason, force=force)
        return row.head if row.cancel_reason is None else 0

    told = await _heard(service, run_id, await in_thread(note))
    row = await in_thread(lambda: service.store.run(run_id))
    return JsonResponse(row_json(row, status_of(row)), 200 if told else 202)


async def _terminated(service: Service, run_id: str, reason: str) -> Response:
    """End a run at once."""

    def end() -> RunRow:
        _refuse_ended(service.store.run(run_id))
        terminate(service.store, run_id, reason)
        return service.store.run(run_id)

    row = await in_thread(end)
    return JsonResponse(row_json(row, status_of(row)))


def _refuse_ended(row: RunRow) -> None:
    if row.status in ENDED:
        raise Problem(
            409, f"Run {row.run_id} has ended already: it is {row.status}.", extra={"run_status": row.status}
        )


async def _heard(service: Service, run_id: str, first: int) -> bool:
    """Whether the wish to cancel is in the run's journal, from which nothing new starts, within some time."""
    until = time.monotonic() + HEARD_MAX_S
    while True:
        told, first = await in_thread(partial(heard, service.store, run_id, first))
        if told or time.monotonic() >= until or service.closing.is_set():
            return told
        await asyncio.sleep(POLL_FIRST_S)


def _run_id(request: Request) -> str:
    """The id in the path; what is no id names no run."""
    run_id = cast("str", request.path_params["run_id"])
    try:
        check_run_id(run_id)
    except BadRunId as error:
        raise Problem(404, str(error)) from error
    return run_id


def _seconds(given: str | None) -> float:
    if given is None:
        return 0.0
    if not given.isascii() or not given.isdecimal() or int(given[:9]) > WAIT_MAX_S:
        raise Problem(422, f"`wait` is a whole number of seconds up to {WAIT_MAX_S:.0f}.")
    return float(given[:9])
