"""The Python face of flowrt: run a bind graph durably, continue a run, look at it, tell it something.

In: Ray graphs (or programs), ids of runs. Out: values. A store is named by its URL; without one it is
what `FLOWC_STORE` says, else the directory `.flowc` in the current directory.
"""

import logging
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flowrt.amounts import event_dedupe, event_key, event_name
from flowrt.clock import WallClock
from flowrt.encoding.values import Values
from flowrt.engine.cancelling import cancel as note_cancel
from flowrt.engine.cancelling import has_undos
from flowrt.engine.drive import RunResult, drive, recorded_result, start
from flowrt.engine.terminating import terminate as end_at_once
from flowrt.errors import BadInput, FlowrtError, RunCancelled, RunFailed
from flowrt.executor.callee import put_first
from flowrt.executor.lazy import LazyExecutor
from flowrt.executor.port import Executor
from flowrt.program import Program
from flowrt.run_id import check_run_id
from flowrt.snapshot.anew import Anew, packed_anew
from flowrt.snapshot.cache import code_folders, keep
from flowrt.snapshot.pack import NotPacked, pack
from flowrt.store.blobs import MemoryBlobs
from flowrt.store.opened import opened as opened_store
from flowrt.store.port import Blobs, Store
from flowrt.store.rows import NewEvent
from flowrt.store.status import ENDED
from flowrt.view import step_value
from flowrt.why.mending import way_out

_LOG = logging.getLogger("flowrt")

ExecutorChoice = Literal["ray", "local"] | Executor


@dataclass(frozen=True, slots=True)
class _Again:
    """How a run goes on: as `flowrt.engine.drive.drive` has it."""

    failed: bool = False
    anew: str | None = None
    any_version: bool = False


def run(
    dag: object,
    *args: object,
    run_id: str | None = None,
    store: str | Path | None = None,
    executor: ExecutorChoice = "ray",
    labels: Mapping[str, str] | None = None,
    **kwargs: object,
) -> object:
    """Run a Ray bind graph, or a program, durably to its end and return its result.

    `args` and `kwargs` are the values of the graph's `InputNode`, or the inputs of a program. A run of
    `run_id` that exists with the same program and inputs is continued; one that has ended gives its
    recorded result, and nothing runs again.

    Raises:
        RunFailed: the run failed; it stays resumable (`resume(run_id, failed=True)`).
        RunCancelled: the run was cancelled.
        UnsupportedGraph: the graph holds something that cannot run durably.
        RunMismatch: a run of that id has another program or other inputs.
        RunOwned: another live process owns the run.
        StoreError: the store cannot be used.
    """
    program, inputs, python_path = _program(dag, args, kwargs)
    with _opened(store) as (opened, blobs):
        name = start(
            opened,
            blobs,
            program,
            inputs,
            run_id=run_id,
            labels=labels or {},
            python_path=python_path,
            snapshot=_packed(python_path, blobs),
        )
        return _driven(opened, blobs, name, executor)


def resume(
    run_id: str,
    *,
    store: str | Path | None = None,
    executor: ExecutorChoice = "ray",
    failed: bool = False,
    recorded_code: bool = False,
    any_version: bool = False,
) -> object:
    """Continue a run after a crash or an interruption, and with `failed` also behind a failure.

    A run goes on with the code that was packed when it was started, wherever its folders are. One that
    failed takes the code of these folders, if they are here, unless `recorded_code` is asked for.

    Returns and raises as `run` does; UnknownRun when there is no such run, WrongEnvironment when it was
    started with another minor version of Python, a newer Ray, or a package that is missing here, unless
    `any_version` is asked for.
    """
    check_run_id(run_id)
    with _opened(store, create=False) as (opened, blobs):
        anew: str | None = None
        if failed and not recorded_code and opened.run(run_id).status == "failed":
            found = packed_anew(opened.run(run_id), blobs)
            anew = found.snapshot if isinstance(found, Anew) else None
        return _driven(opened, blobs, run_id, executor, _Again(failed, anew, any_version))


