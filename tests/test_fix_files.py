"""`flowc validate --fix`: what is certain is mended, nothing else is touched, and no file is harmed."""

import io
import os
import sys

import pytest

from flowc.cli.main import main
from flowc.diagnostic import Diagnostic, Fix
from flowc.mend import mended
from flowc.span import Source, Span

CUT = """\
flowc: 1
use: {t: shop.etl}
flow: f
inputs: {n: int}
steps:
  id: a
  call: t.load(n)
  id: b
  call: t.find("a # b", a)
  call: t.clean({"x": a})
"""
MENDED = """\
flowc: 1
use: {t: shop.etl}
flow: f
inputs: {n: int}
steps:
  - id: a
    call: t.load(n)
  - id: b
    call: 't.find("a # b", a)'
  - call: 't.clean({"x": a})'
"""
DSL = """\
import shop.etl as t

def f(n: int):
    x = await t.load(n)
    if n > 1 && n < 5
        t.clean(x)
    else if n > 7:
        y := 3
    return x
"""
DSL_MENDED = """\
use shop.etl as t

flow f(n: int):
    x = t.load(n)
    if n > 1 and n < 5:
        t.clean(x)
    elif n > 7:
        y = 3
    return x
"""


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "better"), [("x.flow.yaml", CUT, MENDED), ("x.flow", DSL, DSL_MENDED)]
)
def test_a_file_with_many_slips_is_mended_in_one_go(tmp_path, capsys, name, text, better):
    (tmp_path / name).write_text(text)
    assert main(["validate", name, "--fix"]) == 0
    assert (tmp_path / name).read_text() == better
    told = capsys.readouterr()
    assert told.out == ""
    assert f"{name}:" in told.err
    assert ": fixed F0" in told.err
    assert told.err.endswith("No findings in 1 file.\n")
    assert main(["validate", name, "--fix"]) == 0
    assert "fixed" not in capsys.readouterr().err


def test_what_is_a_guess_waits_for_being_asked(tmp_path, capsys):
    text = "flowc: 1\nuse: {t: shop.etl}\nflow: f\ninputs: {total: int}\nsteps:\n  - call: t.load(totl)\n"
    (tmp_path / "x.flow.yaml").write_text(text)
    assert main(["validate", "x.flow.yaml", "--fix"]) == 1
    assert (tmp_path / "x.flow.yaml").read_text() == text
    assert "did you mean `total`?" in capsys.readouterr().out
    assert main(["validate", "x.flow.yaml", "--fix", "--unsafe-fixes"]) == 0
    assert (tmp_path / "x.flow.yaml").read_text() == text.replace("totl", "total")
    assert main(["validate", "x.flow.yaml", "--unsafe-fixes"]) == 2
    assert "give `--fix`" in capsys.readouterr().err


def test_the_exit_code_and_the_findings_are_of_what_is_left(tmp_path, capsys):
    (tmp_path / "x.flow.yaml").write_text(CUT.replace("t.load(n)", "t.load(m)"))
    assert main(["validate", "x.flow.yaml", "--fix", "--format", "concise"]) == 1
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("x.flow.yaml:7:18: error F0201:")


def test_stdin_is_written_to_stdout(monkeypatch, capfdbinary):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(DSL.encode())))
    assert main(["validate", "-", "--stdin-filename", "x.flow", "--fix"]) == 0
    assert capfdbinary.readouterr().out == DSL_MENDED.encode()


def test_a_diff_shows_it_and_writes_nothing(tmp_path, capsys):
    (tmp_path / "x.flow.yaml").write_text(CUT)
    assert main(["validate", "x.flow.yaml", "--diff"]) == 1
    told = capsys.readouterr().out
    assert "+    call: 't.find(\"a # b\", a)'" in told
    assert (tmp_path / "x.flow.yaml").read_text() == CUT
    (tmp_path / "x.flow.yaml").write_text(MENDED)
    assert main(["validate", "x.flow.yaml", "--diff"]) == 0
    assert capsys.readouterr().out == ""


def test_line_ends_and_the_byte_order_mark_stay(tmp_path):
    data = b"\xef\xbb\xbf" + CUT.replace("\n", "\r\n").encode()
    (tmp_path / "x.flow.yaml").write_bytes(data)
    assert main(["validate", "x.flow.yaml", "--fix"]) == 0
    made = (tmp_path / "x.flow.yaml").read_bytes()
    assert made.startswith(b"\xef\xbb\xbf")
    assert made.replace(b"\r\n", b"\n")[3:] == MENDED.encode()


def test_a_file_that_is_no_text_stays_as_it_is(tmp_path):
    (tmp_path / "x.flow.yaml").write_bytes(b"\xff\xfe\0")
    assert main(["validate", "x.flow.yaml", "--fix"]) == 1
    assert (tmp_path / "x.flow.yaml").read_bytes() == b"\xff\xfe\0"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_cannot_be_written_is_told(tmp_path, capsys):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x.flow.yaml").write_text(CUT)
    (tmp_path / "d").chmod(0o500)
    assert main(["validate", "d/x.flow.yaml", "--fix"]) == 2
    assert "cannot be written" in capsys.readouterr().err


def finding(source: Source, word: str, better: str, code: str = "F0101") -> list[Diagnostic]:
    at = source.text.find(word)
    if at < 0:
        return []
    span = Span(at, at + len(word))
    return [
        Diagnostic(code, f"`{word}` is wrong", source, span, fixes=(Fix(span, better, "mend it", safe=True),))
    ]


def test_a_fix_that_brings_another_finding_is_taken_back_and_the_rest_is_made():
    def find(source: Source) -> list[Diagnostic]:
        return [
            *finding(source, "bad", "worse"),
            *finding(source, "worse", "worst"),
            *finding(source, "slip", "right"),
        ]

    made = mended(Source("x", "bad slip"), find)
    assert made.text == "bad right"
    assert [change.fix.replacement for change in made.changes] == ["right"]
    assert [one.message for one in made.left] == ["`bad` is wrong"]


def test_a_fix_that_mends_nothing_ends():
    made = mended(Source("x", "a bad b"), lambda source: finding(source, "bad", "bad"))
    assert (made.text, made.changes) == ("a bad b", ())


def test_fixes_that_overlap_come_one_after_the_other():
    def find(source: Source) -> list[Diagnostic]:
        return [*finding(source, "ab", "x"), *finding(source, "bc", "y")]

    assert mended(Source("x", "abc bc"), find).text == "xc y"


def test_what_was_hidden_behind_a_bad_line_may_come_to_light():
    def find(source: Source) -> list[Diagnostic]:
        return finding(source, "bad", "good", "F0018") or finding(source, "slip", "right")

    assert mended(Source("x", "slip bad"), find).text == "right good"
