"""Flows in both syntaxes, side by side in `dsl/`: they are the same flow."""

import subprocess
import sys
from pathlib import Path

import pytest
from dsl_tables import TABLES, made
from ir_equal import plain

from flowc.checks.check import check
from flowc.cli.search import find_flow_files
from flowc.read import read_bytes
from flowc.render.render import render_text
from flowc.resolve.file import resolve
from flowc.tree import Mapping, Scalar, Sequence

HERE = Path(__file__).parent / "dsl"
PAIRS = sorted(HERE.glob("*.flow"))


def understood(path):
    tree, found = read_bytes(path.name, path.read_bytes())
    file, more = resolve(tree)
    found = [*found, *more, *(check(file, [*found, *more]) if file is not None else [])]
    assert render_text(found, color=False) == ""
    return file


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: path.stem)
def test_both_syntaxes_give_the_same_flow(path):
    assert plain(understood(path)) == plain(understood(path.with_suffix(".flow.yaml")))


def test_every_flow_is_there_in_both_syntaxes():
    assert {path.name.removesuffix(".yaml") for path in HERE.glob("*.yaml")} == {path.name for path in PAIRS}


def test_the_tables_are_those_of_the_grammar():
    """`python tests/support/dsl_tables.py` makes them anew."""
    assert TABLES.read_text() == made()


def shape(node):
    """A node of a tree without its places; the order of keys does not count."""
    match node:
        case Scalar(text=text):
            return text
        case Sequence(items=items):
            return [shape(item) for item in items]
        case Mapping(entries=entries):
            return {entry.key.text: shape(entry.value) for entry in entries}
        case None:
            return None


@pytest.mark.parametrize("path", sorted((HERE / "later").glob("*.flow")), ids=lambda path: path.stem)
def test_both_syntaxes_give_the_same_tree(path):
    """Parts of the language that only the readers know: `later` holds what is not compiled yet."""
    trees = []
    for name in (path, path.with_suffix(".flow.yaml")):
        tree, found = read_bytes(name.name, name.read_bytes())
        assert found == []
        trees.append([shape(document.root) for document in tree.documents])
    assert trees[0] == trees[1]


def test_a_folder_is_searched_for_both_syntaxes(tmp_path):
    for name in ("a.flow", "b.flow.yaml", "c.yaml", "d.flowc"):
        (tmp_path / name).write_text("")
    assert [Path(name).name for name in find_flow_files([str(tmp_path)])] == ["a.flow", "b.flow.yaml"]


def test_checking_a_file_in_the_dsl_needs_no_lark():
    script = (
        "import sys; from flowc.cli.main import main; main(sys.argv[1:]); assert 'lark' not in sys.modules"
    )
    command = [sys.executable, "-c", script, "validate", str(HERE / "train.flow")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "No findings in 1 file.\n")
