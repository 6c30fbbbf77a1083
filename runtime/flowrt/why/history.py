"""What has happened to a step, in sentences. In: its records; out: lines, the oldest first."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from flowrt.command import AskTurn, AwaitEvent, AwaitLock, AwaitTimer, Command, RunTask, StopTask
from flowrt.core.state import TimerKind
from flowrt.core.step_kind import kind_of
from flowrt.expr.durations import format_duration
from flowrt.record import (
    Begun,
    CancelRequested,
    Chosen,
    Computed,
    Decided,
    Detached,
    Emitted,
    Ended,
    Entered,
    Expanded,
    Failed,
    Failure,
    Fired,
    Locked,
    Queued,
    Received,
    Record,
    Reopened,
    Retrying,
    Sleeping,
    Started,
    Stopped,
    Succeeded,
    Unlocked,
    Waiting,
)


def at(instant: int) -> str:
    """An instant as it is told: to the second, in UTC."""
    return datetime.fromtimestamp(instant / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def length(start: int, end: int) -> str:
    """A length of time between two instants."""
    return format_duration(timedelta(milliseconds=max(0, end - start) // 1000))


def history(records: Iterable[Record]) -> list[str]:
    """What the records of one step say, a clause each."""
    told: list[str] = []
    lock = ""
    for record in records:
        lock = record.lock if isinstance(record, Queued) else lock
        told.append(_happened(record, lock))
    return told


def _happened(record: Record, lock: str) -> str:  # noqa: C901, PLR0911, PLR0912 - one arm a record
    match record:
        case Succeeded():
            return _succeeded(record)
        case Failed(_, failure, 0, started_at):
            return f"it came to a failure at {at(started_at)}: {said(failure)}"
        case Failed(_, failure, attempt, started_at):
            return f"attempt {attempt} began at {at(started_at)} and failed: {said(failure)}"
        case Retrying(_, failure, attempt, started_at, _, retry_at, True):
            again = f"made again from {at(retry_at)}"
            return f"attempt {attempt} was lost at {at(started_at)}: {said(failure)}; {again}"
        case Retrying(_, failure, attempt, started_at, _, retry_at):
            again = f"the next from {at(retry_at)}"
            return f"attempt {attempt} began at {at(started_at)} and failed: {said(failure)}; {again}"
        case Begun(_, when):
            return f"that its one attempt is made was recorded at {at(when)}"
        case Stopped(_, when):
            return f"it was told to stop and had stopped at {at(when)}, without a result"
        case Computed():
            return "its value was computed by the engine"
        case Entered(_, attempt, when, due_at):
            until = f"; its time is up at {at(due_at)}" if due_at else ""
            return f"attempt {attempt} of the block began at {at(when)}{until}"
        case Decided(_, choice):
            return f"its condition was {choice}"
        case Chosen(_, index):
            return "none of its cases fits" if index < 0 else f"its case {index + 1} was the one that fits"
        case Expanded(_, 0, 0, need) if need:
            return f"{need} of its branches are enough"
        case Expanded(_, count, parallel, need):
            at_once = f", at most {parallel} at once" if parallel else ""
            enough = f", {need} of them are enough" if need else ""
            return f"it has {count} items{at_once}{enough}"
        case Sleeping(_, due_at):
            return f"a timer was set for {at(due_at)}"
        case Waiting(_, event, key, due_at):
            return f"it began to wait for {event_text(event, key)}" + (
                f", until {at(due_at)}" if due_at else ""
            )
        case Fired(_, when):
            return f"its time was up at {at(when)}"
        case Received(_, event_id):
            return f"it took event {event_id}"
        case Emitted(_, event):
            return f"it sent an event `{event}`"
        case Queued() | Locked() | Unlocked():
            return _of_lock(record, lock)
        case Detached(_, run_id):
            return f"it started run {run_id}"
        case Started() | CancelRequested() | Reopened() | Ended():
            return ""


def _succeeded(record: Succeeded) -> str:
    if not record.attempt:
        return f"its value is cached: at {at(record.ended_at)} it was taken over from another run"
    took = length(record.started_at, record.ended_at)
    return (
        f"attempt {record.attempt} began at {at(record.started_at)}, succeeded after {took}, and is recorded"
    )


def _of_lock(record: Queued | Locked | Unlocked, lock: str) -> str:
    match record:
        case Queued(limit=limit):
            most = f", which {limit} may hold at once" if limit > 1 else ""
            return f"it asked for {lock_text(lock)}{most}"
        case Locked():
            return "it was its turn" if is_actor(lock) else "it got the lock"
        case Unlocked():
            return "it left the queue" if is_actor(lock) else "it gave the lock back"


def lock_text(name: str) -> str:
    """What is waited for, as it is told."""
    return f"its turn at the actor `{name}`" if is_actor(name) else f"the lock `{name}`"


def is_actor(name: str) -> bool:
    """Whether a lock is named by the path of a class, and so is a turn at an actor."""
    return ":" in name.partition("(")[0]


def said(failure: Failure) -> str:
    """A failure in one line."""
    first = failure.message.splitlines()[0] if failure.message else ""
    return f"{failure.type}: {first}" if first else failure.type


def event_text(event: str, key: str | None) -> str:
    """An event as it is told."""
    return f"an event `{event}`" + (f" with key {key!r}" if key is not None else " without a key")


def goes_on(command: Command, timer: TimerKind, now: int, owner: str | None) -> str:  # noqa: PLR0911 - one a command
    """What a step that is open is doing; `owner` is the process that has the run, if one has it.

    `timer` is what the timer of the step is for, if it waits for one.
    """
    match command:
        case RunTask(attempt=attempt, not_before=not_before) if not_before > now:
            return f"attempt {attempt} is to be made at {at(not_before)}"
        case RunTask(attempt=attempt):
            if owner is None:
                return f"attempt {attempt} is to be made; no process has the run at the moment"
            waits = kind_of(command.task) == "listener"
            doing = "it waits for its event" if waits else "it is queued or under way"
            return f"attempt {attempt} is with the executor of {owner}: {doing}"
        case StopTask():
            return "it was told to stop, and has not ended yet"
        case AwaitLock(_, lock):
            return f"it waits for {lock_text(lock)}"
        case AskTurn(not_before=not_before) if not_before > now:
            return f"its next attempt waits until {at(not_before)}, and then for its turn"
        case AwaitTimer(_, due_at):
            return _timer_text(timer, at(due_at))
        case AwaitEvent(_, wait, _, key, due_at):
            return f"it waits for {event_text(wait.event, key)}" + (f", until {at(due_at)}" if due_at else "")
        case _:
            if owner is None:
                return "the engine has still to work on it; no process has the run at the moment"
            return f"the engine of {owner} works on it"


def _timer_text(kind: TimerKind, until: str) -> str:
    match kind:
        case "sleep":
            return f"it sleeps until {until}"
        case "pause":
            return f"its last attempt failed; the block is made again at {until}"
        case "bound":
            return f"the block may take until {until}"
        case "limit":
            return f"the run may take until {until}"
