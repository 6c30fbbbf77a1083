"""Each form on the page about the DSL is the same flow as the YAML below it."""

import re
import textwrap
from pathlib import Path

import pytest
from ir_equal import plain

from flowc.read import read
from flowc.resolve.file import resolve
from flowc.span import Source

PAGE = Path(__file__).resolve().parent.parent / "docs" / "dsl.md"
PAIRS = re.findall(r"^```flow\n(.*?)^```\n```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def files(dsl, yaml):
    """Both as whole files: a block of statements is the body of a flow."""
    if not re.search(r"^flow ", dsl, re.MULTILINE):
        dsl = "use shop.etl as t\nflow f():\n" + textwrap.indent(dsl, "    ")
        yaml = "flowc: 1\nuse: {t: shop.etl}\nflow: f\nsteps:\n" + textwrap.indent(yaml, "  ")
    return Source("page.flow", dsl), Source("page.flow.yaml", yaml)


def understood(source):
    tree, found = read(source)
    assert found == []
    return resolve(tree)


@pytest.mark.parametrize(("dsl", "yaml"), PAIRS, ids=[str(n) for n in range(len(PAIRS))])
def test_both_syntaxes_on_the_page_say_the_same(dsl, yaml):
    (left, found), (right, more) = map(understood, files(dsl, yaml))
    not_yet = [each for each in [*found, *more] if each.code == "F0108"]
    assert {each.code for each in found} == {each.code for each in more}
    if not not_yet:
        assert plain(left) == plain(right)


def test_there_are_pairs():
    assert len(PAIRS) >= 9
