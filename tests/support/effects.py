"""Effects: what tasks themselves saw, in a file that no engine writes, and what a journal must agree with.

In a task: `effect(file, inputs, work)` appends a line when it starts and one when it is about to return,
each with O_APPEND and fsync, and gives the result as a *made* value: a dict that carries its maker and a
nonce. A value that was made twice therefore differs from itself, and a consumer's line says whose result
it was given, and which. `plain` takes the makers off again.

    {"phase": "start", "run", "step", "attempt", "epoch", "at", "pid", "inputs": [[maker, digest], ...]}
    {"phase": "end",   "run", "step", "attempt", "epoch", "at", "pid", "output": digest}

Afterwards: `violations(read_effects(file), journal_of(store, blobs, run))` holds the two against each
other, and yields a sentence for each breach of these rules:

    one record        no step has two records that settle it, nor two of the same kind
    the same bytes    what a consumer was given is what its producer's record holds
    durable first     what a consumer was given has a record, and it stands before the consumer's own
    no phantom        what is recorded was started, under that attempt and epoch, and ended with that value
    nothing behind    no attempt starts after the step's record was made
    bounded           an attempt starts once under an epoch; attempts are numbered without a gap
    epochs            never go back in the journal
    at most once      a step whose intent is recorded (`retry: never`) starts once
    taken back        an undo is of a step that is recorded as done, and is begun behind that; in a body that
                      failed every step whose name begins with `booked` has one, the newest first; in one that
                      did not fail none has
"""

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import flowrt

MADE = {"value", "by", "nonce"}
OUTSIDE = "@"
"""The maker of what came in an event begins with this, and is no step."""


UNDO = ".undo"
"""The path of an undo ends with this."""


# In tasks


def effect(file: str | Path, inputs: Sequence[object], work: Callable[[], object]) -> dict[str, object]:
    """Do `work` between two lines in the effects file, and give its result as a made value."""
    note(file, phase="start", inputs=sorted(makers(inputs)))
    result = made(work(), flowrt.current().step)
    note(file, phase="end", output=digest(result))
    return result


def made(value: object, by: str) -> dict[str, object]:
    """A value under its maker, unlike every other one."""
    return {"value": value, "by": by, "nonce": uuid4().hex}


def note(file: str | Path, **facts: object) -> None:
    """Append one durable line about the attempt that this code runs in."""
    context = flowrt.current()
    append(
        file,
        run=context.run_id,
        step=context.step,
        attempt=context.attempt,
        epoch=context.fence,
        **facts,
    )


