"""`flowc list`. In: a store. Out: its runs, the newest first, as a table or JSON."""

import sys
from argparse import ArgumentTypeError
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

from flowc.cli.columns import align
from flowc.cli.damage import tell_damaged
from flowc.cli.instants import length, local
from flowc.cli.parser import CommandParser
from flowc.cli.places import StoreArguments, add_store_arguments, open_place
from flowc.cli.results import use_python_path
from flowrt.shown.json_value import dump, plain
from flowrt.store.rows import RunStatus

if TYPE_CHECKING:
    from flowrt.listing import Damage
    from flowrt.store.port import Blobs, Store
    from flowrt.store.rows import RunRow

EXAMPLE = """\
  flowc list --status suspended
  flowc list --flow daily_etl --limit 20 --json"""


class Arguments(StoreArguments):
    """The arguments of `flowc list`."""

    status: RunStatus | None
    flow: str | None
    limit: int | None
    json: bool


def main(argv: Sequence[str]) -> int:
    """List runs: 0, or 2 when some of them are damaged, which are told on stderr."""
    parser = CommandParser("list", "List the runs in the store, the newest first.", EXAMPLE)
    parser.add_argument("--status", choices=get_args(RunStatus), help="only runs with this status")
    parser.add_argument("--flow", help="only runs of this flow")
    parser.add_argument("--limit", type=_count, metavar="N", help="at most N runs")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_store_arguments(parser)
    args = parser.read(argv, Arguments())
    store, blobs = open_place(args, create=False)
    try:
        from flowrt.listing import listed

        found = listed(store, args.status, args.flow, args.limit)
        damaged = [*found.damaged]
        if args.json:
            told = _documents(store, blobs, found.rows, damaged)
            sys.stdout.write(dump(told) + "\n")
        elif found.rows:
            sys.stdout.write(align(("RUN", "FLOW", "STATUS", "CREATED", "TIME"), _table(found.rows)))
        elif not damaged:
            sys.stderr.write("No run matches.\n" if args.status or args.flow else "The store has no runs.\n")
    finally:
        store.close()
    return tell_damaged(damaged)


def _documents(
    store: "Store", blobs: "Blobs", rows: "Sequence[tuple[RunRow, RunStatus]]", damaged: "list[Damage]"
) -> list[dict[str, object]]:
    """What JSON has of the runs; those whose inputs are damaged are added to `damaged` and left out."""
    from flowrt.errors import StoreCorrupt
    from flowrt.listing import Damage
    from flowrt.shown.run_json import row_json

    told: list[dict[str, object]] = []
    for row, status in rows:
        try:
            told.append(_ordered({**row_json(row, status), "inputs": _inputs(store, blobs, row)}))
        except StoreCorrupt as error:
            damaged.append(Damage(row.run_id, str(error)))
    return told


def _ordered(one: dict[str, object]) -> dict[str, object]:
    keys = ("run", "flow", "status", "inputs", "labels", "created_at", "started_at", "ended_at")
    return {key: one[key] for key in keys}


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"`{text}` is not a number from 1 on")
    return int(text)


def _inputs(store: "Store", blobs: "Blobs", row: "RunRow") -> dict[str, object]:
    """The inputs out of the first record of the run."""
    from flowrt.encoding.pack import decode_record
    from flowrt.record import Started
    from flowrt.shown.load import load

    use_python_path(row.python_path)
    for line in store.journal(row.run_id):
        first = decode_record(line.data)
        if isinstance(first, Started):
            return {name: plain(load(blobs, handle)) for name, handle in first.inputs}
        break
    return {}


def _table(rows: "Sequence[tuple[RunRow, RunStatus]]") -> list[tuple[str, ...]]:
    return [
        (row.run_id, row.flow, status, local(row.created_at), length(row.started_at, row.ended_at))
        for row, status in rows
    ]
