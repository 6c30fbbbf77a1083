"""`flowc convert`: there and back on the flows of the repository, and the command.

What they must have in common is in `support/there_and_back.py`. On generated flows:
`python tests/convert/campaign.py 2000`.
"""

import re
from pathlib import Path

import pytest
import there_and_back as ways
from random_texts import Texts

from flowc.cli.main import main
from flowc.resolve.keys import STEPS
from flowc.rewrite import Refused, rewritten
from flowc.span import Source

ROOT = Path(__file__).parent.parent
FLOWS = [
    path
    for folder in (
        "docs/patterns",
        "examples",
        "tests/compile/ok",
        "tests/core/flows",
        "tests/fmt",
        "tests/dsl",
    )
    for pattern in ("*.flow.yaml", "*.flow")
    for path in sorted((ROOT / folder).rglob(pattern))
    if not {"err", "later"} & set(path.parts)
]
HEAD = (
    "flowc: 1\nuse: {t: shop.etl}\nevents: {done: {}}\nflow: main\ninputs: {a: any, b: any, n: int}\nsteps:\n"
)


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: str(path.relative_to(ROOT)))
def test_there_and_back(path):
    ways.there_and_back(path.name, path.read_text(encoding="utf-8"), path.parent)


@pytest.mark.parametrize(
    ("yaml", "dsl"),
    [
        ("call: t.f\n    with: {x: a, y: '${{ a }}', z: -1}", 't.f(x="a", y=a, z=-1)'),
        ("call: t.f(a,)\n    with: {x: 1.5}", "t.f(a, x=1.5)"),
        ("fail: 'no ${{ a }} in {b}'", 'fail f"no {a!s} in {{b}}"'),
        ('fail: say ${{ a["k"] }}', "fail f'say {a[\"k\"]!s}'"),
        ("fail: 404", 'fail "404"'),
        ("sleep: ${{ duration('1h') * n }}", "sleep duration('1h') * n"),
        ("sleep: {until: now()}", "sleep until now()"),
        ("value: [a, {k: b, 'l m': '1 + 1'}]", '[a, {"k": b, "l m": 1 + 1}]'),
        ("value: null", "None"),
        ("value: 0x10", "16"),
        ("value: \"'a' if b else 'c'\"", "(\"'a' if b else 'c'\")".replace('"', "")),
        ("value: |-\n      a +\n      b", "a + b"),
        (
            "call: t.f(a)\n    options: {num_cpus: 2, memory: 4 GiB, resources: {x: 1}}",
            't.f(a) options num_cpus=2, memory=4294967296, resources={"x": 1}',
        ),
        ("call: t.f(a)\n    retry: {max: 2, catch: [], unless: OSError}", "t.f(a) retry 2 unless OSError"),
        ("graph: {x: {value: '[y for y in b]'}}", "graph failure cancel:\n        x = [y for y in b]"),
        ("return: null", "return"),
        ("return: None", "return None"),
        ("emit: done\n    with: {'a b': 1}", 'emit done with {"a b": 1}'),
        ("emit: done\n    with: '${{ a }}'", "emit done with a"),
        ("do:\n      - graph: {x: t.f(a)}", "do:\n        graph:\n            x = t.f(a)"),
        (
            "while: a == 1\n    do:\n      - graph: {x: t.f(a)}",
            "while a == 1:\n        graph failure cancel:\n            x = t.f(a)",
        ),
        (
            "while: a == 1\n    max: 3\n    graph: {x: t.f(a)}",
            "while a == 1 max 3:\n        graph:\n            x = t.f(a)",
        ),
        (
            "if: a == 1\n    then: t.f(a)\n    else:\n      - if: a == 2\n        then: []",
            "if a == 1:\n        t.f(a)\n    elif a == 2:\n        pass",
        ),
    ],
)
def test_forms(yaml, dsl):
    there = ways.there_and_back("x.flow.yaml", f"{HEAD}  - {yaml}\n")
    assert there.partition("):\n    ")[2] == f"{dsl}\n"


COMMENTS = """\
# the file
flowc: 1  # version
use: {t: shop.etl}
# the flow
flow: main
inputs:
  # the day
  day: date  # of the load
steps:
  # load it
  - id: rows
    call: t.load(day)  # all of it

  - if: len(rows) > 0  # some
    # then
    then:  # first
      - call: t.keep(rows)
      # end of then
    # otherwise
    else:
      - call: t.none()
  # end
"""
IN_DSL = """\
# the file
# version
use shop.etl as t

# the flow
flow main(
    # the day
    day: date,  # of the load
):
    # load it
    rows = t.load(day)  # all of it

    if len(rows) > 0:  # some
        # then
        # first
        t.keep(rows)
        # end of then
    # otherwise
    else:
        t.none()
    # end
"""


