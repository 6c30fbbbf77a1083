"""The manual is held to its word: the tests that it names are there, and campaigns with their options."""

import ast
import re
import shlex
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
GUARANTEES = (ROOT / "docs" / "guarantees.md").read_text()
NAMED_TEST = re.compile(r"`(tests/[\w./]+\.py)::(\w+)`")
SCRIPT = re.compile(r"python (tests/\S+\.py)(?: ([^`\n]*))?")


@cache
def names_of_tests(file: str) -> frozenset[str]:
    """The names of the test functions of a file."""
    nodes = ast.walk(ast.parse((ROOT / file).read_text()))
    functions = (node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


@cache
def options_of(script: str) -> frozenset[str]:
    """The options that a script adds to its `argparse` parser; none when it has no parser."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / script).read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            found.update(arg.value for arg in node.args if isinstance(arg, ast.Constant))
    return frozenset(map(str, found))


def sections() -> dict[str, str]:
    """The text of each guarantee by its number."""
    parts = re.split(r"^## ", GUARANTEES, flags=re.MULTILINE)
    return {found[0]: part for part in parts if (found := re.match(r"G\d+", part))}


def test_every_guarantee_has_tests_and_says_what_it_does_not_promise() -> None:
    assert list(sections()) == [f"G{number}" for number in range(1, 11)]
    for name, text in sections().items():
        assert NAMED_TEST.search(text), name
        for word in ("**Promise.**", "**Not promised.**", "**How.**", "**Tests.**"):
            assert word in text, (name, word)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tests_that_a_page_names_are_there(page: Path) -> None:
    named = NAMED_TEST.findall(page.read_text())
    assert [f"{file}::{name}" for file, name in named if name not in names_of_tests(file)] == []


def campaigns() -> list[tuple[str, str]]:
    """Each script of the tests that a page tells to run, with the words behind it."""
    return sorted({(script, words) for page in PAGES for script, words in SCRIPT.findall(page.read_text())})


def test_the_campaigns_that_a_page_names_have_these_options() -> None:
    """Else a command of the manual would end with `unrecognized arguments`."""
    missing = []
    for script, words in campaigns():
        if "NAME" in script or "argparse" not in (ROOT / script).read_text():
            continue  # It has no parser.
        known = options_of(script)
        said = [word.partition("=")[0] for word in shlex.split(words) if word.startswith("--")]
        missing += [f"{script} {option}" for option in said if option not in known]
        if not known:
            missing.append(f"{script} has no options at all")
    assert missing == []


def test_every_campaign_is_in_the_manual() -> None:
    """One that nobody is told of is run by nobody."""
    heads = {path: ast.get_docstring(ast.parse(path.read_text())) or "" for path in ROOT.glob("tests/*/*.py")}
    commands = {
        found[1] for head in heads.values() for found in re.finditer(r"python (tests/\w+/\w+\.py)", head)
    }
    told = {script for script, _ in campaigns()}
    assert {name for name in commands if "benchmarks" not in name and "replay" not in name} - told == set()
