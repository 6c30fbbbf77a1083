"""The examples in tests/expr: what each expression, condition, callee or type gives stands below it.

FLOWC_UPDATE_GOLDEN=1 pytest tests/test_expr_examples.py   writes what it finds; read the difference.
"""

import os
from collections import OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import attrs
import numpy as np
import pytest

from flowc.expr.infer import infer
from flowc.expr.parse import parse_callee, parse_expression
from flowc.expr.read_type import parse_type
from flowc.expr.type_refs import show
from flowc.span import Source
from flowrt.expr.budget import Budget
from flowrt.expr.evaluate import evaluate
from flowrt.expr.kinds import truth
from flowrt.expr.text import text_of
from flowrt.type_ref import TypeRef

HERE = Path(__file__).parent / "expr"
PROMPT = ">>> "


@dataclass
class Order:
    id: int
    total: float = 3.0
    tags: list = field(default_factory=list)
    currency: ClassVar[str] = "EUR"

    @property
    def tax(self):
        raise AssertionError("code of a class has run")

    @cached_property
    def weight(self):
        raise AssertionError("code of a class has run")

    def cancel(self):
        raise AssertionError("code of a class has run")

    def __getattr__(self, name):
        raise AssertionError(f"code of a class has run for {name}")


@dataclass(slots=True)
class Slim:
    id: int
    note: str = ""


@attrs.define
class Parcel:
    tracking: str


class Plain:
    def __init__(self):
        self.size = 3

    def __len__(self):
        raise AssertionError("code of a class has run")

    def __add__(self, other):
        raise AssertionError("code of a class has run")

    def __iter__(self):
        raise AssertionError("code of a class has run")

    def __getitem__(self, key):
        raise AssertionError("code of a class has run")


class Color(Enum):
    RED = "red"


Point = namedtuple("Point", "x y")

ENV = {
    "n": 5,
    "x": 2.5,
    "s": "flow",
    "xs": [3, 1, 2],
    "d": {"a": 1, "b": [1, 2]},
    "none": None,
    "order": Order(7),
    "slim": Slim(1),
    "parcel": Parcel("T1"),
    "plain": Plain(),
    "point": Point(1, 2),
    "color": Color.RED,
    "proxy": MappingProxyType({"k": 1}),
    "default": defaultdict(list, a=[1]),
    "ordered": OrderedDict(a=1),
    "day": date(2026, 1, 31),
    "now": datetime(2026, 1, 31, 9, 30, tzinfo=UTC),
    "naive": datetime(2026, 1, 31, 9, 30),  # noqa: DTZ001 - without an offset on purpose
    "pause": timedelta(hours=1, minutes=30),
    "money": Decimal("1.10"),
    "third": Fraction(1, 3),
    "array": np.arange(3),
    "score": np.float64(0.5),
    "blob": b"abc",
    "nested": {"a": {"b": [{"c": 1}]}},
    "huge": 10**6000,
    "long": "ab" * 1000,
    "error": ValueError("no", 3),
}
TYPES = {
    "n": "int",
    "x": "float",
    "s": "str",
    "xs": "list",
    "d": "dict",
    "now": "datetime",
    "pause": "duration",
}
SECRETS = {"KEY": "hunter2"}


def at(index):
    return index


def findings_of(text, findings):
    lines = []
    for finding in findings:
        there = text[finding.span.start : finding.span.end]
        lines.append(f"{finding.code} at `{there}`: {finding.message} {finding.hint}".rstrip())
        if finding.help:
            lines.append(f"  help: {finding.help}")
        lines += [f"  fix: {fix.replacement!r}" for fix in finding.fixes]
    return "\n".join(lines)


def value_of(text):
    tree, findings = parse_expression(text, at, Source("test", text))
    if findings:
        return findings_of(text, findings)
    try:
        value = evaluate(tree, ENV, SECRETS.__getitem__)
        shown = (
            f"str of {len(value)}"
            if type(value) is str and len(value) > 200
            else text_of(value, "r", Budget())
        )
    except Exception as error:  # noqa: BLE001 - any error is an answer
        return f"{type(error).__name__}: {error}"
    return shown if len(shown) < 200 else f"{type(value).__name__} of {len(value)}"


def type_of(text):
    ref, findings = parse_type(text, at, Source("test", text), {"o": "shop.orders"})
    return findings_of(text, findings) or f"{ref.name} {show(ref)}"


def inferred(text):
    tree, findings = parse_expression(text, at, Source("test", text))
    assert not findings
    types = {name: TypeRef(ref) for name, ref in TYPES.items()}
    types["xs"] = TypeRef("list", (TypeRef("int"),))
    types["d"] = TypeRef("dict", (TypeRef("str"), TypeRef("float")))
    types["maybe"] = TypeRef("|", (TypeRef("int"), TypeRef("None")))
    return show(infer(tree, types))


def condition(text):
    tree, findings = parse_expression(text, at, Source("test", text))
    assert not findings
    try:
        return repr(truth(evaluate(tree, ENV)))
    except TypeError as error:
        return f"TypeError: {error}"


def callee(text):
    tree, findings = parse_callee(text, at, Source("test", text))
    return findings_of(text, findings) or type(tree).__name__


WAYS = {
    "values": value_of,
    "budgets": value_of,
    "data": value_of,
    "findings": value_of,
    "callees": callee,
    "types": type_of,
    "inferred": inferred,
    "conditions": condition,
}


def examples(name):
    """The chunks of a file: what stands before the first prompt, then each example with its answer."""
    head, *chunks = (HERE / f"{name}.txt").read_text().split(PROMPT)
    pairs = []
    for chunk in chunks:
        lines = chunk.rstrip("\n").split("\n")
        more = next((i for i, line in enumerate(lines[1:], 1) if not line.startswith("... ")), len(lines))
        text = "\n".join([lines[0], *(line.removeprefix("... ") for line in lines[1:more])])
        pairs.append((text, "\n".join(lines[more:])))
    return head, pairs


@pytest.mark.parametrize("name", WAYS)
def test_examples(name):
    head, pairs = examples(name)
    found = [(text, WAYS[name](text)) for text, _ in pairs]
    if os.environ.get("FLOWC_UPDATE_GOLDEN"):
        chunks = [PROMPT + text.replace("\n", "\n... ") + "\n" + answer + "\n" for text, answer in found]
        (HERE / f"{name}.txt").write_text(head + "\n".join(chunks))
    assert found == [(text, answer.rstrip("\n")) for text, answer in examples(name)[1]]
