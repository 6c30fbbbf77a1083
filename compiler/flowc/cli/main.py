"""The `flowc` command. In: the words of the command line. Out: the exit code.

The table below is all that is known here of the commands. The module of a command is imported when it
is called, so that `flowc validate` pays for nothing that only `flowc run` needs. What a command raises
ends here: mistakes of users, flows and files become one message and an exit code, and what is left is a
fault of ours, whose traceback goes into a file.
"""

import gc
import io
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from flowc.cli.exits import (
    BROKEN_PIPE,
    DONE,
    INTERNAL,
    INTERRUPTED,
    INVALID_FLOW,
    RUN_OWNED,
    USAGE,
    InvalidFlows,
    UsageError,
    missing_extra,
)

COMMANDS: Mapping[str, tuple[str, str]] = {
    "validate": ("flowc.cli.validate", "check flow files; imports no user code"),
    "explain": ("flowc.cli.explain", "explain a rule: what, why, a bad and a good example"),
    "fmt": ("flowc.cli.fmt", "bring flow files into canonical form"),
    "convert": ("flowc.cli.convert", "write a flow file in the other syntax"),
    "compile": ("flowc.cli.compile", "show the bind graph that a flow compiles to"),
    "graph": ("flowc.cli.graph", "draw a flow, or a run of it: mermaid, dot, svg"),
    "schema": ("flowc.cli.schema", "print the JSON Schema of flow files, for editors, or another one"),
    "run": ("flowc.cli.run", "compile a flow and run it durably to the end"),
    "resume": ("flowc.cli.resume", "continue a run after a crash, an interruption or a failure"),
    "list": ("flowc.cli.list_runs", "list the runs in the store"),
    "show": ("flowc.cli.show", "show the steps of a run and what it waits for"),
    "why": ("flowc.cli.why", "say why a run stands as it does, or why a step did or did not run"),
    "output": ("flowc.cli.output", "print the result of a run or of one of its steps"),
    "cancel": ("flowc.cli.cancel", "cancel a run"),
    "serve": ("flowc.cli.serve", "move on handed-over runs, run schedules, answer HTTP"),
    "actors": ("flowc.cli.actors", "list the actors in the store, show the state of one, or remove it"),
    "delete": ("flowc.cli.delete", "remove runs that have ended, and what only they needed"),
    "store": ("flowc.cli.store", "look after a store: `gc` collects what no run needs, `check` verifies it"),
    "send": ("flowc.cli.send", "send an event to the runs that wait for it"),
}
"""Name, module with a function `main(argv) -> int`, and summary of each command."""

NEW_OBJECTS = 100_000
"""The garbage collector looks after so many, not 700: a start makes 20,000, and they all stay."""


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out one command line and return its exit code; never raises."""
    _print_anything()
    if argv is None:
        gc.set_threshold(NEW_OBJECTS)
    try:
        code = _guarded(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    if argv is None:
        gc.freeze()  # The process ends: nobody needs to look for garbage on the way out.
    return code


def _guarded(argv: Sequence[str]) -> int:
    """Dispatch, with every exception but a broken pipe turned into a message and a code."""
    try:
        return _dispatch(argv)
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        raise
    except InvalidFlows as error:
        sys.stderr.write(str(error))
        return INVALID_FLOW
    except UsageError as error:
        return _say(str(error), USAGE)
    except Exception as error:  # noqa: BLE001 - the last resort: whatever it is, it is told
        return _failed(error)


def _dispatch(argv: Sequence[str]) -> int:
    if not argv:
        sys.stderr.write(_overview())
        return USAGE
    name, rest = argv[0], argv[1:]
    if name in ("-h", "--help", "help"):
        return _help(rest)
    if name in ("-V", "--version"):
        return _version()
    if name not in COMMANDS:
        return _unknown(name)
    return _command(name)(rest)


def _command(name: str) -> Callable[[Sequence[str]], int]:
    from importlib import import_module

    command: Callable[[Sequence[str]], int] = import_module(COMMANDS[name][0]).main
    return command


def _help(rest: Sequence[str]) -> int:
    if rest and rest[0] in COMMANDS:
        return _command(rest[0])(["--help"])
    if rest and not rest[0].startswith("-"):
        return _unknown(rest[0])
    sys.stdout.write(_overview())
    return DONE


def _overview() -> str:
    lines = [f"  {name:<9} {summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: flowc COMMAND …",
            "",
            "Flows for Ray: written in YAML, checked before they run, run durably.",
            "",
            "commands:",
            *lines,
            "",
            "example:",
            "  flowc validate etl.flow.yaml && flowc run etl.flow.yaml -i day=2026-01-01",
            "",
            "`flowc COMMAND --help` tells more; `flowc --version` prints the version.",
            "",
        ]
    )


def _version() -> int:
    from importlib.metadata import PackageNotFoundError, version

    try:
        sys.stdout.write(f"flowc {version('flowc')}\n")
    except PackageNotFoundError:
        sys.stdout.write("flowc (not installed as a package)\n")
    return DONE


def _unknown(name: str) -> int:
    from flowc.suggest import closest

    kind = "an option" if name.startswith("-") else "a command"
    near = closest(name, list(COMMANDS))
    hint = f" Did you mean `{near}`?" if near else ""
    return _say(f"`{name}` is not {kind} of flowc.{hint}\nhelp: run `flowc --help`", USAGE)


def _say(message: str, code: int) -> int:
    sys.stderr.write(f"error: {message}\n")
    return code


def _failed(error: Exception) -> int:
    """What the world is to blame for is said as it is; the rest is our fault."""
    from flowrt.errors import FlowrtError, RunOwned

    if isinstance(error, FlowrtError):
        return _say(str(error), RUN_OWNED if isinstance(error, RunOwned) else USAGE)
    missing = missing_extra(error) if isinstance(error, ImportError) else None
    return _internal(error) if missing is None else _say(str(missing), USAGE)


def _internal(error: Exception) -> int:
    """Write the traceback into a file and say where it is."""
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="flowc-", suffix=".log", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write(text)
        where = f"the traceback is in {file.name}"
    except OSError:
        where = f"the traceback could not be written to a file:\n{text}"
    sys.stderr.write(
        f"flowc: internal error: {type(error).__name__}: {error}\n"
        f"This is a fault of flowc, not of your flow; please report it; {where}\n"
    )
    return INTERNAL


def _print_anything() -> None:
    """Let a character that the terminal's encoding lacks be escaped instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
