"""Each page of the manual is a story that is lived: its files are written, its commands are run.

A block whose first line is `# NAME` is a file of that name, which is there from the start; if a later block
has the same name, the file is written anew where that stands. The `sh` blocks of a page are run one after
another by one shell, in an empty folder, with tasks in threads (`--executor local`) in place of Ray. A
`text` or `flow` block without a name is what the block before it prints: its lines come in that order, `…`
stands for anything. What stands behind a block says how it is run:

    <!-- not run: WHY -->     it is not, only its options are looked at
    <!-- goes on -->          it is one command, a server: it goes on until the page ends
    <!-- elsewhere: WHERE --> it is a text for another system, of which only the syntax is looked at
"""

import ast
import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import pytest
import yaml

from flowc.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
HOW_TO = ("approvals", "fan-out", "retries", "rewriting", "testing", "training")
STORIES = ("tutorial", "coming-from", *(f"how-to/{page}" for page in HOW_TO))
"""Pages whose blocks are all commands, what they print, and files."""

PAGES = ("stores", "serving", "resuming", "sagas", "editors", *STORIES)
DRAWINGS = {"architecture"}
"""Pages whose blocks are drawings."""

ELSEWHERE = {
    "dsl": "test_dsl_manual.py",
    "guarantees": "test_guarantees.py",
    "language": "test_language.py",
    "patterns": "test_patterns.py",
}
"""Pages with flows or tables of their own kind, and the tests that hold them."""