def test_comments_go_along():
    assert ways.written("x.flow.yaml", COMMENTS, "dsl") == IN_DSL
    back = ways.written("x.flow", IN_DSL, "yaml")
    assert back.count("#") == COMMENTS.count("#")
    assert "    call: t.load(day)  # all of it\n\n  - if: len(rows) > 0  # some\n" in back
    assert "        # end of then\n    # otherwise\n    else:\n" in back or "# otherwise\n" in back


def test_a_long_call_has_a_line_for_each_argument():
    given = ", ".join(f"argument_{n}=a" for n in range(9))
    there = ways.there_and_back("x.flow.yaml", f"{HEAD}  - id: x\n    call: t.f({given})\n    timeout: 5m\n")
    assert "    x = t.f(\n        argument_0=a,\n" in there
    assert "        argument_8=a,\n    ) timeout 5m\n" in there


def test_what_has_no_form_is_refused_with_the_reason():
    outcome = rewritten(Source("x.flow.yaml", f"{HEAD}  - value: .nan\n"), "yaml", "dsl")
    assert isinstance(outcome, Refused)
    assert outcome.reason == "The number `.nan` has no literal in the DSL: compute it in a task."


def test_a_text_that_is_too_long_for_an_expression_is_refused_with_the_reason():
    outcome = rewritten(Source("x.flow.yaml", f"{HEAD}  - fail: {'x' * 50_000}\n"), "yaml", "dsl")
    assert isinstance(outcome, Refused)
    assert outcome.reason.startswith("A text of 50,000 characters has no form in the DSL")
    text = f"{HEAD}  - call: t.f(n)\n    doc: {'x' * 50_000}\n"
    assert "x" * 50_000 in ways.written("x.flow.yaml", text, "dsl")


def test_convert_prints_or_writes(tmp_path, capsysbinary):
    path, out = tmp_path / "a.flow.yaml", tmp_path / "a.flow"
    path.write_text(f"{HEAD}  - return: n\n")
    assert main(["convert", str(path), "--to", "dsl"]) == 0
    printed = capsysbinary.readouterr().out
    assert b"flow main(a: any, b: any, n: int):\n    return n\n" in printed
    assert main(["convert", str(path), "-o", str(out)]) == 0
    assert out.read_bytes() == printed
    assert main(["convert", str(out)]) == 0
    assert b"  - return: n\n" in capsysbinary.readouterr().out
    assert main(["fmt", "--check", str(out)]) == 0


def test_convert_says_what_is_wrong(tmp_path, capsys):
    path = tmp_path / "a.flow.yaml"
    assert main(["convert", str(path)]) == 2
    path.write_text("flowc: 1\nflow: a\nsteps: [{retrun: 1}]\n")
    assert main(["convert", str(path)]) == 3
    assert main(["convert", str(path), "--to", "yaml"]) == 2
    path.write_text(f"{HEAD}  - value: .nan\n")
    assert main(["convert", str(path)]) == 2
    said = capsys.readouterr().err
    for part in ("cannot be read", "retrun", "flowc fmt", "is not converted. The number"):
        assert part in said


@pytest.mark.parametrize("seed", range(12))
def test_generated_flows_there_and_back(seed):
    ways.there_and_back("x.flow.yaml", Texts(seed + 20).text())


def test_the_generator_uses_every_construct():
    text = "".join(Texts(seed).text() for seed in range(120))
    assert [kind for kind in STEPS if f"{kind}:" not in text] == []


def test_comments_inside_of_expressions_go_along():
    text = """flowc: 1
use: {t: m}
flow: f
inputs: {n: int}
steps:
  - id: x
    call: |  # c1
      t.g(
        n,  # c2
        m='#')  # c3
    with:
      a: 'n # data'
      b: |
        # data
      c: "${{ n # c4 }}"
  - if: |
      n > 1 and  # c5
      n < 3
    then: []
  - graph:
      a: n# c6
      b: |
        n  # c7
  - for: |
      i in [1,  # c8
      2]
    do: t.g(i)
    collect: |
      # c9
      n
  - fail: "no ${{ n }} # data"
"""
    there = ways.written("x.flow.yaml", text, "dsl")
    assert re.findall(r"^ *# (c\d)$", there, re.MULTILINE) == [f"c{n}" for n in range(1, 10)]
    assert there.count("# data") == 3
    assert re.findall(r"# (c\d)", ways.written("x.flow", there, "yaml")) == [f"c{n}" for n in range(1, 10)]
