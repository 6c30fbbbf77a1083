"""What an HTTP answer says when it is no: a status and whole sentences in; `application/problem+json` out."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

from flowrt.errors import (
    BadInput,
    BadRunId,
    FlowrtError,
    RunMismatch,
    StoreUnavailable,
    UnknownRun,
)
from flowrt.serve.deploy import UnknownFlow
from flowrt.shown.json_value import dump

RETRY_S = "2"


class Problem(Exception):
    """A request that cannot be served; `detail` says why, in whole sentences for its sender."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        """Keep the status, headers of the answer, and what the document says besides."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


def problem_of(error: FlowrtError) -> Problem:
    """The answer to what the runtime refuses."""
    match error:
        case UnknownRun() | UnknownFlow():
            return Problem(404, str(error))
        case BadInput() | BadRunId():
            return Problem(422, str(error))
        case RunMismatch():
            return Problem(409, str(error))
        case StoreUnavailable():
            return Problem(503, "The store cannot be used just now.", headers={"Retry-After": RETRY_S})
        case _:
            return Problem(500, str(error))


class JsonResponse(Response):
    """An answer of JSON; what JSON cannot express has a stand-in."""

    media_type = "application/json"

    def __init__(
        self, content: object, status_code: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer with `content`."""
        super().__init__(dump(content, indent=None), status_code, headers, self.media_type)

    def render(self, content: object) -> bytes:
        """The bytes of the text; half of a surrogate pair, which UTF-8 has no bytes for, is escaped."""
        try:
            return str(content).encode()
        except UnicodeEncodeError:
            return json.dumps(json.loads(str(content))).encode("ascii")


class ProblemResponse(JsonResponse):
    """The answer of a `Problem`."""

    media_type = "application/problem+json"

    def __init__(self, problem: Problem) -> None:
        """Answer no."""
        try:
            title = HTTPStatus(problem.status).phrase
        except ValueError:
            title = "Refused"
        body = {"title": title, "status": problem.status, "detail": problem.detail, **problem.extra}
        super().__init__(body, problem.status, {"Cache-Control": "no-store", **problem.headers})
