"""Ids of runs. In: a text, or a flow's name and the time; out: BadRunId, or a new id.

An id stands in file names, URLs and command lines, so it is made of letters, digits, `.`, `_` and `-`.
"""

import re
import secrets
from datetime import UTC, datetime

from flowrt.errors import BadRunId

_VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_OTHERS = re.compile(r"[^A-Za-z0-9._-]+")
_DOTS = re.compile(r"\.{2,}")
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_FLOW_MAX = 96
_SHOWN_MAX = 60


def check_run_id(text: str) -> None:
    """Raise BadRunId unless a text is an id of a run."""
    if _VALID.fullmatch(text) and ".." not in text:
        return
    shown = text if len(text) <= _SHOWN_MAX else text[:_SHOWN_MAX] + "…"
    raise BadRunId(
        f"{shown!r} is no id of a run: use 1 to 128 letters, digits, `.`, `_` or `-`, "
        "beginning with a letter or digit and without `..`."
    )


def new_run_id(flow: str, now: int) -> str:
    """A new id such as `hello-20261122-015000-k3f9`; ids of one flow sort by time.

    Args:
        flow: The name of the flow.
        now: Microseconds since 1970-01-01 UTC.
    """
    name = _DOTS.sub(".", _OTHERS.sub("-", flow))[:_FLOW_MAX].strip("._-") or "flow"
    when = datetime.fromtimestamp(now // 1_000_000, UTC).strftime("%Y%m%d-%H%M%S")
    return f"{name}-{when}-{''.join(secrets.choice(_LETTERS) for _ in range(4))}"