def append(file: str | Path, **facts: object) -> None:
    """Append one durable line."""
    line = json.dumps({**facts, "at": time.time_ns() // 1000, "pid": os.getpid()}) + "\n"
    opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(opened, line.encode())
        os.fsync(opened)
    finally:
        os.close(opened)


def plain(value: object) -> object:
    """A value, and all that it holds, without makers."""
    match value:
        case dict() if value.keys() == MADE:
            return plain(value["value"])
        case dict():
            return {key: plain(one) for key, one in value.items()}
        case list() | tuple():
            return [plain(one) for one in value]
        case _:
            return value


def makers(value: object) -> set[tuple[str, str]]:
    """Who made a value, or parts of it, and the digest of what each one made."""
    match value:
        case dict() if value.keys() == MADE:
            return {(str(value["by"]), digest(value))}
        case dict():
            return set().union(*map(makers, value.values()))
        case list() | tuple():
            return set().union(*map(makers, value))
        case _:
            return set()


def digest(value: object) -> str:
    """A digest of a value of data."""
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


# Afterwards


@dataclass(frozen=True)
class Effect:
    """A line of the effects file."""

    phase: str
    run: str
    step: str
    attempt: int
    epoch: int
    at: int
    pid: int
    inputs: tuple[tuple[str, str], ...] = ()
    output: str = ""

    @property
    def key(self) -> tuple[str, int, int]:
        return self.step, self.attempt, self.epoch


@dataclass(frozen=True)
class Line:
    """A record of a journal; `value` is the digest of its value, for what tasks and events gave.

    `voided`: it counts no more, since the run was reopened, and only says which attempts there were.
    """

    seq: int
    epoch: int
    record: object
    value: str = ""
    voided: bool = False


def read_effects(file: str | Path) -> list[Effect]:
    """The lines of an effects file. One that a kill has cut off was never said."""
    path = Path(file)
    effects = []
    for text in path.read_text().splitlines() if path.exists() else ():
        try:
            facts = json.loads(text)
        except ValueError:
            continue
        facts["inputs"] = tuple((maker, value) for maker, value in facts.get("inputs", ()))
        effects.append(Effect(**facts))
    return effects


def journal_of(store: object, blobs: object, run_id: str) -> list[Line]:
    """The journal of a run, with digests of its values; of what was voided only lost attempts."""
    from flowrt.encoding.pack import decode_record  # noqa: PLC0415 - tasks need none of it
    from flowrt.encoding.values import Values  # noqa: PLC0415
    from flowrt.record import Received, Reopened, Retrying, Succeeded  # noqa: PLC0415

    values = Values(blobs)
    lines = []
    for row in store.journal(run_id):
        record = decode_record(row.data)
        value = ""
        match record:
            case Succeeded():
                value = digest(values.load(record.value))
            case Received():
                value = digest(values.load(record.payload))
        lines.append(Line(row.seq, row.epoch, record, value))
    voided = {seq for line in lines if isinstance(line.record, Reopened) for seq in line.record.voided}
    return [
        replace(line, voided=line.seq in voided)
        for line in lines
        if line.seq not in voided or (isinstance(line.record, Retrying) and line.record.lost)
    ]


SETTLING = frozenset(
    {"Succeeded", "Failed", "Stopped", "Computed", "Decided", "Expanded", "Fired", "Received", "Emitted"}
)


def violations(
    effects: Sequence[Effect], journal: Sequence[Line], *, superseded: bool = False, remade: int = 0
) -> Iterator[str]:
    """A sentence for each rule of the head of this file that one run breaks.

    With `superseded`, engines may have been alive that did not know yet that another one had their run:
    what they had been about to start may start behind the record that the other one made. An attempt may
    have been `remade` so often: because a worker was lost that had it in one batch with others.
    """
    every, journal = journal, [line for line in journal if not line.voided]
    epochs = [line.epoch for line in journal]
    if epochs != sorted(epochs):
        yield "epochs go back in the journal"
    yield from _twice_recorded(journal)
    recorded = {line.record.step: line for line in journal if type(line.record).__name__ == "Succeeded"}
    yield from _phantoms(effects, recorded)
    yield from _inputs(effects, journal, recorded)
    yield from _begun_behind(effects, journal, superseded=superseded)
    yield from _unbounded(effects, every, 1 + remade)
    yield from _more_than_once(effects, journal)
    yield from _taken_back(effects, journal, recorded)


def _twice_recorded(journal: Sequence[Line]) -> Iterator[str]:
    """Timers of a block do not settle it: each bound and each pause of it fires once.

    Each attempt of a call of an actor's method has a turn of its own.
    """
    kinds: Counter[tuple[str, ...]] = Counter()
    timers: Counter[str] = Counter()
    for line in journal:
        kind, step = type(line.record).__name__, getattr(line.record, "step", "")
        attempt = str(line.record.attempt) if kind in ("Retrying", "Entered") else ""
        timers[step] += bool(attempt)
        of_block = kind == "Fired" and timers[step] > 0
        of_turn = kind in ("Queued", "Locked")
        if kind == "Reopened":  # As often as somebody goes on with it.
            continue
        kinds[kind, step, str(timers[step]) if of_block or of_turn else attempt] += 1
        if kind in SETTLING and not of_block:
            kinds["settling", step] += 1
    for (kind, step, *_), count in kinds.items():
        if count > 1:
            yield f"{step or 'the run'} has {count} {kind} records"


def _phantoms(effects: Sequence[Effect], recorded: dict[str, Line]) -> Iterator[str]:
    ended = {(*effect.key, effect.output) for effect in effects if effect.phase == "end"}
    started = {effect.key for effect in effects if effect.phase == "start"}
    for step, line in recorded.items():
        if not line.record.attempt:
            continue  # Taken over from another run, which has made it.
        key = step, line.record.attempt, line.epoch
        if key not in started:
            yield f"{step} is recorded for attempt {key[1]} of epoch {key[2]}, which never started"
        elif (*key, line.value) not in ended:
            yield f"{step} is recorded with another value than its attempt gave"


def _inputs(effects: Sequence[Effect], journal: Sequence[Line], recorded: dict[str, Line]) -> Iterator[str]:
    events = {line.value for line in journal if type(line.record).__name__ == "Received"}
    for effect in effects:
        own = recorded.get(effect.step)
        for maker, value in effect.inputs:
            if maker.startswith(OUTSIDE):
                if value not in events:
                    yield f"{effect.step} was given an event that no record holds"
                continue
            producer = recorded.get(maker)
            if producer is None:
                yield f"{effect.step} was given a result of {maker} that is not recorded"
            elif producer.value != value:
                yield f"{effect.step} was given another result of {maker} than the recorded one"
            elif own is not None and own.seq < producer.seq:
                yield f"{effect.step} is recorded before {maker}, whose result it used"


def _begun_behind(effects: Sequence[Effect], journal: Sequence[Line], *, superseded: bool) -> Iterator[str]:
    settled = {
        line.record.step: line for line in journal if type(line.record).__name__ in ("Succeeded", "Failed")
    }
    for effect in effects:
        line = settled.get(effect.step)
        if effect.phase != "start" or line is None or (superseded and effect.epoch < line.epoch):
            continue
        if effect.at > line.record.ended_at:
            yield f"{effect.step} began again (attempt {effect.attempt}) after its record was made"


def _more_than_once(effects: Sequence[Effect], journal: Sequence[Line]) -> Iterator[str]:
    starts = Counter(effect.step for effect in effects if effect.phase == "start")
    for line in journal:
        if type(line.record).__name__ == "Begun" and starts[line.record.step] > 1:
            yield f"{line.record.step} may be made once, and started {starts[line.record.step]} times"


def _taken_back(
    effects: Sequence[Effect], journal: Sequence[Line], recorded: dict[str, Line]
) -> Iterator[str]:
    """What undos did, in sagas whose steps stand side by side."""
    for effect in effects:
        done = recorded.get(effect.step.removesuffix(UNDO))
        if effect.phase == "start" and effect.step.endswith(UNDO):
            if done is None:
                yield f"{effect.step} undoes what is not recorded as done"
            elif effect.at < done.record.ended_at:
                yield f"{effect.step} began before what it undoes was done"
    if not any(type(line.record).__name__ == "Ended" for line in journal):
        return
    failed = {_body(line.record.step) for line in journal if type(line.record).__name__ == "Failed"}
    bodies: dict[str, list[str]] = {}
    for step in sorted(recorded, key=lambda step: recorded[step].seq):
        if step.rpartition(".")[2].startswith("booked"):
            bodies.setdefault(_body(step), []).append(step + UNDO)
    for body, wanted in bodies.items():
        undone = [step for step in recorded if step.endswith(UNDO) and _body(step.removesuffix(UNDO)) == body]
        undone.sort(key=lambda step: recorded[step].seq)
        if undone != (wanted[::-1] if body in failed else []):
            yield f"{body} has {wanted} to undo if it failed ({body in failed}), and undid {undone}"


def _body(step: str) -> str:
    return step.rpartition(".")[0]


def _unbounded(effects: Sequence[Effect], journal: Sequence[Line], most: int) -> Iterator[str]:
    starts = Counter(effect.key for effect in effects if effect.phase == "start")
    yield from (
        f"{step} started {count} times as attempt {attempt} of epoch {epoch}"
        for (step, attempt, epoch), count in starts.items()
        if count > most
    )
    attempts: dict[str, set[int]] = {}
    for step, attempt, _ in starts:
        attempts.setdefault(step, set()).add(attempt)
    for line in journal:  # One that was lost may have been lost on its way to a worker.
        if type(line.record).__name__ == "Retrying" and line.record.lost and line.record.step in attempts:
            attempts[line.record.step].add(line.record.attempt)
    for step, numbers in attempts.items():
        if max(numbers) != len(numbers):
            yield f"{step} has attempts {sorted(numbers)}"
