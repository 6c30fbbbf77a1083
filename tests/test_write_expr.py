"""What is written of an expression reads back as the same expression."""

from datetime import timedelta
from pathlib import Path

import pytest

from flowc.expr.parse import parse_expression
from flowc.span import Source
from flowc.write.expr import write_expr
from flowrt.expr.tree import (
    Attribute,
    Binary,
    Compare,
    Const,
    IfElse,
    Index,
    Logic,
    Name,
    Slice,
    TupleOf,
    Unary,
)

TEXTS = (Path(__file__).parent / "plain" / "expressions.txt").read_text(encoding="utf-8").splitlines()


def read(text):
    expr, found = parse_expression(text, lambda index: index, Source("test", text))
    assert not found, [each.message for each in found]
    return expr


@pytest.mark.parametrize("text", TEXTS)
def test_text(text):
    assert write_expr(read(text)) == text


NAMES = [Name(name) for name in "abc"]
ATOMS = [*NAMES[:2], Const(1), Const("x"), Const(1.5)]


def wrapped(inner):
    """The expression in every place of every operator."""
    yield from (Unary(op, inner) for op in ("+", "-", "not"))
    for op in ("+", "-", "*", "/", "//", "%", "**"):
        yield from (Binary(op, inner, NAMES[0]), Binary(op, NAMES[0], inner))
    for op in ("and", "or"):
        yield from (Logic(op, (inner, NAMES[0])), Logic(op, (NAMES[0], inner)))
    yield from (
        Compare(inner, (("<", NAMES[0]),)),
        Compare(NAMES[0], (("in", inner), ("is not", Const(None)))),
    )
    yield from (IfElse(inner, *NAMES[:2]), IfElse(NAMES[0], inner, NAMES[1]), IfElse(*NAMES[:2], inner))
    yield from (Attribute(inner, "x"), Index(inner, Const(0)), Index(NAMES[0], Slice(inner, None, inner)))
    yield TupleOf((inner,))


def test_every_operator_inside_every_other():
    trees = [outer for atom in ATOMS for middle in wrapped(atom) for outer in wrapped(middle)]
    assert len(trees) > 3_000
    assert not [(tree, write_expr(tree)) for tree in trees if read(write_expr(tree)) != tree]


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (Binary("**", Const(-2), Name("a")), "(-2) ** a"),
        (Const(timedelta(hours=1, minutes=30)), 'duration("1h30m")'),
        (Const(float("-inf")), 'float("-inf")'),
        (Const(object()), "<object>"),
        (Const([1, "a"]), "[1, 'a']"),
        (Name("$0"), "$0"),
    ],
)
def test_what_no_author_writes(tree, text):
    assert write_expr(tree) == text
