"""`flowc graph`: diagrams in three formats, without overlaps, coloured by runs."""

import random
import re
import xml.etree.ElementTree as ET
from html import unescape
from itertools import combinations
from pathlib import Path

import pytest

from flowc.cli.main import main
from flowc.compile import compile_file
from flowc.draw.diagram import Arrow, Box, Diagram, FlowBox, Group
from flowc.draw.dot import write_dot
from flowc.draw.layers import Link, Sized, lay_out
from flowc.draw.mermaid import ARROWS_MAX, CHARACTERS_MAX, too_large, write_mermaid
from flowc.draw.of_program import diagram_of
from flowc.draw.place import place
from flowc.draw.svg import write_svg
from flowrt.expr.tree import Const
from flowrt.program import Body, Compute, Flow, Node, Program

ROOT = Path(__file__).resolve().parent.parent
FLOWS = sorted(ROOT.glob("tests/compile/ok/*.flow.yaml")) + sorted(ROOT.glob("examples/*/*.flow.yaml"))
SVG = "{http://www.w3.org/2000/svg}"


def assert_apart(rects):
    for (x1, y1, w1, h1), (x2, y2, w2, h2) in combinations(rects, 2):
        assert x1 + w1 <= x2 + 0.01 or x2 + w2 <= x1 + 0.01 or y1 + h1 <= y2 + 0.01 or y2 + h2 <= y1 + 0.01


def assert_tidy(group, size):
    rects = [(box.x, box.y, box.size.width, box.size.height) for box in group.boxes]
    assert_apart(rects)
    for x, y, width, height in rects:
        assert x >= -0.01
        assert x + width <= size.width + 0.01
        assert y + height <= size.height + 0.01
    for box in group.boxes:
        inner = [(one.x, one.y, one.size.width, one.size.height) for one in box.groups]
        assert_apart(inner)
        for one in box.groups:
            assert one.x + one.size.width <= box.size.width + 0.01
            assert one.y + one.size.height <= box.size.height + 0.01
            assert_tidy(one, one.size)


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.name)
def test_every_flow_is_drawn(path) -> None:
    program = compile_file(path).program
    diagram = diagram_of(program)
    for flow in place(diagram):
        assert_tidy(flow.body, flow.body.size)
    picture = ET.fromstring(write_svg(diagram))
    assert picture.tag == f"{SVG}svg"
    mermaid = write_mermaid(diagram)
    assert mermaid.count("subgraph ") == len(re.findall(r"^ *end$", mermaid, re.MULTILINE))
    ids = re.findall(r'^ *(?:subgraph )?(f[\d_a-z]+)(?:\[|\(\[)"', mermaid, re.MULTILINE)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"^ *(f[\d_]+) -", mermaid, re.MULTILINE)) <= set(ids)
    dot = write_dot(diagram)
    assert dot.count("{") == dot.count("}") or "{" in "".join(re.findall(r'"[^"]*"', dot))


def test_boxes_never_overlap_and_arrows_pass_between() -> None:
    rng = random.Random(3)
    for _ in range(60):
        count = rng.randrange(1, 14)
        boxes = [Sized(rng.uniform(40, 300), rng.uniform(20, 120)) for _ in range(count)]
        links = [
            Link(source, target, rng.uniform(0, 30))
            for target in range(count)
            for source in rng.sample(range(target), min(target, rng.randrange(3)))
        ]
        layered = lay_out(boxes, links)
        rects = [(x, y, box.width, box.height) for (x, y), box in zip(layered.corners, boxes, strict=True)]
        assert_apart(rects)
        for link, route in zip(links, layered.routes, strict=True):
            for index, (x, y, width, height) in enumerate(rects):
                inside = [p for p in route if x < p[0] < x + width and y + 0.01 < p[1] < y + height - 0.01]
                assert not inside or index == link.source
            x, y, width, height = rects[link.target]
            assert x <= route[-1][0] <= x + width
            assert route[-1][1] == pytest.approx(y)


