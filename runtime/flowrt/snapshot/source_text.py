"""The source of a callable, without importing it. In: an import path and folders. Out: its text, or less.

module:name           the text of the function or class, its decorators included
… imported from       the same of the module that it is imported from, as far as that is found
… that is no such     the whole module: the name is assigned, or inside of something
no such module there  nothing: it is installed, or written in another language
"""

import ast
import sys
from collections.abc import Sequence
from pathlib import Path

IMPORTS_MAX = 16
"""Through so many modules a name is followed that each imports from the next."""


def source_of(path: str, folders: Sequence[str]) -> str:
    """The source of `package.module:name`, from the folders and then from where Python looks."""
    module, _, name = path.partition(":")
    names, text = name.split("."), ""
    for _ in range(IMPORTS_MAX):
        file = _file(module, (*folders, *sys.path))
        if file is None:
            return text
        try:
            there = file.read_text("utf-8")
            tree = ast.parse(there)
            node = _found(tree, names)
        except (OSError, ValueError, SyntaxError, RecursionError):
            return text
        if node is not None:
            first = min((node.lineno, *(each.lineno for each in node.decorator_list)))
            return "\n".join(there.split("\n")[first - 1 : node.end_lineno])
        text = there
        package = module if file.stem == "__init__" else module.rpartition(".")[0]
        elsewhere = _imported(tree, names[0], package)
        if elsewhere is None:
            break
        module, names[0] = elsewhere
    return text


def _imported(tree: ast.Module, name: str, package: str) -> tuple[str, str] | None:
    """The module that a name is imported from, and what it is called there."""
    found: tuple[str, str] | None = None
    for each in tree.body:
        if isinstance(each, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - each.level + 1] if each.level else []
            module = ".".join([*above, *([each.module] if each.module else [])])
            found = next(((module, a.name) for a in each.names if (a.asname or a.name) == name), found)
    return found


def _file(module: str, folders: Sequence[str]) -> Path | None:
    relative = module.replace(".", "/")
    for folder in folders:
        for name in (f"{relative}.py", f"{relative}/__init__.py"):
            file = Path(folder) / name
            if file.is_file():
                return file
    return None


def _found(
    tree: ast.Module, names: Sequence[str]
) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None:
    body = tree.body
    found: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | None = None
    for name in names:
        same = [
            each
            for each in body
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and each.name == name
        ]
        if not same:
            return None
        found = same[-1]
        body = found.body
    return found
