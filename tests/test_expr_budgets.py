"""Hostile expressions: each ends in seconds and within 1.5 GB, by a value or by an error that says why."""

import subprocess
import sys
from pathlib import Path

import pytest

from flowc.expr.parse import parse_expression
from flowc.span import Source
from flowrt.expr.evaluate import evaluate

HERE = Path(__file__).parent
TEXTS = [
    line
    for line in (HERE / "expr" / "hostile.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
WORST_S = 5.0
"""A million steps are about a second; a busy machine may take longer."""

EVALUATOR = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (3 << 29, 3 << 29))
from flowc.expr.parse import parse_expression
from flowc.span import Source
from flowrt.expr.evaluate import evaluate

env = {"T": "a" * 5_000_000, "B": b"a" * 5_000_000, "I": 3**600_000, "L": list(range(500_000))}
for text in sys.stdin.read().splitlines():
    tree, _ = parse_expression(text, int, Source("x", text))
    began = time.monotonic()
    try:
        evaluate(tree, env)
        how = "value"
    except BaseException as error:
        how = type(error).__name__
    print(f"{time.monotonic() - began:.2f} {how}", flush=True)
"""


def test_no_expression_exhausts_the_engine() -> None:
    done = subprocess.run(
        [sys.executable, "-c", EVALUATOR],
        input="\n".join(TEXTS),
        capture_output=True,
        text=True,
        timeout=WORST_S * len(TEXTS),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = dict(zip(TEXTS, (line.split() for line in done.stdout.splitlines()), strict=True))
    assert {text: how for text, (_, how) in seen.items() if how == "MemoryError"} == {}
    assert {text: took for text, (took, _) in seen.items() if float(took) > WORST_S} == {}
    assert sum(how == "BudgetExceeded" for _, how in seen.values()) >= len(TEXTS) - 6


EXACT = [
    "sum([2**70, 1, 0.5])",
    "sum([1, 0.1, 2**63, 0.2])",
    "-2**70 % 7",
    "{2**70: 1}[2**70]",
    "round(2**70, -3)",
    "f'{2**70:_b}'",
    "'%x %s' % (2**70, 'a' * 2000)",
    "'%(a)s %(a)r' % {'a': 'b' * 2000}",
    "max([2**70, 2**71])",
    "2**70 in [1, 2**70]",
    "{(2**70, 1), (2**70, 1), (-1,), (-2,)}",
    "(2**61 - 1) in {0, 2**61 - 1}",
    "list(range(2**70, 2**70 + 3))",
]


@pytest.mark.parametrize("text", EXACT)
def test_what_is_paid_for_is_computed_as_python_does(text: str) -> None:
    tree, _ = parse_expression(text, int, Source("expression", text))
    assert tree is not None
    assert evaluate(tree, {}) == eval(text)
