"""Signs of life: what a worker leaves behind for its driver, and how the driver finds a worker that is stuck.

A worker that was ended by its own watchdog and one that was killed from outside look the same to Ray. So a
worker that makes an attempt with a bound in time leaves a sign in the cluster's key-value store: when the
attempt began, and when its heartbeat was last heard. It takes the sign away when the attempt has ended. The
driver reads it when the worker is gone, or when the attempt is overdue and nobody has said so: a process
that is stopped (SIGSTOP, a frozen machine) rings no alarm.

A worker's process bears the name of the job that it works on as its title. One that does not answer to Ray
any more is found by it, on whatever node, and killed.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

_SPACE = b"flowrt"
_TITLE = "ray::flowrt"


class Sign(NamedTuple):
    """What a worker said of itself; instants of the wall clock in seconds."""

    began_at: float
    heard_at: float | None = None


class Scribe:
    """Leaves signs, from a worker. All but the first of an attempt go by a thread: nobody waits for them."""

    def __init__(self) -> None:
        """Nothing is started before there is something to say."""
        self._queue: SimpleQueue[tuple[str, Sign | None]] | None = None

    def name(self, job: str) -> None:
        """Give this process its job's name as its title."""
        raylet = getattr(sys.modules.get("ray"), "_raylet", None)
        if raylet is not None:
            raylet.setproctitle(f"{_TITLE} {job}")

    def begin(self, job: str, sign: Sign) -> None:
        """Leave the first sign of an attempt; it is there on return."""
        _write(job, sign)

    def tell(self, job: str, sign: Sign | None) -> None:
        """Leave another one soon; None takes it away."""
        if self._queue is None:
            self._queue = SimpleQueue()
            threading.Thread(target=self._post, args=(self._queue,), name="flowrt-signs", daemon=True).start()
        self._queue.put((job, sign))

    def _post(self, queue: "SimpleQueue[tuple[str, Sign | None]]") -> None:
        while True:
            _write(*queue.get())


def read_sign(job: str) -> Sign | None:
    """The last sign of the worker that made, or makes, a job with a bound in time. In the driver."""
    kv = _store()
    data = None if kv is None else kv._internal_kv_get(job, namespace=_SPACE)  # noqa: SLF001 - Ray has no other
    return None if data is None else Sign(*json.loads(data))


def remove_sign(job: str) -> None:
    """Take away what a dead worker has left. In the driver."""
    _write(job, None)


def _write(job: str, sign: Sign | None) -> None:
    kv = _store()
    if kv is None:
        return
    try:
        if sign is None:
            kv._internal_kv_del(job, namespace=_SPACE)  # noqa: SLF001 - Ray has no other
        else:
            kv._internal_kv_put(job, json.dumps(sign), namespace=_SPACE)  # noqa: SLF001
    except Exception:  # noqa: BLE001, S110 - a sign that is not left makes a later message less exact, no more
        pass


def _store() -> Any:  # noqa: ANN401 - a module of Ray's
    if "ray" not in sys.modules:
        return None
    from ray.experimental import internal_kv  # noqa: PLC0415 - only where Ray is

    kv: Any = internal_kv
    return kv if kv._internal_kv_initialized() else None  # noqa: SLF001


def kill_named(job: str) -> list[int]:
    """Kill the processes on this machine that work on a job; runs in a worker. Gives their ids."""
    wanted = f"{_TITLE} {job}".encode()
    killed: list[int] = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            title = place.read_bytes().rstrip(b"\0 ")
            if title == wanted:
                os.kill(int(place.parent.name), signal.SIGKILL)
                killed.append(int(place.parent.name))
        except OSError:
            continue  # It has ended, or belongs to somebody else.
    return killed
