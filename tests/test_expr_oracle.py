"""Generated expressions have the value, or the type of error, that CPython gives; no text breaks the parser.

FLOWC_EXPR_ORACLE=100000 pytest tests/test_expr_oracle.py   compares so many expressions
FLOWC_EXPR_FUZZ=100000 pytest tests/test_expr_oracle.py     parses so many broken texts
"""

import ast
import importlib.util
import os
import random
import symtable
import time
import types
import warnings
from pathlib import Path

import pytest

from flowc.expr.infer import infer
from flowc.expr.names import free_names, walk
from flowc.expr.parse import parse_callee, parse_expression
from flowc.expr.read_type import parse_type
from flowc.span import Source
from flowrt.expr.budget import BudgetExceeded, ExpressionError
from flowrt.expr.evaluate import evaluate
from flowrt.expr.tree import Call, FString, Name, Slice
from flowrt.type_ref import TypeRef

_SPEC = importlib.util.spec_from_file_location("generate", Path(__file__).parent / "expr" / "generate.py")
_GENERATE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_GENERATE)

COMPARED = int(os.environ.get("FLOWC_EXPR_ORACLE", "5000"))
FUZZED = int(os.environ.get("FLOWC_EXPR_FUZZ", "2500"))
CHUNK = 500

ENV = {
    "n": 5,
    "m": 3,
    "x": -2.5,
    "s": "flow",
    "t": "a,b c",
    "xs": [3, 1, 2],
    "ys": ["b", "a"],
    "d": {"a": 1, "b": [2]},
    "pair": (1, "z"),
}
TYPES = {
    "n": TypeRef("int"),
    "m": TypeRef("int"),
    "x": TypeRef("float"),
    "s": TypeRef("str"),
    "t": TypeRef("str"),
    "xs": TypeRef("list", (TypeRef("int"),)),
    "ys": TypeRef("list", (TypeRef("str"),)),
    "d": TypeRef("dict"),
    "pair": TypeRef("tuple", (TypeRef("int"), TypeRef("str"))),
}
BUILTINS = (
    "len min max sum sorted reversed range enumerate zip any all abs round divmod int float str bool list"
    " dict set tuple"
)
NAMES = {name: getattr(__import__("builtins"), name) for name in BUILTINS.split()}
LAZY = (zip, enumerate, reversed, types.GeneratorType, type({}.keys()), type({}.values()), type({}.items()))
LAZY += (type(reversed([])), type(reversed(range(1))), type(reversed({})))


def parse(text):
    return parse_expression(text, lambda index: index, Source("test", text))


def settled(value):
    if isinstance(value, LAZY):
        return [settled(item) for item in value]
    if type(value) in (list, tuple):
        return type(value)(settled(item) for item in value)
    return {key: settled(item) for key, item in value.items()} if type(value) is dict else value


def same(left, right):
    if type(left) is not type(right):
        return False
    match left:
        case list() | tuple():
            return len(left) == len(right) and all(map(same, left, right))
        case dict():
            return same(list(left.items()), list(right.items()))
        case set():
            return left == right or sorted(map(repr, left)) == sorted(map(repr, right))
        case float() | complex():
            # What is not equal to itself, nan, is the same when it looks the same.
            return left == right or repr(left) == repr(right)
        case _:
            return left == right


def only_order_differs(text, left, right):
    """Whether a set was gone through, for which there is an order of ours."""
    return ("{" in text or "set(" in text) and sorted(repr(left)) == sorted(repr(right))


def by_python(text):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(text, "oracle", "eval")
        return settled(eval(code, {"__builtins__": {}, **NAMES, **ENV})), None
    except Exception as error:  # noqa: BLE001 - any error is an answer
        return None, type(error)


def by_flowrt(tree):
    try:
        return evaluate(tree, ENV), None
    except Exception as error:  # noqa: BLE001 - any error is an answer
        return None, type(error)


def fits(value, ref):
    classes = {"None": type(None), "duration": object, "any": object, "date": object, "datetime": object}
    if ref.name == "|":
        return any(fits(value, part) for part in ref.args)
    if ref.name in ("int", "float", "bool"):
        return type(value).__name__ == ref.name
    return isinstance(value, classes.get(ref.name) or NAMES.get(ref.name) or bytes)


@pytest.mark.parametrize("start", range(0, COMPARED, CHUNK))
def test_generated_expressions_agree_with_cpython(start):
    raised = 0
    for seed in range(start, min(start + CHUNK, COMPARED)):
        text = _GENERATE.Generator(seed).expression()
        if len(text) > 9000:
            continue
        tree, findings = parse(text)
        assert not findings, (seed, text, findings)
        value, error = by_python(text)
        ours, ours_error = by_flowrt(tree)
        if ours_error is BudgetExceeded:
            assert error is not None or len(repr(value)) > 10_000, (seed, text)
            continue
        if ours_error is ExpressionError:
            # The text of an iterator is its address in memory, and no iterator can be kept in a set.
            assert "zip(" in text or "enumerate(" in text or "reversed(" in text or " for " in text, (
                seed,
                text,
            )
            continue
        assert ours_error is error, (seed, text, error, ours_error, value, ours)
        assert same(ours, value) or only_order_differs(text, ours, value), (seed, text, value, ours)
        raised += error is not None
        if error is None:
            ref = infer(tree, TYPES)
            assert fits(value, ref), (seed, text, value, ref)
    assert raised < CHUNK * 0.6, "enough of the expressions must have a value"


