"""The JSON Schema of a type refuses nothing that can be converted, and little else passes."""

import json
import random
from collections import namedtuple
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Literal, NamedTuple, Required, TypedDict

import pytest
from jsonschema import Draft202012Validator

from flowc.cli.main import main
from flowrt.errors import BadInput
from flowrt.expr.tree import Const
from flowrt.inputs.checked import ELEMENTS_LIMIT, refused
from flowrt.inputs.convert import convert
from flowrt.inputs.inputs import convert_inputs
from flowrt.inputs.json_schema import SchemaMaker, inputs_schema
from flowrt.program import Body, Flow
from flowrt.type_ref import Input, TypeRef


class Size(Enum):
    SMALL = "s"
    LARGE = 2


class Row(NamedTuple):
    at: date
    n: int = 0


class Options(TypedDict, total=False):
    name: Required[str]
    size: Size


@dataclass
class Tree:
    value: int
    below: "list[Tree]" = field(default_factory=list)
    options: Options | None = None


class Word(str):
    __slots__ = ()


HINTS = [
    *(object, None.__class__, bool, int, float, str, bytes, date, datetime, timedelta, list, dict, tuple),
    *(list[int], dict[str, float], set[str], tuple[int, str], tuple[int, ...], int | None, Literal["a", 1]),
    *(Size, Row, Options, Tree, Word, list[Row | Size], dict[str, Tree], namedtuple("Pair", "a b")),
]
LEAVES = [None, True, 0, 1, 2, 2.0, 2.5, -1, "", "s", "a", "SMALL", "2026-01-01", "2026-01-01T01:02", "30s"]
KEYS = ["value", "below", "options", "name", "size", "at", "n", "a", "b", "x"]
TEXTS = {bytes, date, datetime, timedelta}


def value_of(rng, depth=3):
    kind = rng.random()
    if depth == 0 or kind < 0.4:
        return rng.choice(LEAVES)
    if kind < 0.6:
        return [value_of(rng, depth - 1) for _ in range(rng.randrange(3))]
    return {rng.choice(KEYS): value_of(rng, depth - 1) for _ in range(rng.randrange(3))}


@pytest.mark.parametrize("hint", HINTS, ids=str)
def test_what_can_be_converted_passes_its_schema(hint) -> None:
    schema = json.loads(json.dumps(SchemaMaker(foreign=False).whole(hint)))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    rng = random.Random(1)
    for _ in range(300):
        value = value_of(rng)
        problems = []
        convert(value, hint, (), problems)
        assert problems or validator.is_valid(value), (value, schema)
        if hint not in TEXTS and "format" not in json.dumps(schema) and hint is not Size and not problems:
            assert refused(value, hint) == []


def test_what_fits_no_part_of_a_type_is_refused() -> None:
    assert refused({"value": "x"}, Tree)[0].place == ".value"
    assert refused({"value": 1, "below": [{"value": 1}, {"valu": 1}]}, Tree)[0].place == ".below[1]"
    assert refused([1], tuple[int, str])
    assert refused(True, int)
    assert not refused({"value": 1, "below": [{"value": 2.0}]}, Tree)


def test_what_is_no_json_or_large_is_left_to_the_conversion() -> None:
    assert refused({1: 2}, list[int]) == []
    assert refused(date(2026, 1, 1), int) == []
    assert refused(["x"] * (ELEMENTS_LIMIT + 1), list[int]) == []
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    assert refused(deep, int) == []
    while isinstance(deep, list):  # Taken apart by hand: the interpreter would do it recursively.
        deep = deep.pop()


def flow(*inputs: Input) -> Flow:
    return Flow("etl", Body(()), inputs)


def test_the_schema_of_a_flow() -> None:
    schema = inputs_schema(
        flow(
            Input("day", TypeRef("date"), doc="the day\n"),
            Input("n", TypeRef("int"), Const(2), minimum=Const(1), maximum=Const(9)),
            Input("size", TypeRef("str"), Const("a"), choices=Const(["a", "b"])),
        ),
        (),
    )
    Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["day"]
    assert schema["properties"] == {
        "day": {"type": "string", "format": "date", "description": "the day"},
        "n": {"type": "integer", "default": 2, "minimum": 1, "maximum": 9},
        "size": {"type": "string", "default": "a", "enum": ["a", "b"]},
    }


def test_a_message_names_the_place_in_the_value(tmp_path) -> None:
    (tmp_path / "schema_orders.py").write_text(
        "from dataclasses import dataclass\n\n\n@dataclass\nclass Item:\n    price: float\n\n\n"
        "@dataclass\nclass Order:\n    items: list[Item]\n"
    )
    one = flow(Input("order", TypeRef("schema_orders:Order")))
    items = [{"price": 1}, {"price": 2.5}, {"price": 3}]
    given = {"order": {"items": [*items, {"price": "4"}]}}
    with pytest.raises(BadInput, match=r"Input `order\.items\[3\]\.price`: expected float, got \"4\"\."):
        convert_inputs(one, given, (str(tmp_path),))
    given["order"]["items"].pop()
    assert len(convert_inputs(one, given, (str(tmp_path),))["order"].items) == 3


def test_the_command_prints_the_schema_of_inputs(tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "x.flow.yaml").write_text(
        "flowc: 1\nflow: f\ninputs: {day: date, n: {type: int, default: 1}}\nresult: n\n"
        "---\nflow: g\nresult: 1\n"
    )
    monkeypatch.chdir(tmp_path)
    assert main(["schema", "x.flow.yaml"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["title"], list(shown["properties"])) == ("Inputs of the flow f", ["day", "n"])
    assert main(["schema", "x.flow.yaml:g"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"] == {}
    assert main(["schema", "y.flow.yaml"]) == 2
