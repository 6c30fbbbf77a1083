"""Flows in both syntaxes, side by side in `dsl/`: they are the same flow."""

from pathlib import Path

import pytest
from dsl_tables import TABLES, made
from ir_equal import plain

from flowc.checks.check import check
from flowc.read import read_bytes
from flowc.render.render import render_text
from flowc.resolve.file import resolve

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