def test_texts_are_texts_whatever_is_in_them() -> None:
    nasty = 'a"b<c>&\n`]|end\x07{}\\;#'
    program = Program({"f": Flow("f", Body((Node("x", Compute(Const(nasty))),)))}, "f")
    diagram = diagram_of(program)
    picture = ET.fromstring(write_svg(diagram))
    assert any('a"b<c>&' in (text.text or "") for text in picture.iter(f"{SVG}text"))
    mermaid = write_mermaid(diagram)
    (line,) = [line for line in mermaid.splitlines() if "value" in line]
    assert re.fullmatch(r' *f0_0\["x<br/>[\w .,:()=+*/#;-]+"\]', line)
    (line,) = [line for line in write_dot(diagram).splitlines() if "value" in line]
    assert re.fullmatch(r' *"f0_0" \[label="(\\.|[^"\\])*"\]', line)


def as_mermaid_reads(text):
    """What Mermaid does to a text before it reads it, and how its labels come out."""
    for word in ("style", "classDef"):
        text = re.sub(rf"{word}.*:\S*#.*;", lambda found: found[0][:-1], text)
    return re.sub(r"#(\d+);", lambda found: chr(int(found[1])), text)


@pytest.mark.parametrize(
    "text",
    [
        "restyle(x:'#fff', \"a\"):",
        "classDef:#;",
        "1. first",
        "23) second",
        "- item",
        "+ item",
        "=== ",
        "a * b *c* _d_ load_orders __x__",
        "`code` ```",
        "end",
        "&amp; &lt;b&gt; #quot; #35;",
        "x" * 200 + "]" * 40,
        "\u0639\u0631\u0628\u064a \U0001f600 e\u0301 \u65e5\u672c",
        "%% comment ; --> |a| :::running",
    ],
)
def test_a_label_is_read_as_it_is_written(text) -> None:
    """By Mermaid's own preprocessing, with nothing left that Markdown, HTML or its grammar has a use for."""
    box = Box("f0_0", "end", text, tally="style: 1/2")
    diagram = Diagram((FlowBox("f0", text, Group("", (box,), ())),), title="run end: x")
    written = write_mermaid(diagram)
    (label,) = re.findall(r'^ *f0_0\["(.*)"\]$', written, re.MULTILINE)
    shown = label.split("<br/>")[1]
    line = " ".join(text.split())
    read = as_mermaid_reads(label)
    assert read == f"end<br/>{line}<br/>style: 1/2"
    plain = re.sub(r"#\d+;", "\0", shown)
    assert not re.search(r"[\"`<>&#;|\[\]{}*\\%~$]", plain)
    assert not re.match(r"(?:[-+=]|\d+[.)])", plain)
    assert not re.search(r"(?<![^\W_])_|_(?![^\W_])", plain)
    dot = write_dot(diagram)
    (label,) = re.findall(r'^ *"f0_0" \[label="((?:\\.|[^"\\])*)"\]$', dot, re.MULTILINE)
    read = unescape(re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), label))
    assert read == f"end\n{text}\nstyle: 1/2"


def test_who_draws_a_large_flow_is_told_what_mermaid_draws() -> None:
    boxes = tuple(Box(f"f0_{n}", "", "x") for n in range(ARROWS_MAX + 2))
    arrows = tuple(Arrow(n, n + 1, data=n % 2 == 0) for n in range(ARROWS_MAX + 1))
    diagram = Diagram((FlowBox("f0", "f()", Group("", boxes, arrows)),))
    assert too_large(write_mermaid(diagram)).startswith("it has 501 arrows")
    few = Diagram((FlowBox("f0", "f()", Group("", boxes, arrows[:-1])),))
    assert too_large(write_mermaid(few)) == ""
    assert "characters" in too_large("x" * (CHARACTERS_MAX + 1))


FLOW = """\
flowc: 1
events: {go: {external: true}}
flow: sample
inputs: {n: int}
steps:
  - id: xs
    value: list(range(n))
  - id: loads
    for: x in xs
    errors: collect
    parallel: 3
    do:
      - id: y
        value: 10 // (x - 3)
      - if: x > 5
        then:
          - id: big
            call: helper(x)
  - if: n > 50
    then:
      - wait: go
  - return: loads.values
---
flow: helper
inputs: {x: int}
result: x * 2
"""


