"""`flowc compile FILE[:FLOW]`. In: a flow file. Out: the bind graph that runs, as text or JSON."""

import argparse
import sys
from collections.abc import Sequence
from typing import Literal

from flowc.cli.exits import DONE
from flowc.cli.flow_file import compile_target, show_warnings
from flowc.cli.parser import CommandParser

EXAMPLE = """\
  flowc compile etl.flow.yaml
  flowc compile etl.flow.yaml:daily_etl --emit json"""


class Arguments(argparse.Namespace):
    """The arguments of `flowc compile`."""

    target: str
    emit: Literal["text", "json"]


def main(argv: Sequence[str]) -> int:
    """Compile a flow and print its graph; 3 when the flow is not valid."""
    parser = CommandParser("compile", "Show the bind graph that a flow compiles to.", EXAMPLE)
    parser.add_argument("target", metavar="FILE[:FLOW]", help="the file, and the flow if not its first")
    parser.add_argument(
        "--emit", choices=("text", "json"), default="text", help="text: readable (default); json: all of it"
    )
    args = parser.read(argv, Arguments())
    compiled = compile_target(args.target)
    show_warnings(compiled)
    from flowc.write.program import write_json, write_text

    written = write_text(compiled.program) if args.emit == "text" else write_json(compiled.program)
    sys.stdout.write(written.rstrip("\n") + "\n")
    return DONE
