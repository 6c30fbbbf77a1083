"""`FILE[:FLOW]`. In: the word as given. Out: a compiled flow, or the findings as the reason why not."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flowc.cli.exits import InvalidFlows, UsageError
from flowc.cli.findings import summary, use_color
from flowc.cli.search import refuse_dsl

if TYPE_CHECKING:
    from flowc.compile import Compiled


def split_target(target: str) -> tuple[Path, str | None]:
    """The file, and the name of the flow when one is given; a name of a file may hold a colon."""
    if Path(target).exists():
        return Path(target), None
    file, colon, flow = target.rpartition(":")
    if colon and flow.isidentifier():
        return Path(file), flow
    return Path(target), None


def compile_target(target: str) -> "Compiled":
    """Compile `FILE[:FLOW]`. Raises UsageError for an unreadable file, InvalidFlows with the findings."""
    from flowc.compile import InvalidFlow, compile_file
    from flowc.render.render import render_text

    file, flow = split_target(target)
    if file.is_dir():
        raise UsageError(f"`{file}` is a directory; name a flow file.")
    refuse_dsl(str(file))
    if file.suffix == ".py":
        raise UsageError(f"`{file}` is a Python file; name a flow file, such as `{file.stem}.flow.yaml`.")
    try:
        return compile_file(file, flow)
    except OSError as error:
        raise UsageError(f"The file `{file}` cannot be read: {error.strerror}.") from error
    except InvalidFlow as error:
        text = render_text(error.diagnostics, color=use_color(sys.stderr.isatty))
        raise InvalidFlows(f"{text.rstrip()}\n{summary(error.diagnostics, 1)}\n") from error


def show_warnings(compiled: "Compiled") -> None:
    """Say on stderr what the compiler found that is no error."""
    if compiled.diagnostics:
        from flowc.render.render import render_text

        text = render_text(compiled.diagnostics, color=use_color(sys.stderr.isatty))
        sys.stderr.write(f"{text.rstrip()}\n{summary(compiled.diagnostics, 1)}\n")
