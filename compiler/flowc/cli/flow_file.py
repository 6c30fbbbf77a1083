"""`FILE[:FLOW]`. In: the word as given. Out: a compiled flow, or the findings as the reason why not."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flowc.cli.exits import InvalidFlows, UsageError
from flowc.cli.findings import summary, use_color

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

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
    from flowc.compile import compile_file

    file, flow = split_target(target)
    with _readable(file):
        return compile_file(file, flow)


def compile_files(files: "Sequence[str]") -> "dict[str, Compiled]":
    """Compile every flow of several files, by name. Raises as `compile_target`."""
    from flowc.compile import compile_all

    flows: dict[str, Compiled] = {}
    homes: dict[str, str] = {}
    for name in files:
        with _readable(Path(name)):
            for compiled in compile_all(name):
                flow = compiled.program.main
                if flow in homes:
                    raise UsageError(
                        f"The flow `{flow}` is in {homes[flow]} and in {name}; flows are served by name."
                    )
                flows[flow], homes[flow] = compiled, name
    return flows


@contextlib.contextmanager
def _readable(file: Path) -> "Generator[None]":
    """Say of a file that cannot be read or compiled what is wrong with it."""
    from flowc.compile import InvalidFlow
    from flowc.render.render import render_text

    if file.is_dir():
        raise UsageError(f"`{file}` is a directory; name a flow file.")
    if file.suffix == ".py":
        raise UsageError(f"`{file}` is a Python file; name a flow file, such as `{file.stem}.flow.yaml`.")
    try:
        yield
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
