"""The layout of findings, character by character."""

import json
import re

import pytest

from flowc.diagnostic import Diagnostic, Fix, Label
from flowc.render.render import MOST, render_concise, render_json, render_text
from flowc.span import Source, Span

TEXT = "flowc: 1\nflow: x\nsteps:\n  - id: a\n    call: o.charge(totl)\n  - id: a\n"


def finding(text, mark, code="F0201", message=None, **more):
    source = Source("orders.flow.yaml", text)
    labels = tuple(Label(span_of(text, where), words) for where, words in more.pop("labels", ()))
    return Diagnostic(
        code, message or f"`{mark}` is not defined", source, span_of(text, mark), labels=labels, **more
    )


def span_of(text, mark):
    at = text.index(mark)
    return Span(at, at + len(mark))


GOLDEN = {
    "hint": (
        finding(TEXT, "totl", hint="did you mean `total`?"),
        """\
error[F0201]: `totl` is not defined
 --> orders.flow.yaml:5:20
  |
5 |     call: o.charge(totl)
  |                    ^^^^ did you mean `total`?
  |
help: run `flowc explain F0201`
""",
    ),
    "two digits, own help of two lines": (
        finding("\n" * 13 + "      call: o.charge(totl)\n", "totl", help="write\n  total"),
        """\
error[F0201]: `totl` is not defined
  --> orders.flow.yaml:14:22
   |
14 |       call: o.charge(totl)
   |                      ^^^^
   |
help: write
        total
help: run `flowc explain F0201`
""",
    ),
    "labels before, after and on the line": (
        finding(TEXT, "charge", labels=[("flow:", "far"), ("- id", "near"), ("o.", "same line")]),
        """\
error[F0201]: `charge` is not defined
 --> orders.flow.yaml:5:13
  |
2 | flow: x
  | ----- far
3 | steps:
4 |   - id: a
  |   ---- near
5 |     call: o.charge(totl)
  |             ^^^^^^
  |           -- same line
  |
help: run `flowc explain F0201`
""",
    ),
    "a gap between the lines": (
        finding(TEXT, "totl", labels=[("flowc", "here")], severity="warning"),
        """\
warning[F0201]: `totl` is not defined
 --> orders.flow.yaml:5:20
  |
1 | flowc: 1
  | ----- here
...
5 |     call: o.charge(totl)
  |                    ^^^^
  |
help: run `flowc explain F0201`
""",
    ),
    "several lines": (
        finding(TEXT, "steps:\n  - id: a\n", message="no good", severity="info"),
        """\
info[F0201]: no good
 --> orders.flow.yaml:3:1
  |
3 | steps:
  | ^^^^^^
  |
help: run `flowc explain F0201`
""",
    ),
    "wide characters and tabs": (
        finding("日本:\t😀e\u0301 bad\n", "bad", labels=[("本", "wide")]),
        """\
error[F0201]: `bad` is not defined
 --> orders.flow.yaml:1:9
  |
1 | 日本:    😀e\u0301 bad
  |              ^^^
  |   -- wide
  |
help: run `flowc explain F0201`
""",
    ),
    "what a terminal would obey": (
        finding("a: \x1b[31m\u202ebad\n", "bad", message="no \x1b[0m\nway"),
        """\
error[F0201]: no \N{REPLACEMENT CHARACTER}[0m way
 --> orders.flow.yaml:1:10
  |
1 | a: \N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}bad
  |          ^^^
  |
help: run `flowc explain F0201`
""",
    ),
    "the end of the text": (
        Diagnostic("F0001", "cut", Source("orders.flow.yaml", "a: b"), Span(4, 4)),
        """\
error[F0001]: cut
 --> orders.flow.yaml:1:5
  |
1 | a: b
  |     ^
  |
help: run `flowc explain F0001`
""",
    ),
    "a fix, when nothing else helps": (
        finding("a: bad\n", "bad", fixes=(Fix(Span(3, 6), "good", "write `good`"),)),
        """\
error[F0201]: `bad` is not defined
 --> orders.flow.yaml:1:4
  |
1 | a: bad
  |    ^^^
  |
help: write `good`
help: run `flowc explain F0201`
""",
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_layout(name):
    diagnostic, expected = GOLDEN[name]
    assert render_text([diagnostic], color=False) == expected


def test_long_lines_are_cut_around_the_place():
    for text in (
        "x" * 4_000_000 + " BAD " + "y" * 300,
        "日" * 900 + " BAD " + "本" * 300,
        "a: BAD" + "z" * 999,
    ):
        lines = render_text([finding(text, "BAD")]).split("\n")
        line, marks = lines[3], lines[4]
        assert len(line) < 130
        assert line.endswith("…")
        wide = sum(2 if char in "日本" else 1 for char in line[: line.index("BAD")])
        assert marks.index("^^^") == wide


def test_sorted_by_place_without_doubles():
    late, early = finding(TEXT, "totl"), finding(TEXT, "flow:", code="F0999")
    other = Diagnostic("F0001", "first", Source("a.flow.yaml", "x"), Span(0, 1))
    assert render_concise([late, early, late, other]) == (
        "a.flow.yaml:1:1: error F0001: first\n"
        "orders.flow.yaml:2:1: error F0999: `flow:` is not defined\n"
        "orders.flow.yaml:5:20: error F0201: `totl` is not defined\n"
    )
    assert render_text([late, late]).count("error[") == 1
    assert render_text([late, early]).count("\n\n") == 1


def test_nothing_is_nothing():
    assert render_text([]) == render_concise([]) == ""


def test_concise_has_the_hint():
    shown = render_concise([finding(TEXT, "totl", hint="did you mean `total`?")])
    assert shown == "orders.flow.yaml:5:20: error F0201: `totl` is not defined (did you mean `total`?)\n"


def test_color_only_when_asked():
    diagnostic = GOLDEN["labels before, after and on the line"][0]
    plain, colored = render_text([diagnostic]), render_text([diagnostic], color=True)
    assert "\x1b" not in plain
    assert colored.startswith("\x1b[1;31merror[F0201]\x1b[0m")
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == plain


def test_json():
    diagnostic = finding(
        TEXT,
        "totl",
        hint="did you mean `total`?",
        help="Define it.",
        labels=[("flowc", "here")],
        fixes=(Fix(span_of(TEXT, "totl"), "total", "write `total`", safe=False),),
    )
    assert json.loads(render_json([diagnostic], files=3, not_checked=["signatures"])) == {
        "files": 3,
        "findings": [
            {
                "code": "F0201",
                "severity": "error",
                "message": "`totl` is not defined",
                "file": "orders.flow.yaml",
                "line": 5,
                "column": 20,
                "end_line": 5,
                "end_column": 24,
                "help": "did you mean `total`?\nDefine it.",
                "labels": [{"text": "here", "line": 1, "column": 1, "end_line": 1, "end_column": 6}],
                "fixes": [
                    {
                        "title": "write `total`",
                        "safe": False,
                        "replacement": "total",
                        "line": 5,
                        "column": 20,
                        "end_line": 5,
                        "end_column": 24,
                    }
                ],
                "url": None,
            }
        ],
        "not_checked": ["signatures"],
    }


def test_text_shows_the_first_findings_of_a_file_and_counts_the_rest():
    source = Source("a.flow.yaml", "x\n" * 200)
    warnings = [
        Diagnostic("F0211", f"warning {n}", source, Span(2 * n, 2 * n + 1), severity="warning")
        for n in range(100)
    ]
    error = Diagnostic("F0201", "the one error", source, Span(398, 399))
    other = Diagnostic("F0201", "elsewhere", Source("b.flow.yaml", "x\n"), Span(0, 1))
    shown = render_text([*warnings, error, other])
    assert shown.count("warning[F0211]") == MOST - 1
    assert "the one error" in shown
    assert "elsewhere" in shown
    assert "… and 51 more findings in a.flow.yaml; `flowc validate --format concise` shows all" in shown
    assert len(render_concise([*warnings, error, other]).splitlines()) == 102
    assert render_text(warnings[:MOST]).count("warning[F0211]") == MOST
