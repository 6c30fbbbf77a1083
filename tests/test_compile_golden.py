"""Flow files beside the findings about them: `compile/ok` has none, `compile/err` has `.out` files.

`FLOWC_UPDATE_GOLDEN=1 pytest tests/test_compile_golden.py` writes the `.out` files anew.
"""

import os
from pathlib import Path

import pytest

from flowc.codes.table import CODES
from flowc.diagnostic import Diagnostic
from flowc.link import Library
from flowc.linked import every_file
from flowc.render.render import render_text

HERE = Path(__file__).parent / "compile"
OK = sorted((HERE / "ok").glob("*.flow.yaml"))
ERR = sorted((HERE / "err").glob("*.flow.yaml"))
DSL = Path(__file__).parent / "dsl" / "err"
SUFFIX = {"yaml": ".flow.yaml", "dsl": ".flow"}
UPDATE = bool(os.environ.get("FLOWC_UPDATE_GOLDEN"))


COMMON = b"flowc: 1\nevents: {doubled: {type: int}}\nflow: double\ninputs: {n: int}\nresult: n * 2\n"


def findings(name: str, data: bytes, folder: Path | None = None) -> list[Diagnostic]:
    def read(path: str) -> bytes:
        if folder is not None:
            return (folder / path).read_bytes()
        if path == "common.flow.yaml":
            return COMMON
        raise FileNotFoundError(path)

    return [finding for each in every_file(Library(read).link(name, data)) for finding in each.found]


def out_of(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(".flow.yaml") + ".out")


@pytest.mark.parametrize("path", ERR, ids=lambda path: path.name)
def test_findings_are_as_written(path):
    shown = render_text(findings(path.name, path.read_bytes(), path.parent), color=False)
    if UPDATE:
        out_of(path).write_text(shown, encoding="utf-8")
    assert shown == out_of(path).read_text(encoding="utf-8")
    assert shown


@pytest.mark.parametrize("path", OK, ids=lambda path: path.name)
def test_good_flow_has_no_findings(path):
    assert render_text(findings(path.name, path.read_bytes(), path.parent), color=False) == ""


def test_no_output_without_its_flow():
    assert {path.name for path in (HERE / "err").glob("*.out")} == {out_of(path).name for path in ERR}


@pytest.mark.parametrize("code", CODES)
def test_every_rule_has_an_example(code):
    found = [*(out_of(path) for path in ERR), *DSL.glob("*.out")]
    assert any(f"[{code}]" in path.read_text(encoding="utf-8") for path in found)


@pytest.mark.parametrize("entry", CODES.values(), ids=lambda entry: entry.code)
def test_bad_example_breaks_its_rule_and_no_other(entry):
    assert {each.code for each in findings(f"bad{SUFFIX[entry.syntax]}", entry.bad.encode())} == {entry.code}


@pytest.mark.parametrize("entry", CODES.values(), ids=lambda entry: entry.code)
def test_good_example_is_clean(entry):
    assert render_text(findings(f"good{SUFFIX[entry.syntax]}", entry.good.encode()), color=False) == ""
