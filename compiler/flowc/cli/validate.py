"""`flowc validate PATH…`. In: files and directories. Out: findings on stdout, a summary on stderr.

This is the command that runs on every save and in every CI job, so each import here is paid for each
time: nothing but the front end of the compiler is loaded, and no user code at any level.
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from flowc.cli.collection import no_collection
from flowc.cli.exits import DONE, FINDINGS, USAGE, UsageError
from flowc.cli.findings import summary, use_color
from flowc.cli.search import find_flow_files
from flowc.diagnostic import Diagnostic
from flowc.link import Library
from flowc.linked import every_file
from flowc.read import read_bytes
from flowc.resolve.file import resolve

if TYPE_CHECKING:
    from flowc.cli.parser import CommandParser

STDIN = "-"
NOT_CHECKED = ("signatures of callables",)
EXAMPLE = """\
  flowc validate .
  flowc validate etl.flow.yaml --format github
  git show :etl.flow.yaml | flowc validate - --stdin-filename etl.flow.yaml"""

Level = Literal["syntax", "wiring"]
Format = Literal["text", "concise", "json", "github"]


class Arguments:
    """The arguments of `flowc validate`."""

    paths: list[str]
    stdin_filename: str | None = None
    format: Format = "text"
    level: Level = "wiring"
    fail_on: Literal["error", "warning", "never"] = "error"


def main(argv: Sequence[str]) -> int:
    """Check files; 0 without findings that count, 1 with, 2 when a file could not be read."""
    args = _arguments(argv)
    paths = _paths(args)
    with no_collection():
        found, unreadable = _check(paths, args)
    _print(found, args, len(paths) - unreadable)
    sys.stdout.flush()  # So that the summary comes last on a terminal.
    if len(paths) > unreadable:
        sys.stderr.write(summary(found, len(paths) - unreadable) + "\n")
    if unreadable:
        return USAGE
    return FINDINGS if _counts(found, args.fail_on) else DONE


def _check(paths: Sequence[str], args: Arguments) -> tuple[list[Diagnostic], int]:
    """The findings in all files, doubles only once, and how many files could not be read."""
    found: list[Diagnostic] = []
    unreadable = 0
    library = Library()
    for path in paths:
        name = (args.stdin_filename or "<stdin>") if path == STDIN else path
        try:
            data = _read(path)
        except OSError as error:
            unreadable += 1
            sys.stderr.write(f"error: The file `{name}` cannot be read: {error.strerror}.\n")
            continue
        found.extend(check_bytes(name, data, args.level, library))
    return list(dict.fromkeys(found)), unreadable


def _read(path: str) -> bytes:
    if path == STDIN:
        return sys.stdin.buffer.read()
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slower to import than most flows to check
        return file.read()


def check_bytes(name: str, data: bytes, level: Level, library: Library) -> list[Diagnostic]:
    """All findings in one file's bytes: reading, then shapes, then names and graphs, and used files."""
    if level == "syntax":
        tree, found = read_bytes(name, data)
        return [*found, *resolve(tree)[1]]
    return [finding for each in every_file(library.link(name, data)) for finding in each.found]


def _arguments(argv: Sequence[str]) -> Arguments:
    args = Arguments()
    if argv and all(word == STDIN or not word.startswith("-") for word in argv):
        args.paths = list(argv)  # No options: a parser would take longer to make than a flow to check.
        return args
    return _parser().read(argv, args)


def _parser() -> "CommandParser":
    from flowc.cli.parser import CommandParser

    parser = CommandParser("validate", "Check flow files. Imports neither user code nor Ray.", EXAMPLE)
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a file, a directory (searched for *.flow.yaml and *.flow, less .gitignore), or - for stdin",
    )
    parser.add_argument("--stdin-filename", metavar="NAME", help="the name that findings give to stdin")
    parser.add_argument("--format", choices=("text", "concise", "json", "github"))
    parser.add_argument(
        "--level",
        choices=("syntax", "wiring"),
        help="syntax: lines, keys, shapes, expressions; wiring: names, paths, graphs too (default)",
    )
    parser.add_argument("--fail-on", choices=("error", "warning", "never"))
    return parser


def _paths(args: Arguments) -> list[str]:
    if args.stdin_filename is not None and STDIN not in args.paths:
        raise UsageError("`--stdin-filename` names what comes in through stdin; give `-` as the path.")
    if STDIN not in args.paths:
        return find_flow_files(args.paths)
    if len(args.paths) > 1:
        raise UsageError("`-` is stdin and must be the only path.")
    return [STDIN]


def _counts(found: Sequence[Diagnostic], fail_on: str) -> bool:
    if fail_on == "never":
        return False
    counted = {"error"} if fail_on == "error" else {"error", "warning"}
    return any(one.severity in counted for one in found)


def _print(found: list[Diagnostic], args: Arguments, file_count: int) -> None:
    if not found and args.format != "json":
        return
    sys.stdout.write(_rendered(found, args, file_count).rstrip("\n") + "\n")


def _rendered(found: list[Diagnostic], args: Arguments, file_count: int) -> str:
    from flowc.render.render import (  # Only when there is something to say.
        render_concise,
        render_json,
        render_text,
    )

    match args.format:
        case "text":
            return render_text(found, color=use_color(sys.stdout.isatty))
        case "concise":
            return render_concise(found)
        case "json":
            return render_json(found, files=file_count, not_checked=_not_checked(args.level))
        case "github":
            from flowc.cli.github import render_github

            return render_github(found)


def _not_checked(level: Level) -> tuple[str, ...]:
    """What was left out, at this level and with what is installed."""
    from importlib.util import find_spec

    names = ("names and graphs",) if level == "syntax" else ()
    cron = () if find_spec("cronsim") else ("cron expressions",)
    return (*names, *NOT_CHECKED, *cron)
