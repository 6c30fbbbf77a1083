"""Drive: the verbs on runs, over a store: start one, drive it to its end.

start    a program and its inputs become a durable run (or are found to be one already)
drive    claim runs, fold their journals, and hand them to the engine until they end
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from flowrt.clock import Clock, WallClock
from flowrt.encoding.pack import decode_record, encode_program, encode_record, program_digest
from flowrt.encoding.values import Values
from flowrt.engine.active import ActiveRun
from flowrt.engine.called import modules_of
from flowrt.engine.data_only import refuse_pickled_code
from flowrt.engine.engine import Engine
from flowrt.engine.load import Loader, ObserverOf
from flowrt.engine.pace import PACE, Pace
from flowrt.errors import (
    BadInput,
    CodecError,
    RunExists,
    RunMismatch,
    RunOwned,
    StoreCorrupt,
    WrongEnvironment,
)
from flowrt.executor.port import Executor
from flowrt.interrupt import Interrupt, Interruption
from flowrt.program import Flow, Program
from flowrt.record import Ended, Failure, Started, digests_of
from flowrt.run_id import check_run_id, new_run_id
from flowrt.snapshot.versions import mismatches, refusal, versions_here
from flowrt.store.owner import alive, this_owner
from flowrt.store.port import Blobs, Store
from flowrt.store.rows import NewRun, RunRow, RunStatus, Slot
from flowrt.store.status import ENDED
from flowrt.value import Handle


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run stands after it was driven.

    `value` is there when it succeeded, `failure` when it failed, or was cancelled and an undo failed.
    """

    run_id: str
    flow: str
    status: RunStatus
    value: Handle | None = None
    failure: Failure | None = None


