"""The durable engine comes to what a plain run comes to: the same program, run in both ways."""

from pathlib import Path
from textwrap import indent

import pytest
from stories import Story

from flowc.compile import check_source
from flowc.lower.file import lower
from flowc.span import Source
from flowrt.executor.callee import put_first
from flowrt.plain.loops import describe
from flowrt.plain.plain import run_plain
from flowrt.program import Program

FOLDER = Path(__file__).parent / "plain"
put_first([str(FOLDER)])

HEAD = """\
flowc: 1
use: {t: plain_tasks}
events: {ping: {key: any}}
actors: {account: t.Account}
flow: main
inputs: {n: {type: int, default: 3}, xs: {type: 'list[int]', default: [1, 2, 3]}}
steps:
"""


def cases():
    text = (FOLDER / "steps.txt").read_text(encoding="utf-8")
    for chunk in text.split("\n=== ")[1:]:
        name, _, rest = chunk.partition("\n")
        yield pytest.param(rest.partition("\n--- ")[0] + "\n", id=name)


FAILING = [
    "- fail: order ${{ n }} was declined",
    "- {id: r, for: x in xs, need: 3, errors: drop, do: [{call: 't.fails_at(x, n)'}]}",
    "- {for: x in xs, do: [{call: 't.fails_at(x, n)'}]}",
    "- while: n > 0\n  max: 4\n  do: [{value: 1}]",
    "- until: n < 0\n  max: 4\n  do: [{value: 1}]",
    "- raise: t.Rejected(n)",
    "- return: xs[n]",
    "- return: 1 / (n - 3)",
    "- id: r\n  for: x in from_json('3')\n  do: [{value: x}]",
    "- if: from_json('1')\n  then: [{return: 1}]",
]


@pytest.mark.parametrize("steps", [*cases(), *FAILING])
@pytest.mark.parametrize("n", [0, 2, 3, 9])
def test_same_value(steps, n):
    file, found = check_source(Source("test.flow.yaml", HEAD + indent(steps, "  ")))
    assert file is not None
    assert not [each for each in found if each.severity == "error"]
    program = lower(file, "main")
    story = Story(program)
    assert ended_durably(story, {"n": n}) == ended_plainly(program, {"n": n})


def ended_plainly(program: Program, inputs):
    try:
        return run_plain(program, inputs)
    except Exception as error:  # noqa: BLE001 - whatever the flow raises is compared
        return describe(error)


def ended_durably(story: Story, inputs):
    result = story.play(inputs)
    if result.status == "succeeded":
        return story.value(result)
    return result.failure.type, result.failure.message
