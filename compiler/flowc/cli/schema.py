"""`flowc schema [NAME | FILE[:FLOW]]`. In: what is described. Out: its JSON Schema."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from flowc.cli.exits import DONE, UsageError
from flowc.cli.flow_file import compile_target, split_target
from flowc.cli.parser import CommandParser
from flowc.schema.published import PUBLISHED, published

EXAMPLE = """\
  flowc schema > .flow.schema.json
  flowc schema --list
  flowc schema etl.flow.yaml:daily_etl"""


class Arguments(argparse.Namespace):
    """The arguments of `flowc schema`."""

    name: str
    list: bool


def main(argv: Sequence[str]) -> int:
    """Print a schema, or the names of all."""
    parser = CommandParser("schema", "Print a published JSON Schema, or that of a flow's inputs.", EXAMPLE)
    parser.add_argument(
        "name",
        nargs="?",
        default="flow",
        metavar="NAME|FILE[:FLOW]",
        help="a published one (default: flow), or a flow, for its inputs",
    )
    parser.add_argument("--list", action="store_true", help="the names of all schemas")
    args = parser.read(argv, Arguments())
    if args.list:
        sys.stdout.write("".join(f"{name:<9} {what}\n" for name, what in PUBLISHED.items()))
        return DONE
    if args.name not in PUBLISHED:
        sys.stdout.write(_of_inputs(args.name))
        return DONE
    sys.stdout.write(published(args.name))
    return DONE


def _of_inputs(target: str) -> str:
    """The schema of a flow's inputs; the classes in it are imported."""
    if not Path(split_target(target)[0]).suffix:
        raise UsageError(_unknown(target))
    compiled = compile_target(target)
    from flowrt.inputs.json_schema import inputs_schema

    flow = compiled.program.flows[compiled.program.main]
    return json.dumps(inputs_schema(flow, compiled.python_path), indent=2, ensure_ascii=False) + "\n"


def _unknown(name: str) -> str:
    from flowc.suggest import closest  # Only needed once something is wrong.

    near = closest(name, list(PUBLISHED))
    hint = f" Did you mean `{near}`?" if near else ""
    return f"There is no schema `{name}`.{hint}\nhelp: `flowc schema --list` names them all"
