"""`flowc resume RUN` or `--all`. In: runs that stopped short of their end. Out: as for `flowc run`."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowc.cli.code import packed_anew, tell_differences, use_code, use_recorded_code
from flowc.cli.damage import tell_damaged
from flowc.cli.detached import hand_over
from flowc.cli.driving import as_json, drive_runs, exit_code, explain, report
from flowc.cli.executors import DriveArguments, add_drive_arguments, require_executor
from flowc.cli.exits import DONE, INTERRUPTED, RUN_NOT_SUCCEEDED, USAGE, UsageError
from flowc.cli.parser import CommandParser
from flowc.cli.places import add_store_arguments, open_place
from flowrt.shown.json_value import dump

if TYPE_CHECKING:
    from flowrt.listing import Damage
    from flowrt.store.port import Blobs, Store
    from flowrt.store.rows import RunRow

EXAMPLE = """\
  flowc resume etl-2026-01-01
  flowc resume etl-2026-01-01 --failed
  flowc resume --all"""


class Arguments(DriveArguments):
    """The arguments of `flowc resume`."""

    run: str | None
    all: bool
    failed: bool
    recorded_code: bool
    any_version: bool
    detach: bool


def main(argv: Sequence[str]) -> int:
    """Continue one run, or all that nobody drives."""
    args = _parser().read(argv, Arguments())
    if args.all == (args.run is not None):
        raise UsageError("Name one run, or give `--all` for all that nobody drives.")
    if args.detach and (args.run is None or args.failed):
        raise UsageError("`--detach` hands one run over as it is; leave out `--all` and `--failed`.")
    if not args.detach:
        require_executor(args)
    store, blobs = open_place(args, create=False)
    try:
        if args.run is None:
            return _resume_all(store, blobs, args)
        row = store.run(args.run)
        if args.detach:
            return hand_over(store, args.run, args)
        if _refused([row], args):
            return USAGE
        anew = _code_of([row], blobs, args)
        results = drive_runs(
            store, blobs, [args.run], args, reopen=args.failed, anew=anew, any_version=args.any_version
        )
        return report(results[args.run], store, blobs, args)
    finally:
        store.close()


def _parser() -> CommandParser:
    parser = CommandParser("resume", "Continue a run after a crash, an interruption or a failure.", EXAMPLE)
    parser.add_argument("run", nargs="?", metavar="RUN", help="the id of the run")
    parser.add_argument("--all", action="store_true", help="all runs that have not ended and nobody drives")
    parser.add_argument(
        "--failed", action="store_true", help="continue behind the failure of a run that failed, too"
    )
    parser.add_argument(
        "--recorded-code",
        action="store_true",
        help="with --failed: go on with the code as it was when the run was started, though its folders "
        "are here and have changed",
    )
    parser.add_argument(
        "--any-version",
        action="store_true",
        help="go on though Python, Ray or a package is not what the run was started with",
    )
    parser.add_argument(
        "--detach", action="store_true", help="leave the run to `flowc serve`: print its id and return"
    )
    add_drive_arguments(parser)
    add_store_arguments(parser)
    return parser


def _resume_all(store: "Store", blobs: "Blobs", args: Arguments) -> int:
    rows, damaged = _left_behind(store, failed=args.failed)
    refused = _refused(rows, args)
    rows = [row for row in rows if row.run_id not in refused]
    results = {}
    if rows:
        if not args.quiet:
            sys.stderr.write("".join(f"run {row.run_id}\n" for row in rows))
        anew = _code_of(rows, blobs, args)
        run_ids = [row.run_id for row in rows]
        results = drive_runs(
            store, blobs, run_ids, args, reopen=args.failed, anew=anew, any_version=args.any_version
        )
    elif not args.quiet and not refused and not damaged:
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
    codes = {exit_code(result) for result in results.values()} | {tell_damaged(damaged)}
    if refused:
        codes.add(USAGE)
    return next((code for code in (INTERRUPTED, RUN_NOT_SUCCEEDED, USAGE) if code in codes), DONE)


def _code_of(rows: "Sequence[RunRow]", blobs: "Blobs", args: Arguments) -> dict[str, str]:
    """Make the code of the runs ready; the new snapshots of those that go on with other code."""
    anew: dict[str, str] = {}
    for row in rows:
        if not _goes_on(row, args):
            use_code(row, blobs)
            continue
        if row.status == "failed" and not args.recorded_code:
            digest = packed_anew(row, blobs, quiet=args.quiet)
            anew |= {} if digest is None else {row.run_id: digest}
        if not args.quiet:
            tell_differences(row)
        use_recorded_code(row, anew.get(row.run_id, row.snapshot), blobs)
    return anew


def _goes_on(row: "RunRow", args: Arguments) -> bool:
    """Whether something of a run is still to be done."""
    from flowrt.store.status import ENDED

    return row.status not in ENDED or (args.failed and row.status == "failed")


def _refused(rows: "Sequence[RunRow]", args: Arguments) -> list[str]:
    """The runs that cannot go on here; why is said on stderr."""
    from flowrt.snapshot.versions import mismatches, refusal

    refused: list[str] = []
    for row in rows:
        told = [] if args.any_version or not _goes_on(row, args) else mismatches(row)
        if told:
            sys.stderr.write(f"error: {refusal(row.run_id, told)}\n")
            refused.append(row.run_id)
    return refused


def _left_behind(store: "Store", *, failed: bool) -> "tuple[list[RunRow], tuple[Damage, ...]]":
    """The runs that wait for somebody to drive them, the oldest first; those of `flowc serve` do not.

    And the runs of which that cannot be said, for they are damaged.
    """
    from flowrt.listing import readable, status_of

    wanted = {"pending", "suspended"} | ({"failed"} if failed else set[str]())
    rows, damaged = readable(store)
    left = [(row, status_of(row)) for row in reversed(rows)]
    return [
        row for row, status in left if status in wanted and not (row.served and status == "pending")
    ], damaged