def start(  # noqa: PLR0913 - a run is all of these
    store: Store,
    blobs: Blobs,
    program: Program,
    inputs: Mapping[str, object],
    *,
    run_id: str | None,
    labels: Mapping[str, str],
    python_path: Sequence[str],
    served: bool = False,
    slot: Slot | None = None,
    snapshot: str | None = None,
    versions: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> str:
    """Create a run and return its id. One that is `served` is left to whoever serves the store.

    A run of that id that has the same program and inputs is the same run: its id is returned. With `slot`
    the cursor of its schedule is moved in the same transaction. `snapshot` is the digest of its code in
    `blobs`; `versions` are those that it is to go on with, when they are not those of this process.
    Raises BadRunId, BadInput, RunMismatch, SlotTaken, StoreError.
    """
    now = (clock or WallClock()).now()
    if run_id is not None:
        check_run_id(run_id)
    refuse_pickled_code(program)
    flow = program.flows[program.main]
    _check_names(flow, inputs)
    name = run_id or new_run_id(program.main, now)
    values = Values(blobs)
    handles = tuple((key, _recorded(values, key, inputs[key])) for key in sorted(inputs))
    first = Started(now, handles)
    new = NewRun(
        run_id=name,
        flow=program.main,
        program_digest=program_digest(program),
        program=encode_program(program),
        code=program.code,
        inputs_digest=_digest(handles),
        first=encode_record(first),
        labels={**dict(flow.labels), **labels},
        versions=versions_here(modules_of(program), python_path) if versions is None else versions,
        python_path=tuple(python_path),
        created_at=now,
        served=served,
        snapshot=snapshot,
        blobs=(*digests_of(first), *([] if snapshot is None else [snapshot])),
    )
    try:
        store.create(new, slot)
    except RunExists:
        _same_run(store.run(name), new)
    return name


def _recorded(values: Values, name: str, value: object) -> Handle:
    try:
        return values.record(value)
    except CodecError as error:
        raise BadInput(f"The input `{name}` cannot be recorded. {error}") from error


def _check_names(flow: Flow, inputs: Mapping[str, object]) -> None:
    declared = {one.name: one for one in flow.inputs}
    unknown = [name for name in inputs if name not in declared]
    missing = [name for name, one in declared.items() if one.default is None and name not in inputs]
    if unknown:
        known = ", ".join(f"`{name}`" for name in declared) or "none"
        raise BadInput(f"The flow `{flow.name}` has no input `{unknown[0]}`. Its inputs: {known}.")
    if missing:
        raise BadInput(f"The flow `{flow.name}` needs its input `{missing[0]}`, which has no default.")


def _digest(inputs: tuple[tuple[str, Handle], ...]) -> str:
    return hashlib.sha256(encode_record(Started(0, inputs))).hexdigest()


def _same_run(row: RunRow, new: NewRun) -> None:
    differ = [
        what
        for what, before, after in (
            ("another flow", row.flow, new.flow),
            ("another program", row.program_digest, new.program_digest),
            ("other inputs", row.inputs_digest, new.inputs_digest),
        )
        if before != after
    ]
    if differ:
        message = (
            f"Run {row.run_id} exists and has {' and '.join(differ)}. Take another id, or continue the "
            f"run as it is with `flowc resume {row.run_id}`."
        )
        raise RunMismatch(message)


def drive(  # noqa: PLR0913 - the parts of an engine, and what to do
    store: Store,
    blobs: Blobs,
    executor: Executor,
    run_ids: Sequence[str],
    *,
    observer: ObserverOf | None = None,
    interrupt: Interruption | None = None,
    reopen: bool = False,
    anew: Mapping[str, str] | None = None,
    any_version: bool = False,
    clock: Clock | None = None,
    pace: Pace = PACE,
) -> dict[str, RunResult]:
    """Drive runs to their ends, or until `interrupt` is set: then they are suspended.

    A run that has ended gives its recorded result and nothing runs; with `reopen`, one that failed goes
    on behind its failure, with the code of the snapshot that `anew` names for it. Without `any_version` a
    run that was started in another environment is refused before it is touched. The executor is started
    only when there is something to do, and is left open.
    Raises UnknownRun, RunOwned, WrongEnvironment, StoreError.
    """
    clock = clock or WallClock()
    interrupt = interrupt or Interrupt()
    rows = {run_id: store.run(run_id) for run_id in run_ids}
    over = {i for i, row in rows.items() if row.status in ENDED and not (reopen and row.status == "failed")}
    results = {run_id: recorded_result(store, rows[run_id]) for run_id in over}
    to_do = [run_id for run_id in run_ids if run_id not in over]
    if to_do:
        if not any_version:
            _check_environment(rows[run_id] for run_id in to_do)
        claimed = _claim(store, to_do, clock, pace)
        try:
            for run_id, digest in (anew or {}).items():
                if run_id in claimed:
                    store.reopen(run_id, claimed[run_id], rows[run_id].python_path, digest, b"")
            loader = Loader(store, clock)
            runs = [
                loader.load(
                    store.run(run_id), epoch, observer=observer(run_id) if observer else None, reopen=reopen
                )
                for run_id, epoch in claimed.items()
            ]
            engine = Engine(store, blobs, executor, clock, pace)
        except BaseException:
            for run_id, epoch in claimed.items():
                store.release(run_id, epoch, None if rows[run_id].served else "suspended", wake_at=0)
            raise
        results |= _run(engine, runs, interrupt)
    return {run_id: results[run_id] for run_id in run_ids}


def _check_environment(rows: Iterable[RunRow]) -> None:
    for row in rows:
        told = mismatches(row)
        if told:
            raise WrongEnvironment(refusal(row.run_id, told))


def _run(engine: Engine, runs: list[ActiveRun], interrupt: Interruption) -> dict[str, RunResult]:
    try:
        for run in runs:
            engine.add(run)
        engine.run(interrupt)
    finally:
        engine.suspend()
    for run in runs:
        if run.run_id in engine.superseded:
            message = f"Run {run.run_id} was taken over by another process; nothing of this one is kept."
            raise RunOwned(message)
        if run.run_id in engine.runs.broken:
            raise engine.runs.broken[run.run_id]
    return {run.run_id: _result(run.run_id, run.facts.flow, engine.finished.get(run.run_id)) for run in runs}


def _result(run_id: str, flow: str, ended: Ended | None) -> RunResult:
    if ended is None:
        return RunResult(run_id, flow, "suspended")
    return RunResult(run_id, flow, ended.status, ended.value, ended.failure)


def recorded_result(store: Store, row: RunRow) -> RunResult:
    """The result of a run that has ended. Raises StoreCorrupt."""
    for line in store.journal(row.run_id, row.head - 1):
        record = decode_record(line.data)
        if isinstance(record, Ended):
            return _result(row.run_id, row.flow, record)
    message = f"Run {row.run_id} is {row.status}, and its journal does not end with a result."
    raise StoreCorrupt(message)


def _claim(store: Store, run_ids: list[str], clock: Clock, pace: Pace) -> dict[str, int]:
    owner = this_owner()
    claimed: dict[str, int] = {}
    try:
        for run_id in run_ids:
            now = clock.now()
            claimed[run_id] = store.claim(run_id, owner, now, now + pace.lease_us)
    except BaseException:
        for run_id, epoch in claimed.items():
            store.release(run_id, epoch, wake_at=0)
        raise
    return claimed


def owned(row: RunRow, now: int) -> bool:
    """Whether a run has an owner that is alive, as far as can be known."""
    return row.owner is not None and row.lease_until > now and alive(row.owner) is not False