def output(run_id: str, step: str | None = None, *, store: str | Path | None = None) -> object:
    """The recorded result of a run that has succeeded, or of one of its steps.

    Raises UnknownRun, UnknownStep, RunFailed, RunCancelled; FlowrtError when the run has not ended.
    """
    check_run_id(run_id)
    with _opened(store, create=False) as (opened, blobs):
        if step is not None:
            return Values(blobs).load(step_value(opened, run_id, step))
        row = opened.run(run_id)
        if row.status not in ENDED:
            message = f"Run {run_id} has not ended; continue it with `flowc resume {run_id}`."
            raise FlowrtError(message)
        return _value(recorded_result(opened, row), opened, blobs)


def send(
    event: str,
    payload: object = None,
    *,
    key: str | int | None = None,
    run: str | None = None,
    dedupe: str | None = None,
    store: str | Path | None = None,
) -> int:
    """Send an event; when this returns, it is durable. Returns its number.

    `run` addresses it to one run. A second event with the same `dedupe` is acknowledged and dropped.
    """
    if run is not None:
        check_run_id(run)
    with _opened(store) as (opened, blobs):
        return opened.send(
            NewEvent(
                name=event_name(event),
                key=None if key is None else event_key(key),
                payload=Values(blobs).encode(payload),
                at=WallClock().now(),
                run_id=run,
                dedupe=None if dedupe is None else event_dedupe(dedupe),
            )
        )


def cancel(
    run_id: str,
    *,
    reason: str = "",
    force: bool = False,
    store: str | Path | None = None,
    executor: ExecutorChoice = "ray",
) -> None:
    """Have a run cancelled: by its owner when it has a live one, else here and now.

    With `force` its tasks are not given time to end by themselves. `executor` runs what undoes its sagas;
    without anything to undo it is not started.
    Raises UnknownRun, FlowrtError when the run has ended already; WrongEnvironment when something is to be
    undone and this is not the environment for it: whoever resumes the run does it.
    """
    check_run_id(run_id)
    with _opened(store, create=False) as (opened, blobs):
        if not note_cancel(opened, run_id, reason, force=force):
            undoes = has_undos(opened, run_id)
            _drive(opened, blobs, run_id, executor if undoes else "local", _Again(any_version=not undoes))


def terminate(run_id: str, *, reason: str = "", store: str | Path | None = None) -> None:
    """End a run at once, whoever has it: nothing is undone, and no `finally` runs.

    For a run that `cancel` does not end, since something in it hangs, or that nobody can go on with.
    Raises UnknownRun, FlowrtError when the run has ended already.
    """
    check_run_id(run_id)
    with _opened(store, create=False) as (opened, _):
        end_at_once(opened, run_id, reason)


def _program(
    dag: object, args: tuple[object, ...], kwargs: Mapping[str, object]
) -> tuple[Program, Mapping[str, object], Sequence[str]]:
    """The program, its inputs, and where its callables are imported from."""
    here = _here()
    if isinstance(dag, Program):
        if args:
            raise TypeError("The inputs of a program are given by name.")
        return dag, kwargs, here
    from flowrt.graph.read_dag import INPUT, python_path_of, read_dag  # noqa: PLC0415 - imports Ray

    program, inputs = read_dag(dag)
    python_path = python_path_of(dag) or here
    if not args and not kwargs:
        return program, inputs, python_path
    if INPUT not in (declared.name for declared in program.flows[program.main].inputs):
        raise BadInput("The graph has no InputNode, and takes no inputs.")
    return program, {INPUT: _graph_input(args, kwargs)}, python_path


def _here() -> tuple[str, ...]:
    """The folder of the script that runs, and the current one; a command's script is nobody's code."""
    script: object = getattr(sys.modules.get("__main__"), "__file__", None)
    folders = [str(Path.cwd())]
    if isinstance(script, str) and script.endswith(".py") and "site-packages" not in script:
        folders.insert(0, str(Path(script).resolve().parent))
    return tuple(dict.fromkeys(folders))