READERS = {"json": json.loads, "python": ast.parse, "yaml": yaml.safe_load}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```(?:\n<!-- (.*?) -->)?", re.MULTILINE | re.DOTALL)
PORT = "8484"
RUNS_TASKS = ("run", "resume", "serve")


@dataclass(frozen=True)
class Block:
    """A block of a page: its language, its text, and what stands behind it."""

    language: str
    text: str
    note: str

    @property
    def is_run(self) -> bool:
        return self.language == "sh" and not self.note.startswith("not run: ")

    @property
    def file(self) -> str:
        named = re.match(r"# ([\w./]+\.\w+)\n", self.text)
        return named[1] if named and self.language != "sh" else ""

    @property
    def is_printed(self) -> bool:
        return self.language in {"text", "flow"} and not self.file


def blocks_of(page: str) -> list[Block]:
    text = (DOCS / f"{page}.md").read_text()
    return [Block(*(part or "" for part in found.groups())) for found in BLOCK.finditer(text)]


def write_files(blocks: list[Block], folder: Path) -> None:
    """Each file as the page has it first."""
    for block in reversed(blocks):
        if block.file:
            (folder / block.file).parent.mkdir(parents=True, exist_ok=True)
            (folder / block.file).write_text(block.text)


def write_flowc(folder: Path, port: str) -> None:
    """A command `flowc` whose tasks need no Ray, and whose server listens where nobody else does."""
    folder.mkdir()
    command = folder / "flowc"
    local = " | ".join(RUNS_TASKS)
    lines = [
        "#!/bin/sh",
        f'case "$1" in {local}) set -- "$@" --executor local ;; esac',
        f'case "$1" in serve) set -- "$@" --port {port} ;; esac',
        f'exec {shlex.quote(sys.executable)} -m flowc "$@"',
    ]
    command.write_text("\n".join(lines) + "\n")
    command.chmod(0o755)


def free_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])


def script_of(blocks: list[Block], port: str) -> str:
    """All that a page runs, with a mark before each block, and a line for each command that fails."""
    lines = ["set -E", """trap 'echo "FAILED: $BASH_COMMAND"' ERR"""]
    for number, block in enumerate(blocks):
        if block.file and block.file in {earlier.file for earlier in blocks[:number]}:
            lines.append(f"printf %s {shlex.quote(block.text)} > {block.file}")
        if not block.is_run:
            continue
        lines.append(f"echo; echo '@@ {number}'")
        text = block.text.replace(PORT, port)
        if block.note == "goes on":
            there = f"for _ in $(seq 300); do curl -sf localhost:{port}/healthz && break; sleep 0.1; done"
            text = f"{text.strip()} & server=$!\n{there}\n"
        lines.append(text)
    lines.append('if [ -n "${server:-}" ]; then kill "$server"; wait "$server" || true; fi')
    return "\n".join(lines)


def lived(blocks: list[Block], folder: Path) -> dict[int, str]:
    """What each block of a page has printed."""
    here, tools, port = folder / "page", folder / "bin", free_port()
    here.mkdir()
    write_files(blocks, here)
    write_flowc(tools, port)
    ours = {name: value for name, value in os.environ.items() if not name.startswith("FLOWC_")}
    ours |= {"PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ours |= {"FLOWC_CACHE": str(folder / "cache"), "TZ": "UTC"}
    done = subprocess.run(
        ["bash", "-c", script_of(blocks, port)],
        cwd=here,
        env=ours,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    parts = re.split(r"^@@ (\d+)$", done.stdout, flags=re.MULTILINE)
    return {int(number): printed for number, printed in zip(parts[1::2], parts[2::2], strict=True)}


def pattern(line: str) -> str:
    return ".*?".join(map(re.escape, line.split("…"))).replace(r"\ ", r"\s+")


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_says_to_do_does_what_it_says(page: str, tmp_path: Path) -> None:
    blocks = blocks_of(page)
    printed = lived(blocks, tmp_path)
    assert set(printed) == {number for number, block in enumerate(blocks) if block.is_run}
    for number, block in enumerate(blocks):
        if block.is_run:
            assert "FAILED: " not in printed[number], f"{block.text}\n{printed[number]}"
        if block.is_printed:
            said, at = printed[number - 1], 0
            for line in block.text.splitlines():
                found = re.compile(pattern(line)).search(said, at)
                assert found, f"`{line}` does not come behind\n{blocks[number - 1].text}\n{said[at:]}"
                at = found.end()


def test_nothing_on_a_page_escapes_the_tests() -> None:
    """Each page is lived here or held elsewhere, each flow on it is run, and each block has its part."""
    names = {str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.rglob("*.md")}
    names = {"language" if name.startswith("language/") else name for name in names}
    talk = {page for page in names if not blocks_of(page)} | DRAWINGS
    assert names == {*PAGES, *ELSEWHERE, *talk}
    for test in ELSEWHERE.values():
        assert (Path(__file__).parent / test).exists()
    for page in STORIES:
        blocks = blocks_of(page)
        run = "\n".join(block.text for block in blocks if block.is_run or block.file.endswith("_test.py"))
        for number, block in enumerate(blocks):
            where = f"{page}:\n{block.text}"
            if block.note.startswith("elsewhere: "):
                READERS[block.language](block.text)
                continue
            assert block.file or block.language in {"sh", "text", "flow"}, where
            assert not block.is_printed or blocks[number - 1].is_run, where
            assert not block.file.endswith((".flow", ".flow.yaml", "_test.py")) or block.file in run, where


def words_of(call: str) -> Iterator[str]:
    """The words of one command, up to a comment or whatever the shell does next."""
    words = shlex.shlex(call, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    return takewhile(lambda word: word[0] not in "|&;()", words)


def commands() -> list[tuple[str, list[str]]]:
    """Each call of `flowc` in the manual and the READMEs: where it stands, its words."""
    found: list[tuple[str, list[str]]] = []
    for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("examples/*/README.md"))):
        for match in BLOCK.finditer(path.read_text()):
            if match[1] == "sh":
                text = match[2].replace("\\\n", " ")
                calls = re.findall(r"(?:^|[ /(])flowc ([a-z][^\n]*)", text, re.MULTILINE)
                found += [(path.name, list(words_of(call))) for call in calls]
    return found


def test_the_options_that_the_manual_gives_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    helps: dict[str, str] = {}
    wrong = []
    for page, words in commands():
        name = " ".join(words[:2]) if words[0] == "store" else words[0]
        if name not in helps:
            assert main([*name.split(), "--help"]) == 0, (page, words)
            helps[name] = capsys.readouterr().out
        options = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
        wrong += [f"{page}: {name} {each}" for each in options if not re.search(rf"{each}\b", helps[name])]
    assert len(helps) >= 10
    assert wrong == []


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")]), ids=lambda path: path.name
)
def test_links_lead_somewhere(path: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", path.read_text()):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        if anchor:
            heads = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            slugs = [re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads]
            assert anchor in slugs, link
