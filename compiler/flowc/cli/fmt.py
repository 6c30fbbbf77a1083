"""`flowc fmt PATH…`. In: flow files. Out: the same files in canonical form, or what would change in them."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flowc.cli.exits import DONE, FINDINGS, INVALID_FLOW, USAGE, UsageError
from flowc.cli.findings import summary, use_color
from flowc.cli.parser import CommandParser
from flowc.cli.replace_file import replace_unchanged
from flowc.cli.search import find_flow_files

if TYPE_CHECKING:
    from flowc.diagnostic import Diagnostic
    from flowc.rewrite import Outcome

STDIN = "-"
EXAMPLE = """\
  flowc fmt .
  flowc fmt --check --diff flows/
  flowc fmt - < draft.flow.yaml"""


class Arguments(argparse.Namespace):
    """The arguments of `flowc fmt`."""

    paths: list[str]
    check: bool
    diff: bool
    stdin_filename: str


def main(argv: Sequence[str]) -> int:
    """Format files; 1 with `--check` or `--diff` when some would change, 3 when some are not valid."""
    args = _arguments(argv)
    if STDIN in args.paths:
        if len(args.paths) > 1:
            raise UsageError("`-` is stdin and must be the only path.")
        return _file(args.stdin_filename, None, args)[0]
    results = [_file(name, Path(name), args) for name in find_flow_files(args.paths)]
    sys.stdout.flush()  # So that the summary comes last on a terminal.
    sys.stderr.write(_summary(results, would=args.check or args.diff) + "\n")
    codes = [code for code, _ in results]
    return next((code for code in (USAGE, INVALID_FLOW, FINDINGS) if code in codes), DONE)


def _arguments(argv: Sequence[str]) -> Arguments:
    parser = CommandParser(
        "fmt", "Bring flow files into canonical form. Comments and what the flows mean stay.", EXAMPLE
    )
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a file, a directory (searched, honouring .gitignore), or - for stdin to stdout",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file would change")
    parser.add_argument("--diff", action="store_true", help="write nothing; show what would change")
    parser.add_argument(
        "--stdin-filename",
        metavar="NAME",
        default="stdin.flow.yaml",
        help="the name of what comes in through stdin; it says which syntax that is",
    )
    return parser.read(argv, Arguments())


def _file(name: str, path: Path | None, args: Arguments) -> tuple[int, bool]:
    """Format one file; the exit code it asks for, and whether it is, or would be, changed."""
    from flowc.link import read_named, read_stdin

    try:
        data = read_stdin() if path is None else read_named(str(path))
    except OSError as error:
        sys.stderr.write(f"error: The file `{name}` cannot be read: {error.strerror}.\n")
        return USAGE, False
    new = _formatted(name, data)
    if isinstance(new, int):
        return new, False
    changed = new != data
    if args.check or args.diff:
        if changed:
            _show(name, data, new, args)
        return (FINDINGS if changed else DONE), changed
    if path is None:
        sys.stdout.buffer.write(new)
    elif changed and not replace_unchanged(path, data, new):
        return USAGE, False
    return DONE, changed


def _formatted(name: str, data: bytes) -> bytes | int:
    """The new bytes; an exit code when there are none, which has been explained."""
    from flowc.read_yaml.source_text import decode
    from flowc.rewrite import Invalid, rewritten, syntax_of

    source, findings = decode(name, data)
    syntax = syntax_of(name)
    outcome = Invalid(tuple(findings)) if findings else rewritten(source, syntax, syntax)
    return written_or_said(name, outcome)


def written_or_said(name: str, outcome: "Outcome", what: str = "left as it is") -> bytes | int:
    """The bytes of a text that could be written; else an exit code, after the reason has been told."""
    from flowc.rewrite import Invalid, Refused, Rewritten

    match outcome:
        case Rewritten(text=text):
            return text.encode()
        case Invalid(diagnostics=diagnostics):
            _say_invalid(diagnostics)
            return INVALID_FLOW
        case Refused(reason=reason):
            sys.stderr.write(f"error: The file `{name}` is {what}. {reason}\n")
            return USAGE


def _say_invalid(diagnostics: "Sequence[Diagnostic]") -> None:
    from flowc.render.render import render_text

    text = render_text(diagnostics, color=use_color(sys.stderr.isatty))
    sys.stderr.write(f"{text.rstrip()}\n{summary(diagnostics, 1)}\n")


def _show(name: str, old: bytes, new: bytes, args: Arguments) -> None:
    if not args.diff:
        sys.stdout.write(f"{name}\n")
        return
    from difflib import unified_diff

    before, after = (data.decode().splitlines(keepends=True) for data in (old, new))
    for line in unified_diff(before, after, name, name):
        sys.stdout.write(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")


def _summary(results: Sequence[tuple[int, bool]], *, would: bool) -> str:
    changed = sum(one for _, one in results)
    failed = sum(code in (USAGE, INVALID_FLOW) for code, _ in results)
    kept = len(results) - changed - failed
    said = [
        (changed, "would be formatted" if would else "formatted"),
        (kept, "left as it was"),
        (failed, "not formatted"),
    ]
    return ", ".join(f"{count} file{'' if count == 1 else 's'} {what}" for count, what in said if count) + "."
