"""Lives: work done in a process of its own that may die in the middle. In: work; out: how it ended.

A life is a fork of this process, so it costs a few milliseconds and not the import of everything again;
it shares nothing with it but open files. The process that forks must have no threads. What the work
returns comes back as JSON; what it raises comes back as text.
"""

import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flowrt import failpoint
from flowrt.errors import RunOwned

DIED = failpoint.DIED
OWNED = 4
"""The exit status of a life that ended because another process has the run, as of `flowc`."""


@dataclass(frozen=True)
class Ending:
    """How a life ended: 0, a status, or `DIED`; and what it gave, or said of its failure."""

    status: int
    value: object = None
    error: str = ""
    took_s: float = 0.0

    @property
    def died(self) -> bool:
        return self.status == DIED


@dataclass
class Life:
    """A process that lives."""

    pid: int
    pipe: int
    began: float

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal, if it is still there; nobody has waited for it yet."""
        os.kill(self.pid, number)

    def over(self, within_s: float) -> bool:
        """Whether it has ended, or does so within some time."""
        return bool(select.select([self.pipe], [], [], within_s)[0])

    def stopped(self) -> bool:
        """Whether it has been stopped, as by SIGSTOP."""
        stat = Path(f"/proc/{self.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    def end(self, patience_s: float = 60.0) -> Ending:
        """Wait for its end; one that takes too long is killed, and is no good life."""
        late = not self.over(patience_s)
        if late:
            self.kill()
        said = _all_of(self.pipe)
        _, status = os.waitpid(self.pid, 0)
        took_s = time.monotonic() - self.began
        if late:
            return Ending(-1, None, f"it did not end within {patience_s:g} s", took_s)
        code = DIED if os.WIFSIGNALED(status) else os.waitstatus_to_exitcode(status)
        if code == 0:
            return Ending(0, json.loads(said), "", took_s)
        return Ending(code, None, said.decode(errors="replace"), took_s)


def begin(
    work: Callable[[], object],
    *,
    die_at: str | None = None,
    log: Path | None = None,
    said: Path | None = None,
) -> Life:
    """Begin a life that does `work`, and dies at a failpoint; `said` takes what it says on stderr."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writer)
        return Life(pid, reader, time.monotonic())
    os.close(reader)
    status = 1
    try:
        _hush(said)
        failpoint._ACT = failpoint._act_of(die_at, str(log) if log else None)
        _say(writer, json.dumps(work()))
        status = 0
    except RunOwned as error:
        _say(writer, str(error))
        status = OWNED
    except BaseException:  # noqa: BLE001 - whatever it is, it is told, and this process ends here
        _say(writer, traceback.format_exc())
    finally:
        os._exit(status)


def live(
    work: Callable[[], object],
    *,
    die_at: str | None = None,
    log: Path | None = None,
    patience_s: float = 60.0,
) -> Ending:
    """A whole life."""
    return begin(work, die_at=die_at, log=log).end(patience_s)


def _hush(said: Path | None) -> None:
    sys.stderr.flush()
    file = os.open(said or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(file, 2)


def _say(pipe: int, text: str) -> None:
    left = text.encode()
    while left:
        left = left[os.write(pipe, left) :]


def _all_of(pipe: int) -> bytes:
    parts = []
    while part := os.read(pipe, 65536):
        parts.append(part)
    os.close(pipe)
    return b"".join(parts)
