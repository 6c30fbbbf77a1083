"""`flowc store gc|check`. In: a store. Out: what nobody needs is gone; or what is damaged in it is told."""

import sys
from argparse import ArgumentTypeError
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowc.cli.exits import DONE, FINDINGS
from flowc.cli.parser import CommandParser
from flowc.cli.places import StoreArguments, add_store_arguments, open_place, store_urls

if TYPE_CHECKING:
    from flowrt.upkeep.collect import Garbage
    from flowrt.upkeep.finding import Checked

EXAMPLE = """\
  flowc store gc --dry-run
  flowc store check --json"""
GC_EXAMPLE = """\
  flowc store gc
  flowc store gc --grace 1d --dry-run"""
CHECK_EXAMPLE = """\
  flowc store check
  flowc store check --run etl-2026-01-01 --json
  flowc store check --store /mnt/backup/.flowc"""


class Arguments(StoreArguments):
    """The arguments of both commands."""

    run: list[str] | None
    grace: int
    dry_run: bool
    json: bool


def main(argv: Sequence[str]) -> int:
    """Collect garbage or check; 1 when a check has findings."""
    name, rest = (argv[0], argv[1:]) if argv else ("", ())
    if name == "gc":
        return _gc(rest)
    if name == "check":
        return _check(rest)
    parser = CommandParser("store", "Look after a store.", EXAMPLE)
    parser.add_argument(
        "command",
        metavar="gc|check",
        help="gc: remove what no run needs; check: read everything and tell what is damaged",
    )
    parser.read(argv, Arguments())
    return parser.error(f"`{name}` is not a command of `flowc store`: it has `gc` and `check`.")


def _gc(argv: Sequence[str]) -> int:
    parser = CommandParser(
        "store gc",
        "Remove values, programs and events that no run needs. Safe while flows run: what was stored "
        "within the grace is left, as the record that needs it may be on its way.",
        GC_EXAMPLE,
    )
    parser.add_argument(
        "--grace",
        type=_microseconds,
        default=_microseconds("1h"),
        metavar="DURATION",
        help="leave what was stored less than this ago (default: 1h; less only while nothing runs)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be removed")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_store_arguments(parser)
    args = parser.read(argv, Arguments())
    store, blobs = open_place(args, create=False)
    try:
        from flowrt.clock import WallClock
        from flowrt.upkeep.collect import collect_garbage

        now = WallClock().now()
        garbage = collect_garbage(store, blobs, now=now, grace_us=args.grace, dry_run=args.dry_run)
    finally:
        store.close()
    if args.json:
        _print_json(_garbage_json(garbage, dry_run=args.dry_run))
    else:
        sys.stdout.write(_garbage_text(garbage, dry_run=args.dry_run))
    return DONE


def _microseconds(text: str) -> int:
    from datetime import timedelta

    from flowrt.expr.durations import parse_duration

    duration = parse_duration(text)
    if duration is None:
        raise ArgumentTypeError(f"`{text}` is not a duration such as 90m, 12h or 2d")
    return duration // timedelta(microseconds=1)


def _garbage_json(garbage: "Garbage", *, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "blobs": garbage.blob_count,
        "bytes": garbage.blob_bytes,
        "young_blobs": garbage.young_count,
        "needed_blobs": garbage.needed_count,
        "unfinished_files": garbage.unfinished_count,
        "programs": garbage.program_count,
        "events": garbage.event_count,
    }


def _garbage_text(garbage: "Garbage", *, dry_run: bool) -> str:
    would = "would be " if dry_run else ""
    lines = [f"{garbage.blob_count} stored values ({garbage.blob_bytes:,} bytes) {would}removed"]
    if garbage.unfinished_count:
        lines.append(f"{garbage.unfinished_count} unfinished files removed")
    if not dry_run:
        lines.append(f"{garbage.program_count} programs and {garbage.event_count} events removed")
    lines.append(f"{garbage.needed_count} values are needed; {garbage.young_count} are not, and young")
    return "\n".join(lines) + "\n"


def _check(argv: Sequence[str]) -> int:
    parser = CommandParser(
        "store check",
        "Read everything in a store and tell what is damaged or missing. Nothing is changed, and no cluster "
        "is needed. A store that may not be written, such as a backup, is checked in a copy of its journal.",
        CHECK_EXAMPLE,
    )
    parser.add_argument(
        "--run", action="append", metavar="RUN", help="only this run, and what it needs (repeatable)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_store_arguments(parser)
    args = parser.read(argv, Arguments())
    checked = _checked(args)
    if args.json:
        _print_json(_checked_json(checked))
    else:
        sys.stdout.write(_checked_text(checked))
    return FINDINGS if checked.findings else DONE


def _checked(args: Arguments) -> "Checked":
    from flowrt.upkeep.check import check_store
    from flowrt.upkeep.read_only import readable

    with readable(*store_urls(args)) as (args.store, args.blobs):
        store, blobs = open_place(args, create=False)
        try:
            return check_store(store, blobs, args.run)
        finally:
            store.close()


def _checked_json(checked: "Checked") -> dict[str, object]:
    return {
        "findings": [
            {"place": one.place, "run": one.run_id, "record": one.record, "message": one.message}
            for one in checked.findings
        ],
        "runs": checked.run_count,
        "records": checked.record_count,
        "blobs": checked.blob_count,
        "bytes": checked.blob_bytes,
        "events": checked.event_count,
    }


def _checked_text(checked: "Checked") -> str:
    lines: list[str] = []
    for one in checked.findings:
        where = "" if one.run_id is None else f" in run {one.run_id}"
        where += "" if one.record is None else f", record {one.record}"
        lines.append(f"{one.place}{where}: {one.message}")
    count = len(checked.findings)
    lines.append(
        f"{checked.run_count} runs with {checked.record_count} records, {checked.blob_count} stored values "
        f"({checked.blob_bytes:,} bytes) and {checked.event_count} events were read: "
        + ("no findings" if count == 0 else f"{count} finding{'s' if count > 1 else ''}")
    )
    return "\n".join(lines) + "\n"


def _print_json(value: object) -> None:
    import json

    sys.stdout.write(json.dumps(value, indent=2) + "\n")
