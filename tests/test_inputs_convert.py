"""JSON-shaped values to Python values of declared types, and what is said of those that do not fit."""

import sys
import textwrap
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict, Union
from uuid import UUID

import attrs
import pytest

from flowrt.errors import BadInput
from flowrt.expr.tree import Const, ListOf
from flowrt.inputs.convert import convert, name_of
from flowrt.inputs.inputs import convert_inputs
from flowrt.program import Body, Flow
from flowrt.type_ref import Input, TypeRef


class Color(Enum):
    RED = "red"
    GREEN = 2


class Point(NamedTuple):
    x: int
    y: float = 0.0


class Address(TypedDict, total=False):
    street: str
    since: date


@dataclass
class Item:
    name: str
    price: Decimal
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Order:
    id: int
    items: tuple[Item, ...]
    due: date | None = None
    color: Color = Color.RED
    total: int = field(init=False, default=0)


@attrs.define
class Box:
    width: int
    _depth: int = 3


class Sku(str):
    pass


class Tree(NamedTuple):
    children: "list[Tree]"


UserId = NewType("UserId", int)


def good(value, hint):
    problems = []
    result = convert(value, hint, (), problems)
    assert problems == []
    return result


def bad(value, hint):
    problems = []
    convert(value, hint, (), problems)
    assert problems
    return [f"{one.place}: expected {one.expected}, got {one.got}" for one in problems]


