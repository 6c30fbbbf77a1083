"""`flowc delete RUN…`. In: runs that have ended. Out: they are gone, and what only they needed with them."""

import sys
from collections.abc import Sequence

from flowc.cli.exits import DONE
from flowc.cli.parser import CommandParser
from flowc.cli.places import StoreArguments, add_store_arguments, open_place

EXAMPLE = """\
  flowc delete etl-2026-01-01 etl-2026-01-02
  flowc list --flow etl --status succeeded --json | jq -r '.[].run' | xargs flowc delete"""


class Arguments(StoreArguments):
    """The arguments of `flowc delete`."""

    runs: list[str]


def main(argv: Sequence[str]) -> int:
    """Delete runs, one after another; stops at the first that cannot be deleted."""
    parser = CommandParser(
        "delete",
        "Remove runs that have ended: their journals, their events, and the large values that nothing else "
        "needs. Values that were stored less than an hour ago are left to `flowc store gc`.",
        EXAMPLE,
    )
    parser.add_argument("runs", metavar="RUN", nargs="+", help="the id of a run")
    add_store_arguments(parser)
    args = parser.read(argv, Arguments())
    store, blobs = open_place(args, create=False)
    try:
        from flowrt.clock import WallClock
        from flowrt.upkeep.delete import delete_run

        for run_id in dict.fromkeys(args.runs):
            done = delete_run(store, blobs, run_id, now=WallClock().now())
            sys.stderr.write(f"run {run_id} deleted{_values(done.freed_count, done.left_count)}\n")
    finally:
        store.close()
    return DONE


def _values(freed: int, left: int) -> str:
    parts = [f"; {freed} stored value{'s' if freed > 1 else ''} removed"] if freed else []
    if left:
        parts.append(f"; {left} left to `flowc store gc`, stored less than an hour ago")
    return "".join(parts)
