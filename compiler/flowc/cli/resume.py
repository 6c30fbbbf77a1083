"""`flowc resume RUN` or `--all`. In: runs that stopped short of their end. Out: as for `flowc run`."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowc.cli.driving import as_json, drive_runs, exit_code, explain, report
from flowc.cli.executors import DriveArguments, add_drive_arguments, require_executor
from flowc.cli.exits import DONE, INTERRUPTED, RUN_NOT_SUCCEEDED, UsageError
from flowc.cli.parser import CommandParser
from flowc.cli.places import add_store_arguments, open_place
from flowc.cli.results import use_python_path
from flowrt.shown.json_value import dump

if TYPE_CHECKING:
    from flowrt.store.port import Blobs, RunRow, Store

EXAMPLE = """\
  flowc resume etl-2026-01-01
  flowc resume etl-2026-01-01 --failed
  flowc resume --all"""


class Arguments(DriveArguments):
    """The arguments of `flowc resume`."""

    run: str | None
    all: bool
    failed: bool


def main(argv: Sequence[str]) -> int:
    """Continue one run, or all that nobody drives."""
    args = _parser().read(argv, Arguments())
    if args.all == (args.run is not None):
        raise UsageError("Name one run, or give `--all` for all that nobody drives.")
    require_executor(args)
    store, blobs = open_place(args, create=False)
    try:
        if args.run is None:
            return _resume_all(store, blobs, args)
        use_python_path(store.run(args.run).python_path)
        result = drive_runs(store, blobs, [args.run], args, reopen=args.failed)[args.run]
        return report(result, store, blobs, args)
    finally:
        store.close()


def _parser() -> CommandParser:
    parser = CommandParser("resume", "Continue a run after a crash, an interruption or a failure.", EXAMPLE)
    parser.add_argument("run", nargs="?", metavar="RUN", help="the id of the run")
    parser.add_argument("--all", action="store_true", help="all runs that have not ended and nobody drives")
    parser.add_argument(
        "--failed", action="store_true", help="continue behind the failure of a run that failed, too"
    )
    add_drive_arguments(parser)
    add_store_arguments(parser)
    return parser


def _resume_all(store: "Store", blobs: "Blobs", args: Arguments) -> int:
    rows = _left_behind(store, failed=args.failed)
    results = {}
    if rows:
        for row in rows:
            use_python_path(row.python_path)
        if not args.quiet:
            sys.stderr.write("".join(f"run {row.run_id}\n" for row in rows))
        results = drive_runs(store, blobs, [row.run_id for row in rows], args, reopen=args.failed)
    elif not args.quiet:
        sys.stderr.write("No run is left to resume.\n")
    if args.json:
        from flowrt.shown.load import load

        told = [
            as_json(result, None if result.value is None else load(blobs, result.value))
            for result in results.values()
        ]
        sys.stdout.write(dump(told, indent=None) + "\n")
    for result in results.values():
        explain(result, store, args)
    codes = {exit_code(result) for result in results.values()}
    return next((code for code in (INTERRUPTED, RUN_NOT_SUCCEEDED) if code in codes), DONE)


def _left_behind(store: "Store", *, failed: bool) -> "list[RunRow]":
    """The runs that wait for somebody to drive them, the oldest first."""
    from flowrt.view import status_of

    wanted = {"pending", "suspended"} | ({"failed"} if failed else set[str]())
    rows = store.runs()
    return [row for row in reversed(rows) if status_of(row) in wanted]
