"""What travels between an executor and a worker: attempts in, bytes out; and outcomes the way back.

A batch must be cheap to send, for it is sent often. So what many attempts share (the task, the facts of
the run, the blob store) is pickled once, kept by identity, and named by number inside a job; an inline
value is its bytes and a list of values a tuple; and an element of a list is sent without the list. A task
is reduced to what a worker reads of it.
"""

import pickle
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, TypeAlias, cast

from flowrt.executor.port import Attempt, AttemptKey, Outcome, Returned, RunFacts
from flowrt.program import Task
from flowrt.store.port import Blobs
from flowrt.value import Blob, Element, Handle, Inline, Items, leaves

Wired: TypeAlias = "bytes | tuple[Wired, ...] | Handle"
"""A handle on its way: bytes for `Inline`, a tuple for `Items`."""

_KEPT_PICKLES = 4096
_SMALL = 100


class _Item(NamedTuple):
    """One attempt; the numbers point into the tables of the job."""

    task: int
    run: int
    code: int
    step: str
    attempt: int
    env: tuple[tuple[str, Wired], ...]
    timeout_s: float | None
    heartbeat_s: float | None
    times_anew: int
    catches: tuple[str, ...]
    state: "Wired | None"


class _Job(NamedTuple):
    """A batch; tables hold pickled objects, codes hold pickled callables."""

    name: str
    blobs: bytes
    tasks: tuple[bytes, ...]
    runs: tuple[bytes, ...]
    codes: tuple[bytes, ...]
    items: tuple[_Item, ...]


class Reply(NamedTuple):
    """The outcomes of the first attempts of a job; those after them were not begun.

    `kept` names the large results whose bytes come with the reply, with their sizes. `busy_s` is the time
    that the attempts took, `longest_s` that of the slowest, both without the import of callables.
    `printed`: the attempts wrote to stdout or stderr, and Ray will bring it.
    """

    outcomes: Sequence[Outcome]
    kept: Sequence[tuple[str, int]]
    busy_s: float
    longest_s: float
    printed: bool


class Packer:
    """Makes jobs; keeps the pickled form of what attempts share."""

    def __init__(self, blobs: Blobs) -> None:
        """Attempts will use `blobs`."""
        self._blobs = _pickled(blobs)
        # The object is kept beside its pickle: its id must not be given to another one.
        self._kept: dict[int, tuple[object, bytes]] = {}

    def job(self, name: str, attempts: Sequence[Attempt]) -> bytes:
        """The bytes of a job of that name that makes these attempts in this order."""
        tasks: dict[bytes, int] = {}
        runs: dict[bytes, int] = {}
        codes: dict[bytes, int] = {}
        items: list[_Item] = []
        for attempt in attempts:
            key = attempt.key
            items.append(
                _Item(
                    tasks.setdefault(self._shared(attempt.task), len(tasks)),
                    runs.setdefault(self._shared(attempt.run), len(runs)),
                    -1 if attempt.code is None else codes.setdefault(attempt.code, len(codes)),
                    key.step,
                    key.attempt,
                    tuple((name, _wired(handle)) for name, handle in attempt.env.items()),
                    attempt.timeout_s,
                    attempt.heartbeat_s,
                    attempt.times_anew,
                    attempt.catches,
                    None if attempt.state is None else _wired(attempt.state),
                )
            )
        job = _Job(name, self._blobs, tuple(tasks), tuple(runs), tuple(codes), tuple(items))
        return pickle.dumps(tuple(job), protocol=5)

    def _shared(self, thing: Task | RunFacts) -> bytes:
        known = self._kept.get(id(thing))
        if known is not None:
            return known[1]
        if len(self._kept) >= _KEPT_PICKLES:
            self._kept.clear()
        data = _pickled(_for_worker(thing))
        self._kept[id(thing)] = (thing, data)
        return data


