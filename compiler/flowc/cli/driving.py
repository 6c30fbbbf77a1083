"""Driving runs from the command line: what `run`, `resume` and `cancel` have in common.

In: an open store and ids of runs. Out: results on stdout, progress and reasons on stderr, an exit code.
"""

import contextlib
import shlex
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flowc.cli.executors import DriveArguments, make_executor
from flowc.cli.exits import DONE, INTERRUPTED, RUN_NOT_SUCCEEDED
from flowc.cli.interrupts import Interrupts
from flowc.cli.live import Live
from flowc.cli.log import shown
from flowc.cli.progress import Progress, format_seconds, tasks_done
from flowc.cli.results import print_value
from flowc.render.text_cells import printable
from flowrt.observer import Observer
from flowrt.shown.json_value import dump, plain

if TYPE_CHECKING:
    from flowrt.engine.drive import RunResult
    from flowrt.store.port import Blobs, Store


@dataclass(slots=True)
class Board:
    """The progress of all runs that are driven at once, one below the other."""

    interrupts: Interrupts
    started_at: float = field(default_factory=time.monotonic)
    runs: dict[str, Progress] = field(default_factory=dict[str, Progress])

    def observer(self, run_id: str) -> Observer:
        """The observer of one run."""
        return self.runs.setdefault(run_id, Progress(run_id, self.started_at))

    def changed(self) -> bool:
        """Whether a new frame would differ."""
        return self.interrupts.asked.is_set() or any(one.changed for one in self.runs.values())

    def lines(self, now: float, width: int, height: int) -> list[str]:
        """One frame; each run has its share of the screen."""
        runs = list(self.runs.values())[: max(1, height - 1)]
        share = max(1, (height - 1) // max(1, len(runs)))
        lines = [line for one in runs for line in one.lines(now, width, share)]
        if self.interrupts.asked.is_set():
            lines.append("suspending … (Ctrl-C again: stop at once)")
        return lines


def drive_runs(  # noqa: PLR0913 - as `drive`
    store: "Store",
    blobs: "Blobs",
    run_ids: Sequence[str],
    args: DriveArguments,
    *,
    reopen: bool = False,
    anew: Mapping[str, str] | None = None,
    any_version: bool = False,
) -> "dict[str, RunResult]":
    """Drive runs to their end, or until a signal asks for them to be suspended.

    `reopen`, `anew` and `any_version` are as for `flowrt.engine.drive.drive`.
    """
    from flowrt.engine.drive import RunResult, drive
    from flowrt.errors import ExecutorUnavailable

    with Interrupts() as interrupts:
        board = Board(interrupts)
        executor = make_executor(args, after_start=interrupts.install)
        log = shown() if args.verbose else contextlib.nullcontext()
        with contextlib.closing(executor), _terminal(board, args) as observer, log:
            try:
                results = drive(
                    store,
                    blobs,
                    executor,
                    run_ids,
                    observer=observer,
                    interrupt=interrupts.asked,
                    reopen=reopen,
                    anew=anew,
                    any_version=any_version,
                )
            except ExecutorUnavailable as error:
                again = "\n".join(f"  {resume_command(run_id, args)}" for run_id in run_ids)
                message = f"{error}\nOnce Ray is there again, continue with:\n{again}"
                raise ExecutorUnavailable(message) from error
            except SystemExit:  # Ray's own answer to SIGTERM while it starts: the runs have been released.
                results = {
                    run_id: RunResult(run_id, store.run(run_id).flow, "suspended") for run_id in run_ids
                }
        if observer is not None:
            _summarise(board, results)
    return results


@contextlib.contextmanager
def _terminal(board: Board, args: DriveArguments) -> "Generator[Callable[[str], Observer] | None]":
    """Progress when stderr is a terminal. What tasks print goes to stderr: stdout is for results."""
    if args.quiet or not sys.stderr.isatty():
        with contextlib.redirect_stdout(sys.stderr):
            yield None
        return
    with (
        Live(sys.stderr, board.lines, board.changed) as live,
        contextlib.redirect_stdout(live.stream),
        contextlib.redirect_stderr(live.stream),
    ):
        yield board.observer


def _summarise(board: Board, results: "dict[str, RunResult]") -> None:
    took = format_seconds(time.monotonic() - board.started_at)
    for run_id, result in results.items():
        progress = board.runs.get(run_id)
        tasks = f", {tasks_done(progress.done_count())}" if progress is not None else ""
        sys.stderr.write(f"run {run_id} {result.status} after {took}{tasks}\n")


def report(result: "RunResult", store: "Store", blobs: "Blobs", args: DriveArguments) -> int:
    """Print how one run ended: its result on stdout, anything else on stderr. Returns the exit code."""
    from flowrt.shown.load import load

    value = None if result.value is None else load(blobs, result.value)
    if args.json:
        sys.stdout.write(dump(as_json(result, value), indent=None) + "\n")
    elif result.status == "succeeded":
        print_value(value)
    explain(result, store, args)
    return exit_code(result)


def exit_code(result: "RunResult") -> int:
    """The exit code that the end of a run stands for."""
    match result.status:
        case "succeeded":
            return DONE
        case "failed" | "cancelled":
            return RUN_NOT_SUCCEEDED
        case _:
            return INTERRUPTED


def as_json(result: "RunResult", value: object) -> dict[str, object]:
    """What `--json` prints for a run."""
    from flowrt.shown.run_json import failure_json

    return {
        "run": result.run_id,
        "flow": result.flow,
        "status": result.status,
        "result": plain(value),
        "error": failure_json(result.failure),
    }


def explain(result: "RunResult", store: "Store", args: DriveArguments) -> None:
    """Say on stderr why a run has no result, and how to go on."""
    match result.status:
        case "succeeded":
            return
        case "failed":
            sys.stderr.write(_failure_text(result))
            from flowrt.why.mending import way_out

            again = resume_command(result.run_id, args, "--failed")
            sys.stderr.write(f"help: {way_out(store, result.run_id, result.failure, again)}\n")
        case "cancelled":
            reason = store.run(result.run_id).cancel_reason
            sys.stderr.write(f"Run {result.run_id} was cancelled{f': {reason}' if reason else ''}.\n")
            sys.stderr.write(undo_failures(result))
        case _:
            sys.stderr.write(
                f"Run {result.run_id} is suspended. Continue it with:\n"
                f"  {resume_command(result.run_id, args)}\n"
            )


def undo_failures(result: "RunResult") -> str:
    """What is to be said of a cancelled run that could not undo all that it had done."""
    if result.status != "cancelled" or result.failure is None:
        return ""
    first, *rest = result.failure.message.splitlines()
    lines = [f"error: {first}", *(f"  {line}" for line in rest)]
    return "".join(printable(line).rstrip() + "\n" for line in lines)


def _failure_text(result: "RunResult") -> str:
    failure = result.failure
    if failure is None:
        return f"error: Run {result.run_id} failed.\n"
    where = f" at step `{failure.step}`" if failure.step else ""
    said = failure.type + (f": {failure.message}" if failure.message else "")
    first, *rest = said.splitlines()
    lines = [f"error: Run {result.run_id} failed{where}.", f"  {first}", *(f"    {line}" for line in rest)]
    lines.extend(f"  {line}" for line in _frames(failure.traceback))
    return "".join(printable(line).rstrip() + "\n" for line in lines)


def _frames(text: str) -> list[str]:
    """The lines of a traceback without its head and without the exception at its end: that is said above."""
    lines = text.splitlines()
    while lines and not lines[-1].startswith("  "):
        lines.pop()
    return [line for line in lines if line != "Traceback (most recent call last):"]


def resume_command(run_id: str, args: DriveArguments, *options: str) -> str:
    """The command that continues a run, with the options that this command was given."""
    words = ["flowc", "resume", run_id, *options]
    for name, value in (("--store", args.store), ("--blobs", args.blobs), ("--address", args.address)):
        if value:
            words.extend((name, value))
    if args.executor != "ray":
        words.extend(("--executor", args.executor))
    return shlex.join(words)