def test_each_part_of_an_expression_stands_where_its_place_says():
    parts = 0
    for seed in range(400):
        text = _GENERATE.Generator(seed).expression()
        tree, _ = parse(text)
        formats = [
            field.format for node in walk(tree) if isinstance(node, FString) for field in _fields(node)
        ]
        # A format is no expression; a function's name alone is one, and neither is a slice.
        for node in walk(tree):
            if isinstance(node, Slice) or any(node is form for form in formats):
                continue
            again, findings = parse(text[slice(*node.at)])
            assert again == node, (seed, text, node, text[slice(*node.at)], findings)
            parts += 1
    assert parts > 2000


def _fields(node):
    return [part for part in node.parts if not isinstance(part, str)]


def test_free_names_are_those_that_python_reads():
    for seed in range(400):
        text = _GENERATE.Generator(seed).expression()
        tree, _ = parse(text)
        assert {name.id for name in free_names(tree)} == _names_of(text), text


def _names_of(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = symtable.symtable(f"def f():\n return ({text})", "test", "exec")
    found, stack = set(), list(table.get_children())
    while stack:
        inner = stack.pop()
        stack.extend(inner.get_children())
        found |= {symbol.get_name() for symbol in inner.get_symbols() if symbol.is_global()}
    return found - set(NAMES)


SEEDS = [
    "a + 1",
    "f\"x={x!r:>{w}} {{}} \\N{EM DASH} {d['a:b']}\" 'tail'",
    "é + f'{ü}' + é.b",
    "[x * 2 for x in xs if x]",
    "{k: v for k, v in d.items()}",
    "a[1:2, ::3]",
    "x if y else z",
    "not a and b or c",
    "-a ** -b // 3 % 2",
    "f(a, b=2)(c)",
    "'abc' \"d\" rf'{x}'",
    "1_000.5e-3 + 0x1F",
    "a.b:c(1)",
    "(1, 2), [3], {4}, {}",
    "a < b <= c != d not in e is not None",
    "'''a\nb''' # c\n",
    "lambda x: 1",
    "f'{f\"{x:{y}}\"}'",
    "\\",
    "${{ x }}",
    "list[int | None]",
    "dict[str, t.X]",
    "p.q:R",
]
BITS = [
    *"abfrxe01.,:;()[]{}'\"\\+-*/%<>=!&|^~@$#?` \n\t\r\x00\x0c\ud800é😀_",
    *(
        "not ",
        "if ",
        "else ",
        "for ",
        "in ",
        "is ",
        "and ",
        "lambda ",
        "f'",
        '"""',
        "'''",
        "**",
        "//",
        ":=",
        "...",
    ),
    *(
        "==",
        "\\N{",
        "\\x",
        "{{",
        "}}",
        "async ",
        "await ",
        "None",
        "1e999",
        "9" * 50,
        "0x",
        "1j",
        "\u2028",
        "\x85",
    ),
    *("ﬁ", "𝟎", "\ufeff"),
]


def broken(seed):
    chance = random.Random(seed)
    text = chance.choice(SEEDS)
    for _ in range(chance.randrange(1, 8)):
        at = chance.randrange(len(text) + 1)
        to = chance.randrange(len(text) + 1)
        match chance.randrange(5):
            case 0:
                text = text[:at] + chance.choice(BITS) + text[at:]
            case 1:
                text = text[:at] + text[at + chance.randrange(1, 4) :]
            case 2:
                text = text[:at] + chance.choice(SEEDS) + text[at:]
            case 3:
                text = text[:at] + text[min(at, to) : max(at, to)] * chance.choice([1, 2, 3, 50]) + text[at:]
            case _:
                text = text[:at] + chance.choice(BITS) * chance.choice([1, 2, 120, 3000]) + text[at:]
    return text


@pytest.mark.parametrize("start", range(0, FUZZED, CHUNK))
def test_broken_texts_end_with_findings_in_their_place(start):
    for seed in range(start, min(start + CHUNK, FUZZED)):
        text = broken(seed)
        begun = time.monotonic()
        tree, findings = parse(text)
        assert (tree is None) == bool(findings)
        callee, about_callee = parse_callee(text, lambda index: index, Source("test", text))
        assert (callee is None) == bool(about_callee)
        _, about_type = parse_type(text, lambda index: index, Source("test", text), {"t": "m"})
        assert time.monotonic() - begun < 2, text[:200]
        for finding in (*findings, *about_callee, *about_type):
            assert 0 <= finding.span.start <= finding.span.end <= len(text), (text, finding)
            assert finding.message, finding
            assert not finding.message.endswith("."), finding
        if tree is not None:
            # What flowc accepts, Python accepts.
            ast.parse("(" + text.replace("\r", " ") + "\n)", mode="eval")


def test_a_call_and_a_name_are_callees():
    for text, wanted in (
        ("shop.etl:load", Name("shop.etl:load")),
        ("shop.etl:Store.load()", Call(Name("shop.etl:Store.load"), (), ())),
    ):
        assert parse_callee(text, lambda index: index, Source("test", text)) == (wanted, [])