def _graph_input(args: tuple[object, ...], kwargs: Mapping[str, object]) -> object:
    """What an InputNode stands for: the one value, or what `inp[0]` and `inp.name` read."""
    if len(args) == 1 and not kwargs:
        return args[0]
    values: dict[object, object] = dict(enumerate(args))
    values.update(kwargs)
    return values


@contextmanager
def _opened(url: str | Path | None, *, create: bool = True) -> Generator[tuple[Store, Blobs], None, None]:
    store, blobs = opened_store(str(url or os.environ.get("FLOWC_STORE") or ".flowc"), create=create)
    try:
        yield store, blobs
    finally:
        store.close()


def _packed(python_path: Sequence[str], blobs: Blobs) -> str | None:
    """The digest of the code that a run is imported from, in the blob store; None without a snapshot."""
    if isinstance(blobs, MemoryBlobs):
        return None  # It ends with this process, which has the code.
    packed = pack(python_path)
    if isinstance(packed, NotPacked):
        where = " and ".join(python_path)
        _LOG.warning("The code is not packed: %s. The run can go on only with %s.", packed.reason, where)
    return keep(packed, blobs)


def _driven(
    store: Store, blobs: Blobs, run_id: str, choice: ExecutorChoice, again: _Again | None = None
) -> object:
    return _value(_drive(store, blobs, run_id, choice, again or _Again()), store, blobs)


def _drive(store: Store, blobs: Blobs, run_id: str, choice: ExecutorChoice, again: _Again) -> RunResult:
    row = store.run(run_id)
    if not all(Path(folder).is_dir() for folder in row.python_path):
        put_first(code_folders(row.python_path, row.snapshot, blobs))
    anew = {} if again.anew is None else {run_id: again.anew}
    executor = _executor(choice)
    try:
        return drive(
            store,
            blobs,
            executor,
            [run_id],
            reopen=again.failed,
            anew=anew,
            any_version=again.any_version,
        )[run_id]
    finally:
        if isinstance(choice, str):
            executor.close()


def _executor(choice: ExecutorChoice) -> Executor:
    match choice:
        case "local":
            return LazyExecutor(_local)
        case "ray":
            return LazyExecutor(_ray)
        case _ if hasattr(choice, "submit"):
            return choice
        case _:
            raise ValueError(f'`executor` is "ray", "local" or an executor, not {choice!r}.')


def _local() -> Executor:
    from flowrt.executor.local import LocalExecutor  # noqa: PLC0415 - only if it is chosen

    return LocalExecutor()


def _ray() -> Executor:
    from flowrt.executor.ray import RayExecutor  # noqa: PLC0415 - imports Ray

    return RayExecutor()


def _value(result: RunResult, store: Store, blobs: Blobs) -> object:
    if result.status == "cancelled":
        more = "" if result.failure is None else f"\n{result.failure.message}"
        raise RunCancelled(f"Run {result.run_id} was cancelled.{more}")
    if result.status != "succeeded" or result.value is None:
        raise _failed(result, store)
    return Values(blobs).load(result.value)


def _failed(result: RunResult, store: Store) -> RunFailed:
    """The failure of a run in words; the frames of the task that failed are a note of the exception."""
    failure, run_id = result.failure, result.run_id
    if failure is None:
        return RunFailed(run_id, failure, f"Run {run_id} failed.")
    where = f" at step `{failure.step}`" if failure.step else ""
    said = failure.type + (f": {failure.message}" if failure.message else "")
    help_ = way_out(store, run_id, failure, f"flowrt.resume({run_id!r}, failed=True)")
    error = RunFailed(run_id, failure, f"Run {run_id} failed{where}: {said}\n{help_[0].upper()}{help_[1:]}.")
    if failure.traceback:
        error.add_note(failure.traceback)
    return error
