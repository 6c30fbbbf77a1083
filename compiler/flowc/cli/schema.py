"""`flowc schema [NAME]`. In: the name of a published schema. Out: its text."""

import argparse
import sys
from collections.abc import Sequence

from flowc.cli.exits import DONE, UsageError
from flowc.cli.parser import CommandParser
from flowc.schema.published import PUBLISHED, published

EXAMPLE = """\
  flowc schema > .flow.schema.json
  flowc schema --list"""


class Arguments(argparse.Namespace):
    """The arguments of `flowc schema`."""

    name: str
    list: bool


def main(argv: Sequence[str]) -> int:
    """Print a schema, or the names of all."""
    parser = CommandParser("schema", "Print a published JSON Schema.", EXAMPLE)
    parser.add_argument(
        "name", nargs="?", default="flow", metavar="NAME", help="which one; flow files if none"
    )
    parser.add_argument("--list", action="store_true", help="the names of all schemas")
    args = parser.read(argv, Arguments())
    if args.list:
        sys.stdout.write("".join(f"{name:<9} {what}\n" for name, what in PUBLISHED.items()))
        return DONE
    if args.name not in PUBLISHED:
        raise UsageError(_unknown(args.name))
    sys.stdout.write(published(args.name))
    return DONE


def _unknown(name: str) -> str:
    from flowc.suggest import closest  # Only needed once something is wrong.

    near = closest(name, list(PUBLISHED))
    hint = f" Did you mean `{near}`?" if near else ""
    return f"There is no schema `{name}`.{hint}\nhelp: `flowc schema --list` names them all"
