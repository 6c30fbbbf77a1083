"""`flowc graph FILE[:FLOW]`. In: a flow, or a run. Out: its picture, as Mermaid, DOT or SVG."""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from flowc.cli.exits import DONE, UsageError
from flowc.cli.flow_file import compile_target, show_warnings
from flowc.cli.parser import CommandParser
from flowc.cli.places import StoreArguments, add_store_arguments, open_place

if TYPE_CHECKING:
    from flowc.draw.diagram import Diagram

EXAMPLE = """\
  flowc graph etl.flow.yaml
  flowc graph etl.flow.yaml --format svg > etl.svg
  flowc graph --run etl-2026-01-01 --format svg > etl.svg"""


class Arguments(StoreArguments):
    """The arguments of `flowc graph`."""

    target: str | None
    format: Literal["mermaid", "dot", "svg"]
    run: str | None


def main(argv: Sequence[str]) -> int:
    """Draw a flow; 3 when it is not valid."""
    parser = CommandParser("graph", "Draw a flow, or a run of it.", EXAMPLE)
    parser.add_argument(
        "target", nargs="?", metavar="FILE[:FLOW]", help="the file, and the flow if not its first"
    )
    parser.add_argument("--format", choices=("mermaid", "dot", "svg"), default="mermaid")
    parser.add_argument("--run", metavar="RUN", help="colour it by the state of this run, as the run has it")
    add_store_arguments(parser)
    args = parser.read(argv, Arguments())
    diagram = _of_flow(args) if args.run is None else _of_run(args, args.run)
    text = _writers()[args.format](diagram)
    sys.stdout.write(text)
    if args.format == "mermaid":
        _note_size(text)
    return DONE


def _note_size(text: str) -> None:
    from flowc.draw.mermaid import too_large

    reason = too_large(text)
    if reason:
        sys.stdout.flush()
        sys.stderr.write(f"note: this diagram is large: {reason}; `--format svg` has no such bound\n")


def _of_flow(args: Arguments) -> "Diagram":
    if args.target is None:
        raise UsageError("Name a flow file, or a run: `flowc graph FILE`, `flowc graph --run RUN`.")
    from flowc.draw.of_program import diagram_of

    compiled = compile_target(args.target)
    show_warnings(compiled)
    return diagram_of(compiled.program)


def _of_run(args: Arguments, run_id: str) -> "Diagram":
    """The diagram of what the run runs, which may be another version of the flow than the file has by now."""
    program = None if args.target is None else compile_target(args.target).program
    store, _ = open_place(args, create=False)
    try:
        from flowc.draw.of_program import diagram_of
        from flowc.draw.tally import tally

        found = tally(store, run_id)
    finally:
        store.close()
    if program is not None and program.main != found.program.main:
        raise UsageError(f"The run {run_id} is one of the flow `{found.program.main}`, not `{program.main}`.")
    if program is not None and program != found.program:
        sys.stderr.write(f"note: the flow was another when run {run_id} was started; drawn is what it runs\n")
    return diagram_of(found.program, found.standings, f"run {run_id}: {found.status}")


def _writers() -> "Mapping[str, Callable[[Diagram], str]]":
    from flowc.draw.dot import write_dot
    from flowc.draw.mermaid import write_mermaid
    from flowc.draw.svg import write_svg

    return {"mermaid": write_mermaid, "dot": write_dot, "svg": write_svg}
