"""The rules of the house that linters cannot hold. Each says what to do instead."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LINES_MAX = 400
FUNCTION_LINES_MAX = 50
VAGUE = {"utils", "util", "common", "helpers", "helper", "base", "manager", "misc"}


def tracked(*patterns: str) -> list[Path]:
    """The files of the repository, those included that are about to be committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def sources() -> list[Path]:
    return tracked("compiler/*.py", "runtime/*.py", "schemas/*.py")


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_no_file_is_long() -> None:
    """Which two things does it hold? Give each a file."""
    lengths = {shown(path): len(path.read_text().splitlines()) for path in sources()}
    assert {name: n for name, n in lengths.items() if n > LINES_MAX} == {}


def test_no_function_is_long() -> None:
    """Name its parts."""
    long = {}
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                if length > FUNCTION_LINES_MAX:
                    long[f"{shown(path)}:{node.lineno} {node.name}"] = length
    assert long == {}


def test_each_module_opens_with_what_it_is() -> None:
    """One sentence: what comes in, what goes out."""
    silent = [shown(path) for path in sources() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_names_say_what_a_file_holds() -> None:
    """A file is named for the noun or verb that it holds."""
    assert [shown(path) for path in sources() if path.stem in VAGUE] == []


def test_nothing_is_left_for_later() -> None:
    """Do it, or open an issue."""
    words = re.compile(r"\b(TODO" r"|FIXME" r"|XXX" r"|HACK)\b")
    found = [shown(p) for p in sources() if words.search(p.read_text())]
    assert found == []


def test_what_the_documents_name_is_there() -> None:
    """A path or test that a document names exists."""
    missing = []
    for document in tracked("*.md"):
        text = document.read_text()
        names = re.findall(r"`((?:tests|compiler|runtime|examples|docs)/[\w./-]+?)/?(?:::\w+)?`", text)
        missing += [f"{shown(document)}: {name}" for name in names if not (ROOT / name).exists()]
        tests = re.findall(r"`(tests/[\w./]+\.py)::(\w+)`", text)
        missing += [
            f"{shown(document)}: {file}::{test}"
            for file, test in tests
            if f"def {test}(" not in (ROOT / file).read_text()
        ]
    assert missing == []


def test_the_top_level_stays_small() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}
    known = {"compiler", "runtime", "schemas", "examples", "tests", "docs", "pyproject.toml", "LICENSE"}
    assert {name for name in names if name[0] != "."} == {
        *known,
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
    }
