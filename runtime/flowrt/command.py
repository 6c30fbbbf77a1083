"""Commands: what the core wants done. The engine carries them out and answers each with a record.

There is at most one open command for a step. A command stays open until a record settles it, so after
a fold the open commands are the whole frontier of the run: nothing else has to be remembered.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from flowrt.expr.tree import Expr
from flowrt.noun import noun
from flowrt.program import Emit, Lock, Retry, Sample, Sleep, Start, Switch, Task, Wait
from flowrt.record import Failure
from flowrt.value import Handle

Env: TypeAlias = Mapping[str, Handle]


@noun
class RunTask:
    """Make attempt number `attempt` (from 1), not before `not_before`.

    Answers: Succeeded, Retrying, Failed. `lost_count` is how many attempts lost their worker so far,
    `first_at` when the first attempt started (0: not yet).
    """

    step: str
    task: Task
    env: Env
    attempt: int = 1
    not_before: int = 0
    lost_count: int = 0
    first_at: int = 0


@noun
class BeginTask:
    """Record that the one attempt of a task is about to be made. Answers: Begun."""

    step: str


@noun
class Evaluate:
    """Evaluate a pure expression. Answers: Computed, Failed. With `want` "fail" the text is the failure."""

    step: str
    expr: Expr
    env: Env
    want: Literal["value", "fail"] = "value"


@noun
class Decide:
    """Evaluate a condition. Answers: Decided, Failed."""

    step: str
    expr: Expr
    env: Env


@noun
class Choose:
    """Find the case of a `switch` that is the one. Answers: Chosen, Failed."""

    step: str
    switch: Switch
    env: Env


@noun
class Expand:
    """Count the items of a loop and evaluate its bounds. Answers: Expanded, Failed.

    Without items the count is 0: a `while` whose `max` is computed asks in this way, and a race whose
    `need` is.
    """

    step: str
    items: Handle | None
    env: Env
    parallel: Expr | None
    need: Expr | None
    batch: Expr | None


@noun
class TakeSample:
    """Take a value once. Answers: Computed. It must be durable before anyone sees it."""

    step: str
    sample: Sample


@noun
class StartSleep:
    """Work out when a pause ends. Answers: Sleeping, Failed."""

    step: str
    sleep: Sleep
    env: Env


@noun
class AwaitTimer:
    """Wait for `due_at`. Answers: Fired."""

    step: str
    due_at: int


@noun
class StartWait:
    """Work out the key and the time-out of a wait. Answers: Waiting, Failed."""

    step: str
    wait: Wait
    env: Env


@noun
class AwaitEvent:
    """Wait for an event that matches, or for `due_at` (0: no time-out). Answers: Received, Fired, Failed."""

    step: str
    wait: Wait
    env: Env
    key: str | None
    due_at: int


@noun
class SendEvent:
    """Send an event. Answers: Emitted, Failed."""

    step: str
    emit: Emit
    env: Env


@noun
class StartRun:
    """Make a run of its own of a flow. Answers: Detached, Failed."""

    step: str
    start: Start
    env: Env


@noun
class EnterBlock:
    """Work out when the time of an attempt of a block is up. Answers: Entered, Failed."""

    step: str
    attempt: int
    timeout: Expr | None
    env: Env


@noun
class StartLock:
    """Ask for a lock. Answers: Queued, Failed."""

    step: str
    lock: Lock
    env: Env


@noun
class AskTurn:
    """Ask for a turn at an object, not before `not_before`: a lock of `name`, its class, and `key`.

    Answers: Queued, Failed.
    """

    step: str
    name: str
    key: Expr
    env: Env
    not_before: int = 0


@noun
class RetryBlock:
    """Work out whether a block that failed is made again, and when. Answers: Retrying, Failed.

    `attempt` is the number of the attempt that failed, `first_at` when the first one began (0: not known).
    """

    step: str
    retry: Retry
    env: Env
    failure: Failure
    attempt: int
    first_at: int


@noun
class AwaitLock:
    """Wait for a lock that was asked for. Answers: Locked, Failed."""

    step: str
    lock: str
    limit: int


@noun
class Unlock:
    """Give a lock back, or the place in the queue for it. Answers: Unlocked."""

    step: str


@noun
class StopTask:
    """Stop a task that is running. Answers: Stopped, or Succeeded or Failed when it was faster."""

    step: str


@noun
class EndRun:
    """Nothing is left to do. Answers: Ended."""

    status: Literal["succeeded", "failed", "cancelled"]
    value: Handle | None
    failure: Failure | None


Command: TypeAlias = (
    RunTask
    | BeginTask
    | Evaluate
    | Decide
    | Choose
    | Expand
    | TakeSample
    | StartSleep
    | AwaitTimer
    | StartWait
    | AwaitEvent
    | SendEvent
    | StartRun
    | EnterBlock
    | RetryBlock
    | StartLock
    | AskTurn
    | AwaitLock
    | Unlock
    | StopTask
    | EndRun
)
