"""Who holds a run. In: nothing, or an owner as stored; out: this process as an owner, or whether one lives.

A process is named by machine, boot, process id and start time, so that an id that was given out again
does not pass for the old process. The boot includes the name space of process ids: two containers on
one machine do not see each other's processes and must not take each other for dead. Where this cannot
be read (there is no /proc), the answer is that it is not known, and only the lease counts.
"""

import os
import socket
from pathlib import Path
from uuid import uuid4

from flowrt.store.rows import Owner

_START_TIME = 19
"""Where the start time stands in /proc/PID/stat, counted after the name in parentheses (field 22)."""


def this_owner() -> Owner:
    """This process, under a token of its own for each call."""
    pid = os.getpid()
    stat = _stat(pid)
    return Owner(socket.gethostname(), _boot(), pid, stat[1] if stat else "", uuid4().hex)


def alive(owner: Owner) -> bool | None:
    """Whether the process of an owner lives; None when that cannot be known from here."""
    boot = _boot()
    if not boot or (owner.host, owner.boot) != (socket.gethostname(), boot):
        return None
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except OverflowError:
        return None
    except PermissionError:
        pass  # It exists and is another user's.
    stat = _stat(owner.pid)
    if stat is None or not owner.started:
        return None
    state, started = stat
    return started == owner.started and state not in ("Z", "X")


def _boot() -> str:
    """The machine's boot and our name space of process ids; empty when unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _stat(pid: int) -> tuple[str, str] | None:
    """The state and the start time of a process; None when unknown."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return (fields[0], fields[_START_TIME]) if len(fields) > _START_TIME else None
