"""Failpoints: named places at which a test lets the process die. In: a name; out: nothing, or never.

For tests alone. A process that is started with one of these in its environment acts at the place named:

    FLOWC_FAILPOINT=append.written       it dies when it comes there, as by a SIGKILL: no clean-up at all
    FLOWC_FAILPOINT=append.written:3     … when it comes there for the third time
    FLOWC_FAILPOINT=append.written:3:stop   it stops there, as by a SIGSTOP, and can be let go on
    FLOWC_FAILPOINT_LOG=FILE             it appends the name of each place that it comes to, one a line

Otherwise a place costs one test for None. The variables are read once, when this file is imported; a
name that is not in the table ends the process at once and says so.

A name says what has been done when the process dies there: `append.written` is the place within the
transaction behind the insertion of the records, `append.done` the one behind its commit.
"""

import itertools
import os
import signal
import sys
from collections.abc import Callable
from typing import Literal, NoReturn, get_args

FailpointName = Literal[
    # A transaction of the store that makes or takes a run, or lets it go.
    "create.begun",  # Nothing is done.
    "create.kept",  # Its program is kept, the run is not made; not committed.
    "create.written",  # All is written; not committed.
    "create.done",  # The run is there, and its creator has not been told.
    "claim.begun",
    "claim.written",  # The epoch is raised; not committed.
    "claim.done",  # The run is ours, and nothing of it was read.
    "claim_due.written",
    "claim_due.done",
    "renew.begun",
    "renew.done",
    "release.begun",
    "release.done",
    "serve.done",
    "reopen.begun",
    "reopen.done",
    # The transaction that makes records durable.
    "append.begun",
    "append.advanced",  # The head is moved, its records are not written; not committed.
    "append.written",  # The records are written; not committed.
    "append.created",  # A run that a step starts is written; not committed.
    "append.done",  # They are durable, and the engine has not been told.
    "locks.written",  # Locks were asked for or given back within an append; not committed.
    "cache.written",  # What other runs may take over is written within an append; not committed.
    "actors.written",  # What calls have made of their objects is written within an append; not committed.
    "locks.freed",  # What an abandoned run had is given to others; not committed.
    "park.written",  # A run is let go within its append; not committed.
    # What comes from outside.
    "send.begun",
    "send.written",
    "send.done",  # The event is durable, and its sender has not been told.
    "cancel.begun",
    "cancel.done",
    # What is removed.
    "delete.begun",
    "delete.written",
    "delete.done",  # The run is gone, its blobs are not.
    "sweep.written",
    "sweep.done",
    "gc.found",  # A blob is known to be unneeded, and is still there.
    "gc.removed",  # One blob is removed, the others are not.
    # Schedules.
    "slot.due",  # A slot is due, and its run is not made.
    "slot.written",  # The run and the cursor are written; not committed.
    "slot.done",  # The run is made.
    # A blob on its way into a folder, or into a bucket.
    "blob.begun",
    "blob.unfinished",  # Its file is there under another name, and not synced.
    "blob.synced",  # … and is synced.
    "blob.renamed",  # It has its name; the folder is not synced.
    "blob.done",
    # The engine.
    "dispatch.begun",  # Attempts are ready, and the executor has none of them.
    "dispatch.done",
    "outcome.taken",  # A result has arrived; it is not durable.
    "flush.done",  # It is durable, and nobody has been told.
    "expand.noted",  # A loop knows its items; its bodies are not begun.
    "sleep.noted",  # A timer is decided on and not durable.
    "timer.set",
    "timer.fired",  # A timer went off; that is not durable.
    "enter.noted",  # The bound of a block is worked out; that is not durable.
    "again.noted",  # A block is to be made again, or not; that is not durable.
    "wait.noted",
    "inbox.looked",  # The inbox was read.
    "inbox.taken",  # A wait has taken an event; that is not durable.
    "inbox.settled",  # … it is durable.
    "emit.noted",
    "cache.hit",  # A value is taken over from another run; that is not durable.
    "actor.changed",  # A call has come back with the new state of its object; that is not durable.
    "lock.asked",  # A lock is to be asked for; that is not durable.
    "lock.got",  # It has come, and that is not durable.
    "lock.given_back",  # It is to be given back; that is not durable.
    "detach.noted",  # A run of its own is to be made; that is not durable.
    "cancel.noted",  # The engine has heard of the request to cancel; that is not durable.
    "end.noted",  # The run has ended, and that is not durable.
]

FAILPOINTS: tuple[FailpointName, ...] = get_args(FailpointName)

DIED = 137
"""The exit status of a process that was killed by SIGKILL, and of one that died at a failpoint."""


def hit(name: FailpointName) -> None:
    """Come to a place: act if this process was told to, else nothing."""
    if _ACT is not None:
        _ACT(name)


def _refuse(problem: str) -> NoReturn:
    sys.exit(f"FLOWC_FAILPOINT is for tests; {problem}. Known names: {', '.join(FAILPOINTS)}.")


_EXIT = os._exit
"""As it is before a step's own call of it is turned into the end of an attempt."""


def _die() -> None:
    _EXIT(DIED)


def _stop() -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _act_of(text: str | None, log: str | None) -> Callable[[str], None] | None:
    """What is to be done at each place."""
    if not text and not log:
        return None
    name, _, rest = (text or "").partition(":")
    count, _, how = rest.partition(":")
    if name and name not in FAILPOINTS:
        _refuse(f"`{name}` is no failpoint")
    if not (count or "1").isdigit() or how not in ("", "stop"):
        _refuse(f"`{text}` is not of the form NAME, NAME:COUNT or NAME:COUNT:stop")
    times, wanted = itertools.count(1), int(count or 1)  # Counted in one step: threads come here too.
    seen = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if log else -1

    def act(here: str) -> None:
        if log:
            os.write(seen, f"{here}\n".encode())
        if here == name and next(times) == wanted:
            (_stop if how else _die)()

    return act


_ACT = _act_of(os.environ.get("FLOWC_FAILPOINT"), os.environ.get("FLOWC_FAILPOINT_LOG"))
