"""`flowc compile FILE[:FLOW]`. In: a flow file. Out: the bind graph that runs, as text or JSON."""

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from flowc.cli.exits import DONE
from flowc.cli.flow_file import compile_target, show_warnings, split_target
from flowc.cli.parser import CommandParser

if TYPE_CHECKING:
    from flowc.compile import Compiled

HELP = "text: the bind graph, readable (default); json: all of it; python: the same as a plain Ray program"
EXAMPLE = """\
  flowc compile etl.flow.yaml
  flowc compile etl.flow.yaml:daily_etl --emit json
  flowc compile etl.flow.yaml --emit python > etl_on_ray.py"""


class Arguments(argparse.Namespace):
    """The arguments of `flowc compile`."""

    target: str
    emit: Literal["text", "python", "json"]


def main(argv: Sequence[str]) -> int:
    """Compile a flow and print its graph; 3 when the flow is not valid."""
    parser = CommandParser("compile", "Show the bind graph that a flow compiles to.", EXAMPLE)
    parser.add_argument("target", metavar="FILE[:FLOW]", help="the file, and the flow if not its first")
    parser.add_argument("--emit", choices=("text", "python", "json"), default="text", help=HELP)
    args = parser.read(argv, Arguments())
    compiled = compile_target(args.target)
    show_warnings(compiled)
    sys.stdout.write(_written(compiled, args).rstrip("\n") + "\n")
    return DONE


def _written(compiled: "Compiled", args: Arguments) -> str:
    from flowc.write.program import write_json, write_text

    match args.emit:
        case "text":
            return write_text(compiled.program)
        case "json":
            return write_json(compiled.program)
        case "python":
            from flowc.compile import checked_file
            from flowc.write_python.merged import merged
            from flowc.write_python.program import write_python

            file = merged(checked_file(split_target(args.target)[0]))
            return write_python(file, compiled.program.main)