@pytest.mark.parametrize(
    ("value", "hint", "result"),
    [
        (None, type(None), None),
        (True, bool, True),
        (3, int, 3),
        (3.0, int, 3),
        (3, float, 3.0),
        ("3", str, "3"),
        ("aGk=", bytes, b"hi"),
        ("2026-01-31", date, date(2026, 1, 31)),
        ("2026-01-31T09:30:00Z", datetime, datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
        ("1h30m", timedelta, timedelta(hours=1.5)),
        ("1.10", Decimal, Decimal("1.10")),
        ("a/b", Path, Path("a/b")),
        ("12345678123456781234567812345678", UUID, UUID("12345678123456781234567812345678")),
        ([1, 2], list[int], [1, 2]),
        ([1, 2], list, [1, 2]),
        ([1, 1], set[int], {1}),
        ([1, "a"], tuple[int, str], (1, "a")),
        ([1, 2, 3], tuple[int, ...], (1, 2, 3)),
        ({"a": "2026-01-31"}, dict[str, date], {"a": date(2026, 1, 31)}),
        ({"1": "a"}, dict[int, str], {1: "a"}),
        ({"x": [1]}, object, {"x": [1]}),
        ({"x": [1]}, Any, {"x": [1]}),
        ("b", Literal["a", "b"], "b"),
        (5, UserId, 5),
        (5, Annotated[int, "seconds"], 5),
        ("red", Color, Color.RED),
        ("GREEN", Color, Color.GREEN),
        (2, Color, Color.GREEN),
        ({"x": 1}, Point, Point(1)),
        ({"since": "2026-01-31"}, Address, {"since": date(2026, 1, 31)}),
        ({"width": 1, "depth": 2}, Box, Box(1, 2)),
        ("A-1", Sku, Sku("A-1")),
        ({"children": [{"children": []}]}, Tree, Tree([Tree([])])),
        (None, Optional[int], None),  # noqa: UP045 - as older code writes it
        (1, Union[float, int], 1),  # noqa: UP007
        (1, int | float, 1),
        ("2026-01-31", date | str, date(2026, 1, 31)),
        ("2026-01-31", str | date, "2026-01-31"),
        ("tomorrow", date | str, "tomorrow"),
        (date(2026, 1, 31), date, date(2026, 1, 31)),
    ],
)
def test_what_fits_is_converted(value, hint, result):
    made = good(value, hint)
    assert made == result
    assert type(made) is type(result)


def test_a_class_is_filled_field_by_field():
    given = {"id": 1, "items": [{"name": "pen", "price": "1.50"}], "due": "2026-01-31", "color": "GREEN"}
    made = good(given, Order)
    assert made == Order(1, (Item("pen", Decimal("1.50")),), date(2026, 1, 31), Color.GREEN)
    assert good(made, Order) is made


@pytest.mark.parametrize(
    ("value", "hint", "said"),
    [
        (1, bool, ": expected bool (true or false), got 1"),
        ("true", bool, ': expected bool (true or false), got "true"'),
        (True, int, ": expected int, got true"),
        (1.5, int, ": expected int, got 1.5"),
        ("1", int, ': expected int, got "1"'),
        (True, float, ": expected float, got true"),
        (1, str, ": expected str, got 1"),
        (None, str, ": expected str, got null"),
        ("2026-02-30", date, ': expected date (such as 2026-01-31), got "2026-02-30"'),
        ("2026-01-31", datetime, ': expected datetime (such as 2026-01-31T09:30:00Z), got "2026-01-31"'),
        (datetime(2026, 1, 1, tzinfo=UTC), date, None),
        (5, timedelta, ": expected duration (such as 30s, 5m or 1h30m), got 5"),
        ("%", bytes, ': expected bytes (base64 text), got "%"'),
        ("ab", list[str], ': expected list[str], got "ab"'),
        ([1, "a"], list[int], '[1]: expected int, got "a"'),
        ([1], tuple[int, str], ": expected tuple[int, str] (2 items), got [1]"),
        ([[]], set[list[int]], ": expected set[list[int]], got [[]]"),
        ({"a": 1}, dict[str, str], '["a"]: expected str, got 1'),
        ({"a": 1}, dict[int, int], ': expected a key of type int, got "a"'),
        ("c", Literal["a", "b"], ': expected "a" | "b", got "c"'),
        ("blue", Color, ': expected Color (one of "red", 2), got "blue"'),
        (1.5, int | None, ": expected int | None, got 1.5"),
        ({"x": "a"}, Point, '.x: expected int, got "a"'),
        ({"x": 1, "z": 1}, Point, ".z: expected a field of Point (x, y), got another"),
        ({}, Point, ".x: expected int, got nothing"),
        ([1, 2], Point, ": expected Point (an object), got [1, 2]"),
        ({"width": 1, "_depth": 2}, Box, "._depth: expected a field of Box (width, depth), got another"),
        ({"street": 1}, Address, ".street: expected str, got 1"),
        ({"id": 1, "items": [], "total": 1}, Order, None),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(value, hint, said):
    found = bad(value, hint)
    if said is not None:
        assert found == [said]


def test_all_problems_are_told_at_once():
    given = {"id": "1", "items": [{"name": 1}, {"name": "b", "price": "x"}]}
    assert bad(given, Order) == [
        '.id: expected int, got "1"',
        ".items[0].name: expected str, got 1",
        ".items[0].price: expected Decimal, got nothing",
        '.items[1].price: expected Decimal (a number or text), got "x"',
    ]


def test_of_a_union_the_member_whose_shape_fits_tells_what_is_wrong():
    assert bad({"x": "a"}, Point | None) == ['.x: expected int, got "a"']


def test_what_a_constructor_raises_is_a_problem_of_the_value():
    @dataclass
    class Positive:
        n: int

        def __post_init__(self):
            if self.n < 1:
                raise ValueError("n must be positive")

    assert bad({"n": 0}, Positive)[0].startswith(
        ": expected test_what_a_constructor_raises_is_a_problem_of_the_value.<locals>.Positive "
        "(ValueError: n must be positive)"
    )


def test_the_depth_of_values_is_bounded():
    value: dict[str, object] = {"children": []}
    for _ in range(500):
        value = {"children": [value]}
    assert "at most 100 levels" in bad(value, Tree)[0]


def test_long_values_are_shortened():
    assert len(bad("x" * 10_000, int)[0]) < 100


def test_a_model_that_validates_itself_is_asked():
    class Refused(Exception):
        def errors(self):
            return [{"loc": ("items", 0, "price"), "msg": "must be positive", "input": -1}]

    class Model:
        @classmethod
        def model_validate(cls, value):
            if value != {"price": 1}:
                raise Refused
            return cls()

    assert isinstance(good({"price": 1}, Model), Model)
    assert bad({}, Model)[0].endswith(".Model (must be positive), got -1")
    assert bad({}, Model)[0].startswith(".items[0].price: ")


def test_names_of_types_are_those_of_the_language():
    hint = dict[str, list[int] | None]
    assert name_of(hint) == "dict[str, list[int] | None]"
    assert name_of(timedelta) == "duration"
    assert name_of(tuple[int, ...]) == "tuple[int, ...]"


# The inputs of a flow


def flow(*inputs):
    return Flow("etl", Body(()), inputs)


def test_inputs_are_converted_and_defaults_stay_out():
    etl = flow(Input("day", TypeRef("date")), Input("fanout", TypeRef("int"), default=Const(32)))
    assert convert_inputs(etl, {"day": "2026-01-31"}, ()) == {"day": date(2026, 1, 31)}


def test_every_problem_of_every_input_is_told():
    etl = flow(
        Input("day", TypeRef("date"), doc="the day to load"),
        Input("fanout", TypeRef("int"), minimum=Const(1), maximum=Const(64)),
        Input("size", TypeRef("str"), choices=ListOf((Const("s"), Const("m")))),
        Input("ids", TypeRef("list", (TypeRef("int"),))),
    )
    with pytest.raises(BadInput) as caught:
        convert_inputs(etl, {"fanout": 0, "size": "xl", "ids": [1, "2"], "dya": 1, "unheard": 2}, ())
    assert str(caught.value).split("\n") == [
        "Flow `etl` has no input `dya`. Did you mean `day`?",
        "Flow `etl` has no input `unheard`; its inputs are `day`, `fanout`, `size`, `ids`.",
        "Input `day` (the day to load) is missing; expected date.",
        "Input `fanout`: expected at least 1, got 0.",
        'Input `size`: expected one of "s", "m", got "xl".',
        'Input `ids[1]`: expected int, got "2".',
    ]


def test_a_flow_without_inputs_says_so():
    with pytest.raises(BadInput, match="has no input `x`; it has none"):
        convert_inputs(flow(), {"x": 1}, ())


def test_classes_are_imported_from_the_python_path(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    source = """
        from dataclasses import dataclass
        @dataclass
        class Config:
            rate: float
    """
    (tmp_path / "shop_inputs.py").write_text(textwrap.dedent(source))
    one = flow(Input("cfg", TypeRef("shop_inputs:Config")))
    made = convert_inputs(one, {"cfg": {"rate": 1}}, (str(tmp_path),))["cfg"]
    assert made.rate == 1.0
    assert type(made).__module__ == "shop_inputs"
    for path in ("shop_inputs:Confg", "no_such_module:Config", "os:path"):
        with pytest.raises(BadInput):
            convert_inputs(flow(Input("cfg", TypeRef(path))), {"cfg": {}}, (str(tmp_path),))
