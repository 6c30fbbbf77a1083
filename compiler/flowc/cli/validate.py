"""`flowc validate PATH…`. In: files and directories. Out: findings on stdout, a summary on stderr.

This is the command that runs on every save and in every CI job, so each import here is paid for each
time: nothing but the front end of the compiler is loaded, and no user code at any level.
"""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from flowc.cli.collection import no_collection
from flowc.cli.exits import DONE, FINDINGS, USAGE, UsageError
from flowc.cli.findings import summary, use_color
from flowc.cli.search import find_flow_files
from flowc.diagnostic import Diagnostic
from flowc.link import Library, read_named, read_stdin
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
  flowc validate flows/ --fix
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
    fix: bool = False
    unsafe_fixes: bool = False
    diff: bool = False


def main(argv: Sequence[str]) -> int:
    """Check files; 0 without findings that count, 1 with, 2 when a file could not be read or written."""
    args = _arguments(argv)
    paths = _paths(args)
    if args.diff:
        return _show_fixes(paths, args)
    if args.fix and paths == [STDIN]:
        return _fix_stdin(args)
    with no_collection():
        written = not args.fix or _fix(paths, args)
        found, unreadable = _check(paths, args)
    code = _report(found, args, len(paths), unreadable)
    return code if written else USAGE


def _report(found: list[Diagnostic], args: Arguments, path_count: int, unreadable: int) -> int:
    _print(found, args, path_count - unreadable)
    sys.stdout.flush()  # So that the summary comes last on a terminal.
    if path_count > unreadable:
        sys.stderr.write(summary(found, path_count - unreadable) + _fixable(found) + "\n")
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


def _fixable(found: Sequence[Diagnostic]) -> str:
    """How many of the findings `--fix` mends; nothing when it is none."""
    count = sum(any(fix.safe for fix in one.fixes) for one in found)
    return f"; --fix mends {count}" if count else ""


def _fix(paths: Sequence[str], args: Arguments) -> bool:
    """Fix files; False when one could not be written."""
    from flowc.cli.fix_files import fix_file

    written = [fix_file(path, _finder(args), unsafe=args.unsafe_fixes) for path in paths]
    return all(written)


def _fix_stdin(args: Arguments) -> int:
    """Fix what comes in through stdin: the text goes to stdout, what is left to stderr."""
    from flowc.cli.fix_files import fix_stdin

    name = args.stdin_filename or "<stdin>"
    data = fix_stdin(name, _read(STDIN), _finder(args), unsafe=args.unsafe_fixes)
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
    found = check_bytes(name, data, args.level, Library())
    if found:
        sys.stderr.write(_rendered(found, args, 1).rstrip("\n") + "\n")
    sys.stderr.write(summary(found, 1) + "\n")
    return FINDINGS if _counts(found, args.fail_on) else DONE


def _show_fixes(paths: Sequence[str], args: Arguments) -> int:
    """Show what `--fix` would change; 1 when that is anything."""
    from flowc.cli.fix_files import diff_of

    code = DONE
    for path in paths:
        name = (args.stdin_filename or "<stdin>") if path == STDIN else path
        try:
            diff = diff_of(name, _read(path), _finder(args), unsafe=args.unsafe_fixes)
        except OSError as error:
            sys.stderr.write(f"error: The file `{name}` cannot be read: {error.strerror}.\n")
            return USAGE
        sys.stdout.write(diff)
        code = FINDINGS if diff else code
    return code


def _finder(args: Arguments) -> Callable[[str, bytes], list[Diagnostic]]:
    """What finds the mistakes of one file, at the level that is asked for."""
    return lambda name, data: check_bytes(name, data, args.level, Library())


def _read(path: str) -> bytes:
    return read_stdin() if path == STDIN else read_named(path)


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
    parser.add_argument(
        "--fix", action="store_true", help="apply the fixes that leave no doubt, and report what is left"
    )
    parser.add_argument(
        "--unsafe-fixes", action="store_true", help="with --fix or --diff: also those that are guesses"
    )
    parser.add_argument("--diff", action="store_true", help="write nothing; show what --fix would change")
    return parser


def _paths(args: Arguments) -> list[str]:
    if args.unsafe_fixes and not (args.fix or args.diff):
        raise UsageError("`--unsafe-fixes` says which fixes to apply; give `--fix`, or `--diff` to see them.")
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
