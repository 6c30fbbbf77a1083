"""What an expression computes is the same in every process, whatever its hash seed; and it is quick."""

import os
import subprocess
import sys
import timeit

from flowc.expr.parse import parse_expression
from flowc.span import Source
from flowrt.expr.evaluate import evaluate

PROGRAM = """
from flowc.expr.parse import parse_expression
from flowc.span import Source
from flowrt.expr.evaluate import evaluate
names = {"s": {"b", "a", 3, 2.5, None, ("x", 1)}}
for text in ("[x for x in s]", "str(s)", "f'{[s]}'", "list(zip(s, s))", "', '.join([str(x) for x in s])",
             "dict(enumerate(s))", "to_json({c for c in 'flow'})", "max([str(s)])", "'%s' % s"):
    tree, findings = parse_expression(text, lambda index: index, Source("test", text))
    print(evaluate(tree, names))
"""


def test_sets_have_one_order_in_all_processes():
    outputs = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]
    assert outputs[0]
    assert outputs[0] == outputs[1] == outputs[2]


def test_a_condition_takes_microseconds():
    text = "epoch < budget and score < target"
    tree, _ = parse_expression(text, lambda index: index, Source("test", text))
    names = {"epoch": 3, "budget": 20, "score": 0.5, "target": 0.92}
    assert evaluate(tree, names) is True
    best = min(timeit.repeat(lambda: evaluate(tree, names), number=2000, repeat=5)) / 2000
    assert best < 50e-6