def unpack_job(data: bytes) -> tuple[str, bytes, list[Attempt]]:
    """The name of a job, its pickled blob store and its attempts."""
    job = _Job(*pickle.loads(data))  # noqa: S301 - from our own driver
    attempts: list[Attempt] = []
    for item in (_Item(*item) for item in job.items):
        run = cast("RunFacts", unpickled(job.runs[item.run]))
        attempts.append(
            Attempt(
                AttemptKey(run.id, item.step, item.attempt, run.epoch),
                cast("Task", unpickled(job.tasks[item.task])),
                {name: _handle(wired) for name, wired in item.env},
                run,
                {},
                item.timeout_s,
                None if item.code < 0 else job.codes[item.code],
                item.heartbeat_s,
                item.times_anew,
                item.catches,
                None if item.state is None else _handle(item.state),
            )
        )
    return job.name, job.blobs, attempts


@lru_cache(maxsize=1024)
def unpickled(data: bytes) -> object:
    """The object of a pickle that comes again and again; never one that anybody changes."""
    return cast("object", pickle.loads(data))  # noqa: S301 - from our own driver


def pack_reply(reply: Reply) -> bytes:
    """The bytes of a reply."""
    outcomes = tuple(
        (
            _wired(outcome.value),
            outcome.started_at,
            outcome.ended_at,
            None if outcome.state is None else _wired(outcome.state),
        )
        if isinstance(outcome, Returned)
        else outcome
        for outcome in reply.outcomes
    )
    told = (outcomes, tuple(reply.kept), reply.busy_s, reply.longest_s, reply.printed)
    return pickle.dumps(told, protocol=5)


def unpack_reply(data: bytes) -> Reply:
    """The reply of those bytes."""
    reply = Reply(*pickle.loads(data))  # noqa: S301 - from our own worker
    outcomes: list[Outcome] = []
    for outcome in reply.outcomes:
        if isinstance(outcome, tuple):
            wired, started_at, ended_at, state = cast("tuple[Wired, int, int, Wired | None]", outcome)
            new_state = None if state is None else _handle(state)
            outcomes.append(Returned(_handle(wired), started_at, ended_at, new_state))
        else:
            outcomes.append(outcome)
    return reply._replace(outcomes=outcomes)


def blobs_of(env: Mapping[str, Handle]) -> list[Blob]:
    """The blobs that an environment is made of."""
    return [handle for handle in _leaves(env) if isinstance(handle, Blob)]


def size_of(env: Mapping[str, Handle]) -> int:
    """About how many bytes an environment is on its way."""
    return sum(len(handle.data) if isinstance(handle, Inline) else _SMALL for handle in _leaves(env))


def _leaves(env: Mapping[str, Handle]) -> Iterator[Handle]:
    """The recorded values that an environment is made of."""
    return leaves(map(_reduced, env.values()))


def _reduced(handle: Handle) -> Handle:
    """An element of a list that is known part by part, without the rest of the list."""
    if not isinstance(handle, Element) or not isinstance(handle.of, Items):
        return handle
    parts, index, batch = handle.of.parts, handle.index, handle.batch
    return Items(parts[index * batch : index * batch + batch]) if batch else parts[index]


def _wired(handle: Handle) -> Wired:
    reduced = _reduced(handle)
    match reduced:
        case Inline(data):
            return data
        case Items(parts):
            return tuple(_wired(part) for part in parts)
        case _:
            return reduced


def _handle(wired: Wired) -> Handle:
    if isinstance(wired, bytes):
        return Inline(wired)
    if isinstance(wired, tuple):
        return Items(tuple(_handle(part) for part in wired))
    return wired


def _for_worker(thing: Task | RunFacts) -> Task | RunFacts:
    if isinstance(thing, Task):
        return replace(thing, options=None, timeout=None, heartbeat=None, undo=None)
    return replace(thing, labels=dict(thing.labels), python_path=tuple(thing.python_path))


def _pickled(thing: object) -> bytes:
    try:
        return pickle.dumps(thing, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError):
        # Only for constants of hand-written graphs that plain pickle refuses.
        import cloudpickle  # type: ignore[import-untyped] # pyright: ignore[reportMissingTypeStubs] # noqa: PLC0415

        data: bytes = cloudpickle.dumps(thing, protocol=5)  # pyright: ignore[reportUnknownMemberType]
        return data
