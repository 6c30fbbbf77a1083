"""Values as `flowc run --json` prints them."""

import datetime as dt
import json
import math
from collections import Counter, OrderedDict, namedtuple

import pytest

from flowrt.collected import Collected, ForError
from flowrt.shown.json_value import dump, plain


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "ü\n", [1, [2]], {"a": {"b": None}}, 10**300])
def test_what_json_has_is_itself(value):
    assert json.loads(dump(value)) == value


def test_tuples_and_mappings_have_brackets_in_json():
    assert plain((1, (2,))) == [1, [2]]
    assert plain(OrderedDict(b=1, a=2)) == {"b": 1, "a": 2}
    assert plain(Counter("aab")) == {"a": 2, "b": 1}


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "type_name"),
    [
        (dt.date(2026, 1, 1), "datetime.date"),
        ({1, 2}, "builtins.set"),
        (b"x", "builtins.bytes"),
        (math.nan, "builtins.float"),
        (math.inf, "builtins.float"),
        ({1: "x"}, "builtins.dict"),
        pytest.param(10**5000, "builtins.int", id="long int"),
        (Point(1, 2), f"{__name__}.Point"),
    ],
)
def test_what_json_lacks_gets_a_stand_in(value, type_name):
    told = json.loads(dump({"inside": [value]}))["inside"][0]
    assert set(told) == {"$type", "repr"}
    assert told["$type"] == type_name


def test_the_value_of_a_loop_that_collects_errors_is_an_object():
    value = Collected([1, 2], [ForError(2, "c", "ValueError", "no")])
    error = {"index": 2, "item": "c", "type": "ValueError", "message": "no"}
    assert plain(value) == {"values": [1, 2], "errors": [error]}


def test_hostile_values_do_no_harm():
    class Rude:
        def __repr__(self):
            raise RuntimeError

    endless: list[object] = []
    endless.append(endless)
    deep: object = 1
    for _ in range(50_000):
        deep = [deep]
    assert plain(Rude())["repr"] == "<repr raised RuntimeError>"
    assert len(dump({"x": "y" * 20_000, "z": {"y" * 20_000}})) < 35_000
    json.loads(dump(endless))
    json.loads(dump(deep))
