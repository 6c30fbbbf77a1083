"""Ids of runs. In: a text, or a flow's name and the time; out: BadRunId, or a new id.

An id stands in file names, URLs and command lines, so it is made of letters, digits, `.`, `_` and `-`.
"""

import hashlib
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
    name = _name(flow)
    when = datetime.fromtimestamp(now // 1_000_000, UTC).strftime("%Y%m%d-%H%M%S")
    return f"{name}-{when}-{''.join(secrets.choice(_LETTERS) for _ in range(4))}"


def slot_run_id(flow: str, slot: int) -> str:
    """The id of the run that a schedule makes for an instant, such as `hello-20261122T015000Z`.

    It is the same whoever makes it, and no other flow's: where a name cannot stand in an id as it is, a
    part of its digest tells it from others.
    """
    name = _name(flow)
    if name != flow:
        name = f"{name}-{hashlib.sha256(flow.encode()).hexdigest()[:8]}"
    return f"{name}-{datetime.fromtimestamp(slot // 1_000_000, UTC):%Y%m%dT%H%M%SZ}"


def child_run_id(flow: str, parent: str, parent_at: int, step: str) -> str:
    """The id of the run that a step of another run makes, such as `hello-3f9c0b7a51d2e684`.

    It follows from the step and the run alone. `parent_at` is when the run was started: one that is made
    under the id of a deleted run is another.
    """
    what = "\0".join((flow, parent, str(parent_at), step))
    return f"{_name(flow)}-{hashlib.sha256(what.encode()).hexdigest()[:16]}"


def _name(flow: str) -> str:
    return _DOTS.sub(".", _OTHERS.sub("-", flow))[:_FLOW_MAX].strip("._-") or "flow"
