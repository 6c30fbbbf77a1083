"""`flowc cancel RUN`. In: a run. Out: it is told to end; one that nobody drives is ended here and now."""

import sys
from collections.abc import Sequence

from flowc.cli.driving import drive_runs
from flowc.cli.executors import DriveArguments
from flowc.cli.exits import DONE
from flowc.cli.parser import CommandParser
from flowc.cli.places import add_store_arguments, open_place
from flowc.cli.results import use_python_path

EXAMPLE = '  flowc cancel etl-2026-01-01 --reason "wrong day"'


class Arguments(DriveArguments):
    """The arguments of `flowc cancel`."""

    run: str
    reason: str


def main(argv: Sequence[str]) -> int:
    """Cancel a run: 0 once the wish is durable, or carried out."""
    parser = CommandParser("cancel", "Cancel a run.", EXAMPLE)
    parser.add_argument("run", metavar="RUN", help="the id of the run")
    parser.add_argument("--reason", default="cancelled on the command line", help="kept with the run")
    add_store_arguments(parser)
    args = parser.read(argv, Arguments())
    # Nothing new starts in a cancelled run, so that carrying it out needs no cluster.
    args.executor, args.address, args.json, args.quiet = "local", None, False, True
    store, blobs = open_place(args, create=False)
    try:
        from flowrt.engine.drive import cancel

        if cancel(store, args.run, args.reason):
            sys.stderr.write(f"The process that runs {args.run} was told to cancel it.\n")
            return DONE
        use_python_path(store.run(args.run).python_path)
        result = drive_runs(store, blobs, [args.run], args)[args.run]
        sys.stderr.write(f"run {args.run} {result.status}\n")
    finally:
        store.close()
    return DONE
