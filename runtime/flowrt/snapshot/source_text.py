"""The source of a callable, without importing it. In: an import path and folders. Out: its text, or less.

module:name           the text of the function or class, its decorators included
… that is no such     the whole module: the name is assigned, imported, or inside of something
no such module there  nothing: it is installed, or written in another language
"""

import ast
import sys
from collections.abc import Sequence
from pathlib import Path


def source_of(path: str, folders: Sequence[str]) -> str:
    """The source of `package.module:name`, from the folders and then from where Python looks."""
    module, _, name = path.partition(":")
    file = _file(module, (*folders, *sys.path))
    if file is None:
        return ""
    try:
        text = file.read_text("utf-8")
        node = _found(ast.parse(text), name.split("."))
    except (OSError, ValueError, SyntaxError, RecursionError):
        return ""
    if node is None:
        return text
    first = min((node.lineno, *(each.lineno for each in node.decorator_list)))
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])


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
