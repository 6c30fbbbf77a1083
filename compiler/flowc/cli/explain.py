"""`flowc explain CODE`. In: the code of a rule. Out: what it is, why, a bad and a good example."""

import argparse
import json
import sys
import textwrap
from collections.abc import Sequence

from flowc.cli.exits import DONE, UsageError
from flowc.cli.parser import CommandParser
from flowc.codes.entry import Code
from flowc.codes.table import CODES
from flowc.render.text_cells import printable

EXAMPLE = "  flowc explain F0201"


class Arguments(argparse.Namespace):
    """The arguments of `flowc explain`."""

    code: str | None
    json: bool


def main(argv: Sequence[str]) -> int:
    """Explain one rule, or list them all."""
    parser = CommandParser("explain", "Explain a rule; without a code, list the rules.", EXAMPLE)
    parser.add_argument("code", nargs="?", metavar="CODE", help="the code of a finding, such as F0201")
    parser.add_argument("--json", action="store_true", help="print JSON")
    args = parser.read(argv, Arguments())
    codes = [CODES[code] for code in sorted(CODES)] if args.code is None else [_find(args.code)]
    if args.json:
        told = [_plain(code) for code in codes]
        sys.stdout.write(json.dumps(told if args.code is None else told[0], indent=2) + "\n")
    elif args.code is None:
        sys.stdout.write("".join(f"{code.code}  {code.title}\n" for code in codes))
    else:
        sys.stdout.write(_text(codes[0]))
    return DONE


def _find(given: str) -> Code:
    code = CODES.get(given.strip().upper())
    if code is not None:
        return code
    from flowc.suggest import closest  # Only needed once something is wrong.

    near = closest(given.strip().upper(), list(CODES))
    hint = f" Did you mean `{near}`?" if near else ""
    raise UsageError(
        f"`{given}` is not the code of a rule.{hint}\nhelp: `flowc explain` without a code lists all rules"
    )


def _text(code: Code) -> str:
    examples = f"Bad:\n\n{_inset(code.bad)}\n\nGood:\n\n{_inset(code.good)}\n"
    return f"{code.code}: {code.title}\n\n{textwrap.fill(code.why, 100)}\n\n{examples}"


def _inset(text: str) -> str:
    return "\n".join(f"    {printable(line)}".rstrip() for line in text.strip("\n").split("\n"))


def _plain(code: Code) -> dict[str, str]:
    return {
        "code": code.code,
        "title": code.title,
        "why": code.why,
        "bad": code.bad,
        "good": code.good,
    }
