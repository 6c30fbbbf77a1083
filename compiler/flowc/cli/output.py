"""`flowc output RUN`. In: a run, or one of its steps. Out: the recorded value, on stdout or in a file."""

import math
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flowc.cli.code import use_code
from flowc.cli.exits import DONE, RUN_NOT_SUCCEEDED, UsageError
from flowc.cli.parser import CommandParser
from flowc.cli.places import StoreArguments, add_store_arguments, open_place
from flowc.cli.results import print_value
from flowrt.shown.json_value import dump

if TYPE_CHECKING:
    from flowrt.store.port import Store
    from flowrt.store.rows import RunRow
    from flowrt.value import Handle

LOOK_FIRST_S = 0.05
LOOK_MAX_S = 1.0
EXAMPLE = """\
  flowc output etl-2026-01-01
  flowc output train-7 --step 'ckpt' --pickle ckpt.pkl"""


class Arguments(StoreArguments):
    """The arguments of `flowc output`."""

    run: str
    step: str | None
    json: bool
    pickle: str | None
    wait: float | None


def main(argv: Sequence[str]) -> int:
    """Print or write a recorded value; 1 when the run has no result."""
    args = _parser().read(argv, Arguments())
    if args.json and args.pickle:
        raise UsageError("Give `--json` or `--pickle FILE`, not both.")
    store, blobs = open_place(args, create=False)
    try:
        row = _awaited(store, args.run, args.wait)
        use_code(row, blobs)
        handle = _result(store, row) if args.step is None else _step(store, row, args.step)
        if handle is None:
            return RUN_NOT_SUCCEEDED
        from flowrt.encoding.values import Values

        value = Values(blobs).load(handle)
    finally:
        store.close()
    if args.pickle:
        _write_pickle(value, args.pickle)
    elif args.json:
        sys.stdout.write(dump(value, indent=None) + "\n")
    else:
        print_value(value)
    return DONE


def _parser() -> CommandParser:
    parser = CommandParser("output", "Print the result of a run, or of one of its steps.", EXAMPLE)
    parser.add_argument("run", metavar="RUN", help="the id of the run")
    parser.add_argument("--step", metavar="ID", help="a step as `flowc show` names it")
    parser.add_argument("--json", action="store_true", help="print one JSON document, text in quotes too")
    parser.add_argument(
        "--wait",
        nargs="?",
        type=float,
        const=math.inf,
        metavar="SECONDS",
        help="wait until the run has ended; at most so long, when it is said",
    )
    parser.add_argument("--pickle", metavar="FILE", help="write the value to a file with Python's pickle")
    add_store_arguments(parser)
    return parser


def _awaited(store: "Store", run_id: str, wait_s: float | None) -> "RunRow":
    """The row of a run, when it has ended or the time is up."""
    from flowrt.store.status import ENDED

    until = time.monotonic() + (wait_s or 0)
    pause = LOOK_FIRST_S
    while (row := store.run(run_id)).status not in ENDED and time.monotonic() < until:
        time.sleep(max(0.0, min(pause, until - time.monotonic())))
        pause = min(2 * pause, LOOK_MAX_S)
    return row


def _result(store: "Store", row: "RunRow") -> "Handle | None":
    from flowrt.engine.drive import recorded_result
    from flowrt.listing import status_of
    from flowrt.store.status import ENDED

    if row.status not in ENDED:
        sys.stderr.write(f"error: Run {row.run_id} has no result yet: it is {status_of(row)}.\n")
        return None
    result = recorded_result(store, row)
    if result.value is None:
        why = f": {result.failure.type}: {result.failure.message}" if result.failure is not None else ""
        sys.stderr.write(f"error: Run {row.run_id} has no result, it {_ended_how(result.status)}{why}.\n")
    return result.value


def _ended_how(status: str) -> str:
    return "was cancelled" if status == "cancelled" else status


def _step(store: "Store", row: "RunRow", step: str) -> "Handle":
    from flowrt.view import step_value

    return step_value(store, row.run_id, step)


def _write_pickle(value: object, name: str) -> None:
    """Write all of it or nothing; what plain pickle cannot do (a local class) cloudpickle can."""
    try:
        data = pickle.dumps(value)
    except (pickle.PicklingError, AttributeError, TypeError):
        import cloudpickle  # type: ignore[import-untyped]

        data = cloudpickle.dumps(value)  # pyright: ignore[reportUnknownMemberType]
    file = Path(name)
    try:
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as stream:
            stream.write(data)
        os.replace(stream.name, file)  # noqa: PTH105
    except OSError as error:
        raise UsageError(f"The file `{name}` cannot be written: {error.strerror}.") from error
