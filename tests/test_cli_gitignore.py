"""Which files `flowc validate DIR` finds: git itself is the oracle for what `.gitignore` means."""

import subprocess
from pathlib import Path

import pytest

from flowc.cli.exits import UsageError
from flowc.cli.search import find_flow_files

FILES = [
    "a.flow.yaml",
    "b.flow.yaml",
    "build/a.flow.yaml",
    "build/deep/a.flow.yaml",
    "src/build/a.flow.yaml",
    "src/a.flow.yaml",
    "src/deep/er/a.flow.yaml",
    "src/deep/er/keep.flow.yaml",
    "src/x[1].flow.yaml",
    "docs/a b.flow.yaml",
    "docs/#odd.flow.yaml",
    "docs/!odd.flow.yaml",
    "docs/tmp/one.flow.yaml",
    "docs/tmp/two.flow.yaml",
    ".hidden/a.flow.yaml",
    "node/ünï.flow.yaml",
]

IGNORES = [
    "",
    "build",
    "build/",
    "/build",
    "/build/",
    "*.yaml",
    "*.flow.yaml\n!keep.flow.yaml",
    "*.flow.yaml\n!a.flow.yaml\na.flow.yaml",
    "src/*",
    "src/*/\n!src/deep",
    "src/**",
    "src/**/a.flow.yaml",
    "**/a.flow.yaml",
    "**/deep/**",
    "/src/*/er",
    "src/deep/er/a.flow.yaml",
    "/*\n!/src",
    "# comment\n\n   \nbuild   ",
    "\\#odd.flow.yaml",
    "\\!odd.flow.yaml",
    "a?b.flow.yaml",
    "?.flow.yaml",
    "[ab].flow.yaml",
    "[!a].flow.yaml",
    "[^a].flow.yaml",
    "[a-c].flow.yaml",
    "[a.flow.yaml",
    "x\\[1\\].flow.yaml",
    "x[[]1].flow.yaml",
    "a\\ b.flow.yaml",
    "docs/tmp/\n!docs/tmp/one.flow.yaml",
    "docs/tmp/*\n!docs/tmp/one.flow.yaml",
    "ü*",
    "**",
    "*",
    "/",
    "!",
    "src/\r\nbuild\r",
    "a**yaml",
    "src**",
    "**/",
    "/**/er",
    ".hidden",
    "deep/er",
    "*/er/",
]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A git repository with the files above, none of them tracked."""
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", root], check=True)
    for name in FILES:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("flowc: 1\n", encoding="utf-8")
    return root


def by_git(root: Path) -> list[str]:
    command = ["git", "-c", "core.excludesFile=", "ls-files", "-z", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout.decode()
    return sorted(name for name in listed.split("\0") if name.endswith(".flow.yaml"))


def by_us(root: Path, monkeypatch) -> list[str]:
    monkeypatch.chdir(root)
    try:
        return sorted(find_flow_files(["."]))
    except UsageError:
        return []


@pytest.mark.parametrize("text", IGNORES)
def test_gitignore_means_what_git_says(repository, monkeypatch, text):
    (repository / ".gitignore").write_text(text, encoding="utf-8", newline="")
    assert by_us(repository, monkeypatch) == by_git(repository)


def test_deeper_files_and_the_exclude_file_count(repository, monkeypatch):
    (repository / ".gitignore").write_text("a.flow.yaml\n")
    (repository / "src" / ".gitignore").write_text("!a.flow.yaml\n/deep/er/keep.flow.yaml\n")
    (repository / ".git" / "info" / "exclude").write_text("b.flow.yaml\n")
    found = by_us(repository, monkeypatch)
    assert found == by_git(repository)
    assert "src/a.flow.yaml" in found
    assert "b.flow.yaml" not in found
    # The rules above hold when the search begins further down.
    assert [Path(name).name for name in find_flow_files(["src/deep"])] == ["a.flow.yaml"]
    (repository / "src" / ".gitignore").unlink()
    (repository / ".git" / "info" / "exclude").unlink()


def test_files_given_by_name_are_taken_whatever_their_name(tmp_path):
    odd = tmp_path / "odd.yml"
    odd.write_text("")
    assert find_flow_files([str(odd), str(odd)]) == [str(odd)]


def test_a_directory_without_flows_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="was found in the directory"):
        find_flow_files([str(tmp_path)])


def test_directories_that_never_hold_flows_and_links_are_not_searched(tmp_path):
    for name in (".git", "node_modules/x", ".venv/lib", "flows"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "a.flow.yaml").write_text("")
    (tmp_path / "flows" / "again").symlink_to(tmp_path / "flows")
    assert find_flow_files([str(tmp_path)]) == [str(tmp_path / "flows" / "a.flow.yaml")]