@pytest.fixture
def flowc(tmp_path, monkeypatch, capsys):
    (tmp_path / "x.flow.yaml").write_text(FLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLOWC_STORE", raising=False)

    def call(*argv):
        capsys.readouterr()
        code = main(list(argv))
        return code, capsys.readouterr()

    return call


def test_a_run_colours_its_flow(flowc) -> None:
    flowc("run", "x.flow.yaml", "--executor", "local", "--id", "r", "-i", "n=8")
    code, said = flowc("graph", "--run", "r")
    assert code == 0
    lines = [line.strip() for line in said.out.splitlines()]
    assert 'subgraph f0["sample(n: int) #183; run r: succeeded"]' in lines
    assert 'f0_0["xs<br/>value list(range(n))"]:::succeeded' in lines
    assert "class f0_1 succeeded" in lines
    assert 'f0_1_0_0["y<br/>value 10 // (x - 3)<br/>7/8 done, 1 failed"]:::failed' in lines
    assert 'subgraph f0_1_0_1["if x #62; 5<br/>7/8 done"]' in lines
    assert 'f0_1_0_1_0_0["big<br/>call helper(x=x)<br/>2/2 done"]:::succeeded' in lines
    assert 'f0_2_0_0["wait go"]' in lines
    assert any(line.startswith('f1_0["') and "2/2 done" in line for line in lines)
    assert "7/8 done" in flowc("graph", "--run", "r", "--format", "svg")[1].out


GUARDED = """\
flowc: 1
events: {go: {external: true}}
flow: guarded
steps:
  - id: got
    try:
      - do: [{id: x, value: "[1][7]"}, {value: x}]
        timeout: 1h
        retry: {max: 1, delay: 1ms, catch: [LookupError]}
    catch:
      - {type: OSError, as: e, do: [{value: e.message}]}
      - {type: [IndexError, flowrt.errors:StoreError], as: e, do: [{value: e.step}]}
    finally:
      - switch: 2
        cases:
          - {is: 1, do: [{value: "'one'"}]}
          - {is: [2, 3], do: [{value: "'two'"}]}
      - race:
          - {id: first, do: [{value: 1}]}
          - {id: other, do: [{wait: go}]}
  - return: got
"""


def test_a_run_colours_the_parts_of_a_try_and_all_attempts_of_a_block(flowc, tmp_path) -> None:
    (tmp_path / "x.flow.yaml").write_text(GUARDED)
    assert flowc("run", "x.flow.yaml", "--executor", "local", "--id", "r")[0] == 0
    code, said = flowc("graph", "--run", "r")
    assert code == 0
    lines = [line.strip() for line in said.out.splitlines()]
    assert 'subgraph f0_0_0_0["do timeout 1h retry 1"]' in lines
    assert 'f0_0_0_0_0_0["x<br/>value #91;1#93;#91;7#93;<br/>0/2 done, 2 failed"]:::failed' in lines
    assert 'subgraph f0_0_1_part["catch OSError as e"]' in lines
    assert 'f0_0_1_0["value e.message"]' in lines
    assert 'subgraph f0_0_2_part["catch IndexError, StoreError as e"]' in lines
    assert 'f0_0_2_0["value e.step"]:::succeeded' in lines
    assert "class f0_0_3_0 succeeded" in lines
    assert 'f0_0_3_0_1_0["value #39;two#39;"]:::succeeded' in lines
    assert 'f0_0_3_1_1_0["wait go"]:::stopped' in lines


def test_a_run_that_waits_and_a_flow_that_has_changed(flowc, tmp_path) -> None:
    flowc("run", "x.flow.yaml", "--executor", "local", "--id", "r", "-i", "n=3")
    (tmp_path / "x.flow.yaml").write_text(FLOW.replace("x > 5", "x > 6"))
    code, said = flowc("graph", "x.flow.yaml", "--run", "r", "--format", "dot")
    assert code == 0
    assert "x > 5" in said.out
    assert "the flow was another when run r was started" in said.err
    code, said = flowc("graph", "x.flow.yaml:helper", "--run", "r")
    assert (code, said.out) == (2, "")


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg"])
def test_no_picture_of_what_is_not_valid(flowc, tmp_path, form) -> None:
    (tmp_path / "x.flow.yaml").write_text(FLOW.replace("list(range(n))", "nn"))
    code, said = flowc("graph", "x.flow.yaml", "--format", form)
    assert (code, said.out) == (3, "")
    assert "F0201" in said.err
    assert flowc("graph")[0] == 2
    assert flowc("graph", "none.flow.yaml", "--format", form)[0] == 2
    assert flowc("graph", "--run", "nobody", "--format", form)[0] == 2
