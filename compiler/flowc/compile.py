"""Compile: a flow file comes in, a program goes out, which binds to a Ray graph. The stages, in order.

    text ──read──▶ tree ──resolve──▶ IR ──link──▶ with the files it uses ──check──▶ findings
                                                           └──lower──▶ program ──bind──▶ Ray bind graph

Each stage up to `check` gives what it made and what it found; all findings are collected, so that an
author sees every one of them at once. Nothing is lowered as long as one of them is an error.
"""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from flowc.checks.check import check
from flowc.config import python_path as configured_path
from flowc.diagnostic import Diagnostic
from flowc.ir import File
from flowc.link import Library, read_named
from flowc.linked import Linked, every_file
from flowc.lower.file import lower_linked
from flowc.read import read
from flowc.resolve.file import resolve
from flowc.span import Source
from flowc.suggest import closest
from flowc.tree import Tree
from flowrt.errors import FlowrtError
from flowrt.noun import noun
from flowrt.program import Program

if TYPE_CHECKING:
    from flowrt.graph.ops import Bound


class InvalidFlow(Exception):
    """A flow file has errors; `diagnostics` are all findings, `str()` is how `flowc validate` shows them."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Keep the findings."""
        super().__init__(diagnostics)
        self.diagnostics = tuple(diagnostics)

    def __str__(self) -> str:
        """The findings, rendered."""
        from flowc.render.render import render_text  # noqa: PLC0415 - only when there is something to say

        return "\n" + render_text(self.diagnostics, color=False)


class UnknownFlow(FlowrtError):
    """The file holds no flow of that name."""


@noun
class Compiled:
    """A compiled flow. `diagnostics` are findings that are no errors.

    `python_path` is where its callables are looked for, before the interpreter's own path.
    """

    program: Program
    diagnostics: tuple[Diagnostic, ...]
    python_path: tuple[str, ...]

    def bind(self, **inputs: object) -> "Bound":
        """The Ray bind graph of the flow with these inputs: inspect it, or hand it to `flowrt.run`.

        Raises:
            BadInput: An input is unknown, missing or of the wrong type.
            UnsupportedGraph: Ray refuses the options of a step.
        """
        from flowc.bind import bind  # noqa: PLC0415 - Ray is loaded only where graphs are made
        from flowrt.inputs.inputs import convert_inputs  # noqa: PLC0415 - as above

        flow = self.program.flows[self.program.main]
        given = convert_inputs(flow, inputs, self.python_path)
        return bind(self.program, given, self.python_path)


def compile_all(path: str | PathLike[str]) -> tuple[Compiled, ...]:
    """Compile every flow of a file, each as the main flow of a program of its own.

    Raises as `compile_file` does.
    """
    linked, diagnostics = _checked(Path(path))
    folders = _folders(Path(path), linked)
    names = [] if linked.file is None else [flow.name.text for flow in linked.file.flows]
    return tuple(Compiled(lower_linked(linked, name), diagnostics, folders) for name in names)


def compile_file(
    path: str | PathLike[str], flow: str | None = None, python_path: Sequence[str] | None = None
) -> Compiled:
    """Compile a flow of a file.

    Args:
        path: The file.
        flow: The name of the flow; the first one of the file when None.
        python_path: Where callables are looked for first. When None it is `python-path` in `[tool.flowc]` of
            the nearest `pyproject.toml`, or else the file's directory, then the same for each file that it
            uses, and then the current directory.

    Raises:
        InvalidFlow: The file has errors.
        UnknownFlow: The file holds no flow of that name.
        BadConfig: The project's settings cannot be read.
        OSError: The file cannot be read.
    """
    linked, diagnostics = _checked(Path(path))
    folders = _folders(Path(path), linked) if python_path is None else tuple(python_path)
    assert linked.file is not None, "nothing was understood, and nothing found"
    return Compiled(lower_linked(linked, _known(linked.file, flow)), diagnostics, folders)


def checked_file(path: str | PathLike[str]) -> Linked:
    """A file without errors, with those that it uses. Raises as `compile_file`."""
    return _checked(Path(path))[0]


def _checked(path: Path) -> tuple[Linked, tuple[Diagnostic, ...]]:
    """A file with those that it uses, and what was found in all of them that is no error."""
    linked = Library().link(str(path), read_named(str(path)))
    diagnostics = tuple(finding for each in every_file(linked) for finding in each.found)
    file = linked.file
    if file is None or not file.flows or any(each.severity == "error" for each in diagnostics):
        raise InvalidFlow(diagnostics)
    return linked, diagnostics


def _folders(path: Path, linked: Linked) -> tuple[str, ...]:
    """Where the callables of a file and of those that it uses are looked for."""
    others = [Path(each.place) for each in every_file(linked) if each is not linked]
    return configured_path(path, others)


def check_source(source: Source) -> tuple[File | None, list[Diagnostic]]:
    """Read, resolve and check a text by itself; the file as far as it was understood, and every finding."""
    tree, found = read(source)
    file, more = check_tree(tree, found)
    return file, [*found, *more]


def check_tree(tree: Tree, earlier: Sequence[Diagnostic] = ()) -> tuple[File | None, list[Diagnostic]]:
    """Resolve and check what was read; what `earlier` findings explain is not reported again."""
    file, found = resolve(tree)
    return file, [*found, *(check(file, [*earlier, *found]) if file is not None else ())]


def _known(file: File, flow: str | None) -> str:
    names = [each.name.text for each in file.flows]
    if flow is None:
        return names[0]
    if flow in names:
        return flow
    near = closest(flow, names)
    meant = f" Did you mean `{near}`?" if near else f" It holds {', '.join(f'`{name}`' for name in names)}."
    raise UnknownFlow(f"The file {file.source.name} holds no flow `{flow}`.{meant}")
