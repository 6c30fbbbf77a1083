"""Records: the lines of a run's journal. The state of a run is the fold of its records.

Instants are whole microseconds since 1970-01-01 UTC. `step` is the path of a step (see `flowrt.core.path`).
The journal's order is the order in which the core applies records, live and on every later fold.
"""

from typing import Literal, TypeAlias

from flowrt.noun import noun
from flowrt.value import Blob, Handle, leaves


@noun
class Failure:
    """Why a step or a run failed.

    `type` is the name of the exception class as a traceback has it, such as `ValueError` or
    `shop.errors.Busy`; `caught` holds the import paths, of those that a retry policy or a `catch` around the
    step names, of classes that the exception is an instance of; `step` is where it arose first.
    """

    type: str
    message: str
    step: str = ""
    traceback: str = ""
    caught: tuple[str, ...] = ()


@noun
class Started:
    """The first record: the inputs of the run."""

    at: int
    inputs: tuple[tuple[str, Handle], ...]


@noun
class Succeeded:
    """A task's result: from here on the step is done."""

    step: str
    value: Handle
    attempt: int
    started_at: int
    ended_at: int


@noun
class Failed:
    """A step failed for good: no attempt is left, or it is not one that is tried again.

    `attempt` is 0 when the engine found that itself, in an expression or a `fail`: no task was called.
    """

    step: str
    failure: Failure
    attempt: int
    started_at: int
    ended_at: int


@noun
class Retrying:
    """An attempt failed and another follows at `retry_at`. `lost`: its worker was lost."""

    step: str
    failure: Failure
    attempt: int
    started_at: int
    ended_at: int
    retry_at: int
    lost: bool = False


@noun
class Begun:
    """The one attempt of a step that may be made at most once is about to be made."""

    step: str
    at: int


@noun
class Stopped:
    """A step that was told to stop has stopped without a result."""

    step: str
    at: int


@noun
class Computed:
    """The value of a pure step, or of a sample."""

    step: str
    value: Handle


@noun
class Decided:
    """What a condition came to."""

    step: str
    choice: bool


@noun
class Chosen:
    """Which case of a `switch` is the one, by its number from 0 on; -1: none."""

    step: str
    index: int


@noun
class Expanded:
    """A `for` knows its items: how many bodies there are, and its bounds (0: none given).

    A race knows how many branches it needs, and a loop with a computed `max` has it as `parallel`: both
    have no items.
    """

    step: str
    count: int
    parallel: int
    need: int
    batch: int


@noun
class Sleeping:
    """A timer is set: a sleep was reached, or a loop pauses."""

    step: str
    due_at: int


@noun
class Waiting:
    """A wait was reached. `key` is the text of the key; `due_at` its time-out, 0 for none."""

    step: str
    event: str
    key: str | None
    due_at: int


@noun
class Fired:
    """A timer went off: the sleep or pause is over, or the wait has timed out."""

    step: str
    at: int


@noun
class Received:
    """A wait took an event. `event_id` is its number in the store's inbox."""

    step: str
    event_id: int
    payload: Handle


@noun
class Entered:
    """An attempt of a block has begun; its time is up at `due_at`, 0 for no bound."""

    step: str
    attempt: int
    at: int
    due_at: int = 0


@noun
class Emitted:
    """An event was sent, in the same transaction as this record."""

    step: str
    event: str


@noun
class Detached:
    """A run of its own was made, in the same transaction as this record."""

    step: str
    run_id: str


@noun
class Queued:
    """A lock was asked for, in the same transaction as this record; at most `limit` bodies hold it.

    `lock` is the name by which the store knows it: with a key, `name(key)`.
    """

    step: str
    lock: str
    limit: int


@noun
class Locked:
    """The run has got the lock, and the body may begin."""

    step: str


@noun
class Unlocked:
    """The lock, or the place in the queue for it, was given back in the same transaction as this record."""

    step: str


@noun
class CancelRequested:
    """Somebody asked for the run to be cancelled; `force`: tasks are not given time to end by themselves."""

    at: int
    reason: str
    force: bool = False


@noun
class Reopened:
    """A failed run goes on: the records with these numbers count no more.

    `anew` are the prefixes of the paths of the sagas that had been undone: they are made anew, and the
    idempotency keys of their steps are new ones.
    """

    at: int
    voided: tuple[int, ...]
    anew: tuple[str, ...] = ()


TERMINATED = "flowrt.Terminated"
"""The failure of a run that was ended with steps open."""


@noun
class Ended:
    """The last record of a run."""

    at: int
    status: Literal["succeeded", "failed", "cancelled"]
    value: Handle | None
    failure: Failure | None


StepRecord: TypeAlias = (
    Succeeded
    | Failed
    | Retrying
    | Begun
    | Stopped
    | Computed
    | Decided
    | Expanded
    | Sleeping
    | Waiting
    | Fired
    | Received
    | Emitted
    | Chosen
    | Detached
    | Entered
    | Queued
    | Locked
    | Unlocked
)
Record: TypeAlias = Started | StepRecord | CancelRequested | Reopened | Ended


def digests_of(record: Record) -> list[str]:
    """The digests of the blobs that a record refers to."""
    match record:
        case Started(_, inputs):
            handles = [handle for _, handle in inputs]
        case Succeeded(_, value) | Computed(_, value) | Received(_, _, value):
            handles = [value]
        case Ended(_, _, value) if value is not None:
            handles = [value]
        case _:
            return []
    return [handle.digest for handle in leaves(handles) if isinstance(handle, Blob)]
