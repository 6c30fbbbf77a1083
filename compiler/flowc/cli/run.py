"""`flowc run FILE[:FLOW]`. In: a flow and its inputs. Out: the run's result on stdout.

The order matters: what can be wrong with the flow, the inputs or the installation is found before
anything is stored.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flowc.cli.code import keep_code, pack_code, tell_attached, tell_packed, use_recorded_code
from flowc.cli.detached import hand_over
from flowc.cli.driving import drive_runs, report
from flowc.cli.executors import DriveArguments, add_drive_arguments, require_executor
from flowc.cli.exits import UsageError
from flowc.cli.flow_file import compile_target, show_warnings
from flowc.cli.given_inputs import read_given
from flowc.cli.parser import CommandParser
from flowc.cli.places import add_store_arguments, open_place

if TYPE_CHECKING:
    from flowrt.store.port import Store

EXAMPLE = """\
  flowc run etl.flow.yaml -i day=2026-01-01 -i fanout=8
  flowc run etl.flow.yaml --inputs inputs.json --id etl-2026-01-01 --json
  flowc run --detach etl.flow.yaml -i day=2026-01-01"""


class Arguments(DriveArguments):
    """The arguments of `flowc run`."""

    target: str
    input: list[str]
    inputs: str | None
    id: str | None
    label: list[str]
    detach: bool


def main(argv: Sequence[str]) -> int:
    """Run a flow to its end: 0 succeeded, 1 failed or cancelled, 130 suspended."""
    args = _parser().read(argv, Arguments())
    labels = _labels(args.label)
    compiled = compile_target(args.target)
    if not args.quiet:
        show_warnings(compiled)
    if not args.detach:
        require_executor(args)
    program = compiled.program
    flow = program.flows[program.main]

    from flowrt.engine.drive import start
    from flowrt.inputs.inputs import convert_inputs
    from flowrt.store.status import ENDED

    inputs = convert_inputs(flow, read_given(flow, args.input, args.inputs), compiled.python_path)
    packed = pack_code(compiled.python_path)
    store, blobs = open_place(args, create=True)
    try:
        snapshot = keep_code(packed, blobs)
        existed = args.id is not None and _exists(store, args.id)
        run_id = start(
            store,
            blobs,
            program,
            inputs,
            run_id=args.id,
            labels={**dict(flow.labels), **labels},
            python_path=compiled.python_path,
            snapshot=snapshot,
            served=args.detach,
        )
        row = store.run(run_id)
        if not args.quiet:
            sys.stderr.write(f"run {run_id}\n")
            if not existed:
                tell_packed(packed, compiled.python_path, verbose=args.verbose)
            elif not args.detach or row.status not in ENDED:
                tell_attached(run_id, ended=row.status in ENDED)
            sys.stderr.flush()
        if args.detach:
            return hand_over(store, run_id, args)
        use_recorded_code(row, row.snapshot, blobs)
        return report(drive_runs(store, blobs, [run_id], args)[run_id], store, blobs, args)
    finally:
        store.close()


def _exists(store: "Store", run_id: str) -> bool:
    from flowrt.errors import UnknownRun

    try:
        store.run(run_id)
    except UnknownRun:
        return False
    return True


def _parser() -> CommandParser:
    parser = CommandParser("run", "Compile a flow and run it durably to its end.", EXAMPLE)
    parser.add_argument("target", metavar="FILE[:FLOW]", help="the file, and the flow if not its first")
    parser.add_argument(
        "-i",
        "--input",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an input; the value is JSON unless the declared type is text (repeatable)",
    )
    parser.add_argument("--inputs", metavar="FILE|-", help="a JSON object with inputs; - is stdin")
    parser.add_argument(
        "--id",
        metavar="RUN",
        help="the id of the run; a run of that id with the same flow and inputs is continued",
    )
    parser.add_argument(
        "--label", action="append", default=[], metavar="NAME=VALUE", help="a label (repeatable)"
    )
    parser.add_argument(
        "--detach", action="store_true", help="leave the run to `flowc serve`: print its id and return"
    )
    add_drive_arguments(parser)
    add_store_arguments(parser)
    return parser


def _labels(given: Sequence[str]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise UsageError(f"`--label {one}` is not a label; write `--label NAME=VALUE`.")
        labels[name] = value
    return labels
