"""flowrt: runs Ray bind graphs durably.

    flowrt.run(dag, run_id="etl-1")     run a graph to its end; the same id again gives the recorded result
    flowrt.resume("etl-1")              continue after a crash
    flowrt.current()                    inside a task: its run, step, attempt, idempotency key, fence

Names are imported when they are first used, so that `import flowrt` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flowrt.api import cancel, output, resume, run, send, terminate
    from flowrt.collected import Collected, ForError
    from flowrt.context import current, heartbeat
    from flowrt.errors import FlowrtError, RunCancelled, RunFailed
    from flowrt.failures import (
        BlockTimedOut,
        FlowFailed,
        LocksInCircle,
        LoopLimit,
        NeedNotMet,
        OutcomeUnknown,
        RecursionLimit,
        WaitTimedOut,
        WorkerLost,
    )
    from flowrt.listener import EventListener

__all__ = [
    "BlockTimedOut",
    "Collected",
    "EventListener",
    "FlowFailed",
    "FlowrtError",
    "ForError",
    "LocksInCircle",
    "LoopLimit",
    "NeedNotMet",
    "OutcomeUnknown",
    "RecursionLimit",
    "RunCancelled",
    "RunFailed",
    "WaitTimedOut",
    "WorkerLost",
    "cancel",
    "current",
    "heartbeat",
    "output",
    "resume",
    "run",
    "send",
    "terminate",
]

_ROOMS = {
    "Collected": "flowrt.collected",
    "ForError": "flowrt.collected",
    "current": "flowrt.context",
    "heartbeat": "flowrt.context",
    "FlowrtError": "flowrt.errors",
    "RunCancelled": "flowrt.errors",
    "RunFailed": "flowrt.errors",
    "BlockTimedOut": "flowrt.failures",
    "FlowFailed": "flowrt.failures",
    "LocksInCircle": "flowrt.failures",
    "LoopLimit": "flowrt.failures",
    "NeedNotMet": "flowrt.failures",
    "OutcomeUnknown": "flowrt.failures",
    "RecursionLimit": "flowrt.failures",
    "WaitTimedOut": "flowrt.failures",
    "WorkerLost": "flowrt.failures",
    "EventListener": "flowrt.listener",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'flowrt' has no attribute {name!r}")
    return getattr(import_module(_ROOMS.get(name, "flowrt.api")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
