"""`flowc cancel RUN`. In: a run. Out: it is told to end; one that nobody drives is ended here and now."""

import sys
from collections.abc import Sequence

from flowc.cli.code import use_code
from flowc.cli.driving import drive_runs
from flowc.cli.executors import DriveArguments
from flowc.cli.exits import DONE
from flowc.cli.parser import CommandParser
from flowc.cli.places import add_store_arguments, open_place

EXAMPLE = '  flowc cancel etl-2026-01-01 --reason "wrong day"'


class Arguments(DriveArguments):
    """The arguments of `flowc cancel`."""

    run: str
    reason: str
    now: bool


def main(argv: Sequence[str]) -> int:
    """Cancel a run: 0 once the wish is durable, or carried out."""
    parser = CommandParser("cancel", "Cancel a run.", EXAMPLE)
    parser.add_argument("run", metavar="RUN", help="the id of the run")
    parser.add_argument("--reason", default="cancelled on the command line", help="kept with the run")
    parser.add_argument("--now", action="store_true", help="give its tasks no time to end by themselves")
    add_store_arguments(parser)
    args = parser.read(argv, Arguments())
    # Nothing new starts in a cancelled run, so that carrying it out needs no cluster.
    args.executor, args.address, args.json, args.quiet = "local", None, False, True
    store, blobs = open_place(args, create=False)
    try:
        from flowrt.engine.cancelling import cancel

        if cancel(store, args.run, args.reason, force=args.now):
            sys.stderr.write(f"Run {args.run} is being cancelled: nothing new starts in it.\n")
            return DONE
        use_code(store.run(args.run), blobs)
        result = drive_runs(store, blobs, [args.run], args, any_version=True)[args.run]
        sys.stderr.write(f"run {args.run} {result.status}\n")
    finally:
        store.close()
    return DONE
