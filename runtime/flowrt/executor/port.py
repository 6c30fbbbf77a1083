"""The port of an executor: it makes attempts and reports each one's outcome, once, from any thread.

An executor knows nothing of programs, journals or retries. It never raises for what a task does.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from flowrt.noun import noun
from flowrt.program import Task
from flowrt.record import Failure
from flowrt.store.port import Blobs
from flowrt.value import Handle


class AttemptKey(NamedTuple):
    """Names an attempt among all that an executor was ever given.

    The epoch is part of the name: an engine that loses a run and takes it again may make an attempt anew
    while the one of before is still being stopped.
    """

    run_id: str
    step: str
    attempt: int
    epoch: int = 0


@noun
class RunFacts:
    """What `run` is in expressions, and what every attempt of a run has in common.

    `started_at` is in microseconds since 1970-01-01 UTC. `python_path` is put in front of the worker's
    `sys.path`. `snapshot` is the digest of the packed code that takes the place of `python_path` in
    workers (see `flowrt.snapshot`). Without `allow_pickle` values are data or are refused.
    """

    id: str
    flow: str
    started_at: int
    labels: Mapping[str, str]
    epoch: int
    python_path: Sequence[str]
    snapshot: str | None = None
    allow_pickle: bool = True


@noun
class Attempt:
    """One attempt to be made.

    `env` holds the names that the task's argument expressions read. `options` are Ray's own. `code` is
    the pickled callable of a `Pickled` callee, else None. `timeout_s` bounds the attempt from the
    moment it starts in a worker, `heartbeat_s` the time without a `flowrt.heartbeat()` in it. `times_anew`
    is how often the saga around the step was undone and begun anew. `catches` are the import paths of
    exception classes that are asked for around the step: what it raises is compared with them where it lives.
    `state` is that of the object whose method is called, None for an object that is not there yet.
    """

    key: AttemptKey
    task: Task
    env: Mapping[str, Handle]
    run: RunFacts
    options: Mapping[str, object]
    timeout_s: float | None = None
    code: bytes | None = None
    heartbeat_s: float | None = None
    times_anew: int = 0
    catches: tuple[str, ...] = ()
    state: Handle | None = None

    @property
    def asked_for(self) -> tuple[str, ...]:
        """The exception classes that what it raises is compared with: those of its retry policy too."""
        retry = self.task.retry
        return self.catches if retry is None else (*self.catches, *retry.catch, *retry.unless)


@noun
class Returned:
    """The attempt returned: its result, encoded, and in the blob store when it is large.

    `state` is what the call has made of the object whose method it was of.
    """

    value: Handle
    started_at: int
    ended_at: int
    state: Handle | None = None


@noun
class Raised:
    """The attempt raised, was not importable, timed out, or its result could not be encoded.

    `retryable` is false for what no new attempt can change within this run's environment: the callable
    cannot be imported, a BaseException such as SystemExit, a result that cannot be encoded.
    """

    failure: Failure
    started_at: int
    ended_at: int
    retryable: bool = True


@noun
class Lost:
    """The worker or node was lost, or the executor could not start the attempt for its own reasons."""

    reason: str


@noun
class Halted:
    """The attempt was stopped on request and has ended, or never started."""


Outcome: TypeAlias = Returned | Raised | Lost | Halted
Report: TypeAlias = Callable[[AttemptKey, Outcome], None]


class Executor(Protocol):
    """Makes attempts."""

    def start(self, report: Report, blobs: Blobs) -> None:
        """Begin; `report` may be called from any thread, exactly once for each attempt submitted."""
        ...

    def submit(self, attempts: Sequence[Attempt]) -> None:
        """Take attempts on; never blocks on their work, keeps a queue of what does not fit yet."""
        ...

    def stop(self, key: AttemptKey, *, force: bool) -> None:
        """Stop an attempt: cooperatively, or by force. The outcome is reported in either case."""
        ...

    def close(self) -> None:
        """Stop everything by force without further reports and let go of what was started."""
        ...
