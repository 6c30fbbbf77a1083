"""Drive: the verbs on runs, over a store: start one, drive it to its end, cancel it.

start    a program and its inputs become a durable run (or are found to be one already)
drive    claim runs, fold their journals, and hand them to the engine until they end
cancel   note durably that a run is to be cancelled
"""

import hashlib
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from threading import Event

from flowrt.clock import Clock, WallClock
from flowrt.encoding.pack import decode_program, decode_record, encode_program, encode_record, program_digest
from flowrt.encoding.values import Values
from flowrt.engine.active import ActiveRun
from flowrt.engine.engine import PACE, Engine, Pace
from flowrt.engine.fold import Folded, fold
from flowrt.errors import BadInput, FlowrtError, RunExists, RunMismatch, RunOwned, StoreCorrupt
from flowrt.executor.port import Executor, RunFacts
from flowrt.observer import Observer
from flowrt.program import Flow, Program
from flowrt.record import Ended, Failure, Reopened, Started
from flowrt.run_id import check_run_id, new_run_id
from flowrt.store.owner import alive, this_owner
from flowrt.store.port import Blobs, NewRun, RunRow, RunStatus, Store
from flowrt.store.status import ENDED
from flowrt.value import Handle

ObserverOf = Callable[[str], Observer]


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run stands after it was driven. `value` is there when it succeeded, `failure` when it failed."""

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
    clock: Clock | None = None,
) -> str:
    """Create a run and return its id.

    A run of that id that has the same program and inputs is the same run: its id is returned.
    Raises BadRunId, BadInput, RunMismatch, StoreError.
    """
    now = (clock or WallClock()).now()
    if run_id is not None:
        check_run_id(run_id)
    flow = program.flows[program.main]
    _check_names(flow, inputs)
    name = run_id or new_run_id(program.main, now)
    values = Values(blobs)
    handles = tuple((key, values.record(inputs[key])) for key in sorted(inputs))
    new = NewRun(
        run_id=name,
        flow=program.main,
        program_digest=program_digest(program),
        program=encode_program(program),
        code=program.code,
        inputs_digest=_digest(handles),
        first=encode_record(Started(now, handles)),
        labels={**dict(flow.labels), **labels},
        versions=_versions(),
        python_path=tuple(python_path),
        created_at=now,
    )
    try:
        store.create(new)
    except RunExists:
        _same_run(store.run(name), new)
    return name


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


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in ("flowc", "ray"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def drive(  # noqa: PLR0913 - the parts of an engine, and what to do
    store: Store,
    blobs: Blobs,
    executor: Executor,
    run_ids: Sequence[str],
    *,
    observer: ObserverOf | None = None,
    interrupt: Event | None = None,
    reopen: bool = False,
    clock: Clock | None = None,
    pace: Pace = PACE,
) -> dict[str, RunResult]:
    """Drive runs to their ends, or until `interrupt` is set: then they are suspended.

    A run that has ended gives its recorded result and nothing runs; with `reopen`, one that failed goes
    on behind its failure. The executor is started only when there is something to do, and is left open.
    Raises UnknownRun, RunOwned, StoreError.
    """
    clock = clock or WallClock()
    interrupt = interrupt or Event()
    rows = {run_id: store.run(run_id) for run_id in run_ids}
    over = {i for i, row in rows.items() if row.status in ENDED and not (reopen and row.status == "failed")}
    results = {run_id: recorded_result(store, rows[run_id]) for run_id in over}
    to_do = [run_id for run_id in run_ids if run_id not in over]
    if to_do:
        claimed = _claim(store, to_do, clock, pace)
        try:
            runs = [_load(store, i, epoch, clock, observer, reopen=reopen) for i, epoch in claimed.items()]
            engine = Engine(store, blobs, executor, clock, pace)
        except BaseException:
            for run_id, epoch in claimed.items():
                store.release(run_id, epoch, "suspended")
            raise
        results |= _run(engine, runs, interrupt)
    return {run_id: results[run_id] for run_id in run_ids}


def _run(engine: Engine, runs: list[ActiveRun], interrupt: Event) -> dict[str, RunResult]:
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
            store.release(run_id, epoch)
        raise
    return claimed


def _load(
    store: Store, run_id: str, epoch: int, clock: Clock, observer: ObserverOf | None, *, reopen: bool
) -> ActiveRun:
    row = store.run(run_id)
    program = decode_program(store.program(row.program_digest))
    watch = observer(run_id) if observer else None
    folded = fold(store, run_id, program, None if reopen else watch)
    notes: list[Reopened] = []
    if reopen and folded.state.ended is not None and folded.state.ended.status == "failed":
        notes.append(Reopened(clock.now(), folded.undone_by_reopening))
        folded = fold(store, run_id, program, watch, also_void=folded.undone_by_reopening)
    return _active(row, epoch, program, folded, notes)


def _active(
    row: RunRow, epoch: int, program: Program, folded: Folded, notes: Sequence[Reopened]
) -> ActiveRun:
    started = folded.state.started
    assert started is not None, "a journal begins with Started"
    facts = RunFacts(row.run_id, row.flow, started.at, row.labels, epoch, row.python_path)
    run = ActiveRun(
        run_id=row.run_id,
        epoch=epoch,
        program=program,
        facts=facts,
        state=folded.state,
        head=folded.head,
        status=row.status,
        cancel_reason=row.cancel_reason,
    )
    for note in notes:
        run.note(note)
    return run


def cancel(store: Store, run_id: str, reason: str, *, clock: Clock | None = None) -> bool:
    """Note durably that a run is to be cancelled.

    True when a live owner will carry it out; False when nobody owns the run: drive it to carry it out.
    Raises UnknownRun, and FlowrtError when the run has ended already.
    """
    row = store.run(run_id)
    if row.status in ENDED:
        message = f"Run {run_id} has ended already: it {_ended_how(row.status)}."
        raise FlowrtError(message)
    store.request_cancel(run_id, reason)
    return owned(row, (clock or WallClock()).now())


def _ended_how(status: RunStatus) -> str:
    return "was cancelled" if status == "cancelled" else status


def owned(row: RunRow, now: int) -> bool:
    """Whether a run has an owner that is alive, as far as can be known."""
    return row.owner is not None and row.lease_until > now and alive(row.owner) is not False
