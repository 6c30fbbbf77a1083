"""`flowc why RUN [STEP]`. In: a run, a step. Out: sentences that say why it stands as it does."""

import sys
from collections.abc import Sequence

from flowc.cli.exits import DONE
from flowc.cli.parser import CommandParser
from flowc.cli.places import StoreArguments, add_store_arguments, open_place
from flowc.render.text_cells import printable
from flowrt.shown.json_value import dump

EXAMPLE = """\
  flowc why etl-2026-01-01
  flowc why etl-2026-01-01 'loads[17].clean'"""


class Arguments(StoreArguments):
    """The arguments of `flowc why`."""

    run: str
    step: str | None
    json: bool


def main(argv: Sequence[str]) -> int:
    """Explain one run, or one of its steps."""
    parser = CommandParser(
        "why", "Say why a run stands as it does, or why a step did or did not run.", EXAMPLE
    )
    parser.add_argument("run", metavar="RUN", help="the id of the run")
    parser.add_argument("step", metavar="STEP", nargs="?", help="the path of a step, as `flowc show` has it")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_store_arguments(parser)
    args = parser.read(argv, Arguments())
    store, _ = open_place(args, create=False)
    try:
        from flowrt.clock import WallClock
        from flowrt.why.why import why_run, why_step

        now = WallClock().now()
        lines = (
            why_run(store, args.run, now) if args.step is None else why_step(store, args.run, args.step, now)
        )
    finally:
        store.close()
    if args.json:
        sys.stdout.write(dump({"run": args.run, "step": args.step, "why": lines}) + "\n")
    else:
        head, *rest = lines
        sys.stdout.write("".join(f"{printable(line)}\n" for line in (head, *(f"  {one}" for one in rest))))
    return DONE
