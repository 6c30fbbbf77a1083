"""`flowc fmt`: files beside their canonical form, and the command.

`FLOWC_UPDATE_GOLDEN=1 pytest tests/test_fmt.py` writes the `.out` files anew.
"""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from flowc.cli.main import main
from flowc.comments.of_yaml import comments_of_yaml
from flowc.read_yaml.read import read
from flowc.rewrite import Invalid, Rewritten, rewritten, syntax_of
from flowc.span import Source

ROOT = Path(__file__).parent.parent
HERE = Path(__file__).parent / "fmt"
FILES = sorted(path for path in HERE.iterdir() if path.suffix != ".out")
UPDATE = bool(os.environ.get("FLOWC_UPDATE_GOLDEN"))
GOOD = "flowc: 1\nflow: main\nsteps:\n  - return: 1\n"
LOOSE = "flowc:   1\nflow: main\nsteps:\n- return: 1   # one\n"
TIDY = "flowc: 1\nflow: main\nsteps:\n  - return: 1  # one\n"
WRONG = "flowc: 1\nflow: main\nsteps:\n- retrun: 1\n"


def formatted(name, text):
    outcome = rewritten(Source(name, text), syntax_of(name), syntax_of(name))
    assert isinstance(outcome, Rewritten), outcome
    return outcome.text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_canonical_form(path):
    text = formatted(path.name, path.read_text(encoding="utf-8"))
    out = path.with_name(path.name + ".out")
    if UPDATE:
        out.write_text(text, encoding="utf-8")
    assert text == out.read_text(encoding="utf-8")
    assert formatted(path.name, text) == text


def test_what_the_repository_shows_is_formatted():
    loose = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "examples").rglob("*.flow.yaml"))
        if formatted(path.name, path.read_text(encoding="utf-8")) != path.read_text(encoding="utf-8")
    ]
    assert loose == []


@pytest.mark.parametrize(
    ("text", "comments"),
    [
        ("# a\nx: 1 # b\n", ["# a", "# b"]),
        ("x: 'a # b'\ny: \"c # d\" # e\n", ["# e"]),
        ("x: a#b\ny: [a#b, c] #d\n", ["#d"]),
        ("x: | # head\n  # text\n  more\n# after\n", ["# head", "# after"]),
        ("x: >-\n  # text\n\n # less\ny: 1\n", ["# less"]),
        ("x: [a, # one\n  'b # c', # two\n]\n", ["# one", "# two"]),
        ("x: &a # anchored\n  y: 1\nz: *a # alias\n", ["# anchored", "# alias"]),
        ("x: a\n  b # c\n", ["# c"]),
        ("x: 1 # windows\r\ny: 2\r\n", ["# windows"]),
        ("x: 1\n--- # next\ny: 1\n... # end\n", ["# next", "# end"]),
        ("x: 'it''s' # b\n", ["# b"]),
        ("#", ["#"]),
    ],
)
def test_comments_are_told_from_texts(text, comments):
    tree, _ = read(Source("x", text))
    assert [each.text for each in comments_of_yaml(tree)] == comments


@pytest.mark.parametrize(
    ("body", "after"),
    [
        ("steps:\n- {return: }\n", "steps:\n  - {return: }\n"),
        ("events: {a: , b: }\nsteps: []\n", "events: {a: , b: }\nsteps: []\n"),
        (
            "steps:\n- do: [ # one\n  # two\n ] # three\n",
            "steps:\n  # one\n  # two\n  - do: []  # three\n",
        ),
        ("steps: [ # one\n ]\n", "# one\nsteps: []\n"),
        ("steps:\n- call: t.f\n  with: { # none\n  }\n", "steps:\n  - call: t.f\n    # none\n    with: {}\n"),
    ],
)
def test_what_is_empty_stays_so(body, after):
    head = "flowc: 1\nuse: {t: m}\nflow: f\n"
    assert formatted("x.flow.yaml", head + body) == head + after


@pytest.mark.parametrize("path", sorted((ROOT / "tests" / "dsl").glob("*.flow*")), ids=lambda path: path.name)
def test_files_of_other_tests_are_formatted_once(path):
    text = formatted(path.name, path.read_text(encoding="utf-8"))
    assert formatted(path.name, text) == text


def test_a_call_of_thousands_of_arguments_stays_readable():
    text = f"use m as t\n\nflow f(n: int):\n    t.go({', '.join(['n'] * 3_000)})\n"
    assert formatted("x.flow", text) == text


def test_a_file_with_errors_is_not_formatted():
    assert isinstance(rewritten(Source("x.flow.yaml", WRONG), "yaml", "yaml"), Invalid)


def test_windows_line_ends_stay():
    text = formatted("x.flow.yaml", LOOSE.replace("\n", "\r\n"))
    assert text == TIDY.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("text", "code", "after"),
    [(LOOSE, 0, TIDY), (GOOD, 0, GOOD), (WRONG, 3, WRONG), (GOOD.rstrip("\n"), 0, GOOD)],
    ids=["loose", "good", "wrong", "no end"],
)
def test_fmt_writes_in_place(tmp_path, capsys, text, code, after):
    path = tmp_path / "a.flow.yaml"
    path.write_text(text)
    path.chmod(0o640)
    before = path.stat()
    assert main(["fmt", str(path)]) == code
    assert path.read_text() == after
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert (path.stat().st_ino == before.st_ino) == (text == after)
    assert ("retrun" in capsys.readouterr().err) == (code == 3)
    assert [each.name for each in tmp_path.iterdir()] == ["a.flow.yaml"]


def test_fmt_drops_a_byte_order_mark(tmp_path):
    path = tmp_path / "a.flow.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert main(["fmt", str(path)]) == 0
    assert path.read_bytes() == GOOD.encode()


def test_check_and_diff_write_nothing(tmp_path, capsys):
    good, loose = tmp_path / "good.flow.yaml", tmp_path / "loose.flow.yaml"
    good.write_text(GOOD)
    loose.write_text(LOOSE)
    assert main(["fmt", "--check", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out == f"{loose}\n"
    assert said.err == "1 file would be formatted, 1 file left as it was.\n"
    assert main(["fmt", "--diff", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert "-flowc:   1\n+flowc: 1\n" in said.out
    assert loose.read_text() == LOOSE
    assert main(["fmt", "--check", str(good)]) == 0


def test_a_wrong_file_does_not_keep_the_others(tmp_path, capsys):
    (tmp_path / "a.flow.yaml").write_text(WRONG)
    (tmp_path / "b.flow.yaml").write_text(LOOSE)
    assert main(["fmt", str(tmp_path)]) == 3
    assert (tmp_path / "b.flow.yaml").read_text() == TIDY
    assert capsys.readouterr().err.endswith("1 file formatted, 1 file not formatted.\n")


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "a.flow.yaml").write_text(LOOSE)
    link = tmp_path / "b.flow.yaml"
    link.symlink_to("a.flow.yaml")
    assert main(["fmt", str(link)]) == 0
    assert link.is_symlink()
    assert (tmp_path / "a.flow.yaml").read_text() == TIDY


def test_fmt_of_stdin_needs_neither_ray_nor_a_store():
    code = (
        "import sys; from flowc.cli.main import main; code = main(['fmt', '-']); "
        "heavy = {'ray', 'sqlalchemy', 'obstore', 'starlette', 'cloudpickle'} & set(sys.modules); "
        "sys.exit(code if not heavy else 99)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=LOOSE, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, TIDY, "")
