"""Files in the DSL beside the findings about them: `dsl/err/*.flow` and `.out`.

`FLOWC_UPDATE_GOLDEN=1 pytest tests/test_dsl_findings.py` writes the `.out` files anew.
"""

import os
from pathlib import Path

import pytest

from flowc.checks.check import check
from flowc.read import read_bytes
from flowc.render.render import render_text
from flowc.resolve.file import resolve

ERR = sorted((Path(__file__).parent / "dsl" / "err").glob("*.flow*"))
UPDATE = bool(os.environ.get("FLOWC_UPDATE_GOLDEN"))


def findings(name, data):
    tree, found = read_bytes(name, data)
    file, more = resolve(tree)
    return [*found, *more, *(check(file, [*found, *more]) if file is not None else [])]


@pytest.mark.parametrize("path", ERR, ids=lambda path: path.name)
def test_findings_are_as_written(path):
    shown = render_text(findings(path.name, path.read_bytes()), color=False)
    out = path.with_name(path.name.partition(".")[0] + ".out")
    if UPDATE:
        out.write_text(shown, encoding="utf-8")
    assert shown == out.read_text(encoding="utf-8")
    assert shown
