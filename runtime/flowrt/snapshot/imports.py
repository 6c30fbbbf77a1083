"""Which distributions packed code needs. In: the modules that a run calls. Out: names and versions.

Only what the callables of the run can reach counts: their modules, and the modules of the project that
those import, wherever in the text. What stands under `if TYPE_CHECKING:`, or in a `try` that takes an
ImportError, is not needed. A module of the standard library, and one that nobody has installed (a folder
on PYTHONPATH), has no distribution.
"""

import ast
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

MODULES_MAX = 500
"""So many modules of the project are read; a project of that size lists what it needs elsewhere."""

_KNOWN = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}
"""Asked first under these names: to look through all that is installed takes a tenth of a second."""

_TAKES = frozenset(("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))


def distributions(modules: Collection[str], python_path: Sequence[str]) -> dict[str, str]:
    """The distributions that these modules need, with the versions that are installed here.

    Args:
        modules: Import paths such as `etl.load`.
        python_path: Where the modules of the project lie.
    """
    needed: dict[str, str] = {}
    for module in sorted(_foreign(modules, python_path)):
        for found in _providers(module):
            needed[found.name] = found.version
    return needed


def _foreign(modules: Collection[str], python_path: Sequence[str]) -> set[str]:
    """The modules that are not of the project, found by following those that are."""
    foreign: set[str] = set()
    seen = set(modules)
    pending = list(seen)
    read = 0
    while pending:
        module = pending.pop()
        file = _file(module, python_path)
        if file is None:
            if module.partition(".")[0] not in sys.stdlib_module_names:
                foreign.add(module)
            continue
        read += 1
        if read > MODULES_MAX:
            break
        new = _imported(file, module, python_path) - seen
        seen |= new
        pending += new
    return foreign


def _file(module: str, python_path: Sequence[str]) -> str | None:
    """The source of a module of the project; a folder without one for a namespace package."""
    inner = module.replace(".", "/")
    for folder in python_path:
        for name in (f"{inner}/__init__.py", f"{inner}.py", inner):
            path = os.path.join(folder, name)  # noqa: PTH118 - asked for often
            if os.path.exists(path):  # noqa: PTH110
                return path
    return None


def _imported(file: str, module: str, python_path: Sequence[str]) -> set[str]:
    """What a module imports, by full names; the packages that it lies in are imported with it."""
    parts = module.split(".")
    found = {".".join(parts[:length]) for length in range(1, len(parts))}
    if Path(file).is_dir():
        return found
    package = parts if file.endswith("/__init__.py") else parts[:-1]
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return found
    for node in _needed(tree):
        match node:
            case ast.Import(names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(of, names, level):
                above = package[: len(package) - level + 1] if level else []
                whole = ".".join([*above, *([of] if of else [])])
                inside = {f"{whole}.{alias.name}" for alias in names}
                found |= {whole} | {name for name in inside if _file(name, python_path) is not None}
            case _:
                continue
    return found - {""}


def _needed(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those that only type checkers read, and those whose failure is provided for."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        yield node
        match node:
            case ast.If(test=test, orelse=orelse) if _type_checking(test):
                pending += orelse
            case ast.Try(handlers=handlers, finalbody=final) if any(_takes(one) for one in handlers):
                pending += final
            case _:
                pending += ast.iter_child_nodes(node)


def _type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else test.id if isinstance(test, ast.Name) else ""
    return name == "TYPE_CHECKING"


def _takes(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(isinstance(node, ast.Name) and node.id in _TAKES for node in ast.walk(handler.type))


@lru_cache(maxsize=1024)
def _providers(module: str) -> tuple[Distribution, ...]:
    """The distributions that a module comes from; several for a package that they share."""
    top = module.partition(".")[0]
    named = _distribution(_KNOWN.get(top, top))
    if named is not None and _has(named, top):
        return (named,)
    names = sorted(set(_by_package().get(top, ())))
    found = [one for one in map(_distribution, names) if one is not None]
    if len(found) > 1:
        found = [one for one in found if _has(one, module)][:1]
    return tuple(found)


@lru_cache(maxsize=1)
def _by_package() -> Mapping[str, list[str]]:
    return packages_distributions()


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError):
        return None


def _has(one: Distribution, module: str) -> bool:
    """Whether the files of a distribution hold a module."""
    inner = module.replace(".", "/")
    listed = one.read_text("RECORD") or ""
    pattern = rf"^{re.escape(inner)}(/|\.py|\.[\w.-]*(so|pyd),)"
    return re.search(pattern, listed, re.MULTILINE) is not None
