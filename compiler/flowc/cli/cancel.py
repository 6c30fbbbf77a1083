"""`flowc cancel RUN`. In: a run. Out: it is told to end; one that nobody drives is ended here and now."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowc.cli.code import use_code
from flowc.cli.driving import drive_runs, undo_failures
from flowc.cli.executors import DriveArguments, add_executor_arguments, require_executor
from flowc.cli.exits import DONE, RUN_NOT_SUCCEEDED, USAGE
from flowc.cli.parser import CommandParser
from flowc.cli.places import add_store_arguments, open_place

if TYPE_CHECKING:
    from flowrt.store.port import Store

EXAMPLE = '  flowc cancel etl-2026-01-01 --reason "wrong day"'


class Arguments(DriveArguments):
    """The arguments of `flowc cancel`."""

    run: str
    reason: str
    now: bool
    terminate: bool


def main(argv: Sequence[str]) -> int:
    """Cancel a run: 0 once the wish is durable, or carried out."""
    parser = CommandParser("cancel", "Cancel a run.", EXAMPLE)
    parser.add_argument("run", metavar="RUN", help="the id of the run")
    parser.add_argument("--reason", default="cancelled on the command line", help="kept with the run")
    parser.add_argument(
        "--now",
        action="store_true",
        help="give its tasks no time to end by themselves; what undoes them gets its time",
    )
    parser.add_argument(
        "--terminate",
        action="store_true",
        help="end the run at once, whoever has it: nothing is undone, no `finally` runs; for what hangs",
    )
    add_executor_arguments(parser)
    add_store_arguments(parser)
    args = parser.read(argv, Arguments())
    args.json, args.quiet = False, True
    store, blobs = open_place(args, create=False)
    try:
        if args.terminate:
            from flowrt.engine.terminating import terminate

            terminate(store, args.run, args.reason)
            sys.stderr.write(f"run {args.run} cancelled: it was terminated, and nothing was undone\n")
            return DONE
        from flowrt.engine.cancelling import cancel, has_undos

        if cancel(store, args.run, args.reason, force=args.now):
            sys.stderr.write(f"Run {args.run} is being cancelled: nothing new starts in it.\n")
            return DONE
        undoes = has_undos(store, args.run)
        if undoes and _refused(store, args):
            return USAGE
        if not undoes:
            # Nothing starts, so that carrying it out needs no cluster.
            args.executor, args.address = "local", None
        use_code(store.run(args.run), blobs)
        result = drive_runs(store, blobs, [args.run], args, any_version=not undoes)[args.run]
        sys.stderr.write(f"run {args.run} {result.status}\n{undo_failures(result)}")
    finally:
        store.close()
    return DONE if result.failure is None else RUN_NOT_SUCCEEDED


def _refused(store: "Store", args: Arguments) -> bool:
    """Whether what the run did cannot be undone here; why is said on stderr."""
    from flowrt.snapshot.versions import mismatches, refusal

    require_executor(args)
    told = mismatches(store.run(args.run))
    if told:
        sys.stderr.write(
            f"error: {refusal(args.run, told)}\nhelp: the run has steps to undo; that it is to be "
            "cancelled is recorded, and whoever resumes it does that\n"
        )
    return bool(told)
