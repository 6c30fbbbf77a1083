"""`flowc convert FILE`. In: a flow file. Out: the same flows in the other syntax, on stdout or in a file."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flowc.cli.exits import DONE, USAGE, UsageError
from flowc.cli.fmt import STDIN, written_or_said
from flowc.cli.parser import CommandParser

if TYPE_CHECKING:
    from flowc.rewrite import Syntax

EXAMPLE = """\
  flowc convert etl.flow.yaml --to dsl
  flowc convert etl.flow --to yaml -o etl.flow.yaml"""


class Arguments(argparse.Namespace):
    """The arguments of `flowc convert`."""

    file: str
    to: Literal["yaml", "dsl"] | None
    output: str | None
    stdin_filename: str


def main(argv: Sequence[str]) -> int:
    """Convert a file; 3 when it is not valid, 2 when it cannot be read, written or fully converted."""
    from flowc.read_yaml.source_text import decode
    from flowc.rewrite import Invalid, rewritten, syntax_of

    args = _arguments(argv)
    name = args.stdin_filename if args.file == STDIN else args.file
    syntax = syntax_of(name)
    to = _target(name, syntax, args.to)
    source, findings = decode(name, _read(args.file))
    outcome = Invalid(tuple(findings)) if findings else rewritten(source, syntax, to)
    new = written_or_said(name, outcome, "not converted")
    if isinstance(new, int):
        return new
    if args.output is None or args.output == STDIN:
        sys.stdout.buffer.write(new)
        return DONE
    return _write(Path(args.output), new)


def _arguments(argv: Sequence[str]) -> Arguments:
    parser = CommandParser(
        "convert", "Write the flows of a file in the other syntax. Comments and order stay.", EXAMPLE
    )
    parser.add_argument("file", metavar="FILE", help="the file, or - for stdin")
    parser.add_argument("--to", choices=("yaml", "dsl"), help="the syntax to write (default: the other one)")
    parser.add_argument("-o", "--output", metavar="OUT", help="the file to write (default: stdout)")
    parser.add_argument(
        "--stdin-filename",
        metavar="NAME",
        default="stdin.flow.yaml",
        help="the name of what comes in through stdin; it says which syntax that is",
    )
    return parser.read(argv, Arguments())


def _target(name: str, syntax: "Syntax", to: "Syntax | None") -> "Syntax":
    if to == syntax:
        raise UsageError(
            f"The file `{name}` is in this syntax already; `flowc fmt` brings it into canonical form."
        )
    return to or ("yaml" if syntax == "dsl" else "dsl")


def _read(file: str) -> bytes:
    from flowc.link import read_named, read_stdin

    try:
        return read_stdin() if file == STDIN else read_named(file)
    except OSError as error:
        raise UsageError(f"The file `{file}` cannot be read: {error.strerror}.") from error


def _write(path: Path, data: bytes) -> int:
    from flowc.cli.replace_file import replace_file

    try:
        replace_file(path, data)
    except OSError as error:
        sys.stderr.write(f"error: The file `{path}` cannot be written: {error.strerror}.\n")
        return USAGE
    return DONE
