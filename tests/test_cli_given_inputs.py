"""What `-i NAME=VALUE` and `--inputs FILE` give, before the declared types convert it."""

import time

import pytest

from flowc.cli.exits import UsageError
from flowc.cli.given_inputs import read_given, read_value
from flowrt.errors import BadInput
from flowrt.program import Body, Flow
from flowrt.type_ref import Input, TypeRef

TEXT, INT, BOOL, NONE, DATE = (TypeRef(name) for name in ("str", "int", "bool", "None", "date"))
LIST = TypeRef("list", (INT,))


def union(*members):
    return TypeRef("|", members)


@pytest.mark.parametrize(
    ("text", "type_", "value"),
    [
        ("1", TEXT, "1"),
        ('"1"', TEXT, '"1"'),
        ("", TEXT, ""),
        ("1", INT, 1),
        ("x", INT, "x"),
        ("true", BOOL, True),
        ("True", BOOL, True),
        ("1", BOOL, True),
        ("0", BOOL, False),
        ("yes", BOOL, "yes"),
        ("2026-01-01", DATE, "2026-01-01"),
        ('"2026-01-01"', DATE, "2026-01-01"),
        ("30s", TypeRef("duration"), "30s"),
        ("[1, 2]", LIST, [1, 2]),
        ("null", union(TEXT, NONE), None),
        ("null", union(INT, TEXT), "null"),
        ("5", union(TEXT, NONE), "5"),
        ("5", union(INT, TEXT), 5),
        ("5x", union(INT, TEXT), "5x"),
        ("[1]", union(LIST, TEXT), [1]),
        ("NaN", TypeRef("float"), "NaN"),
        ("[" * 100_000, TypeRef("any"), "[" * 100_000),
        ("5", None, 5),
    ],
)
def test_the_declared_type_decides_what_an_assignment_means(text, type_, value):
    result = read_value(text, type_)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("text", "type_", "words"),
    [
        ('{"a": 1, "a": 2}', TypeRef("dict"), 'the key "a" stands twice'),
        ("[1,]", LIST, "not JSON"),
        ("[" * 100_000, LIST, "nested too deeply"),
        ("1e400", TypeRef("float"), "1e400 is beyond the largest float"),
        ("[-1e400]", LIST, "-1e400 is beyond the largest float"),
        ("9" * 5000, INT, "a number has 5,000 digits"),
    ],
)
def test_what_can_only_be_meant_as_json_says_why_it_is_none(text, type_, words):
    flow = Flow("etl", Body(()), (Input("a", type_),))
    with pytest.raises(BadInput, match=words) as caught:
        read_given(flow, [f"a={text}"], None)
    assert "Input `a`" in str(caught.value)


def test_many_keys_take_no_time(tmp_path):
    file = tmp_path / "inputs.json"
    file.write_text('{"a": {' + ", ".join(f'"k{n}": 1' for n in range(60_000)) + ', "k59999": 2}}')
    began = time.monotonic()
    with pytest.raises(BadInput, match="k59999"):
        read_given(FLOW, [], str(file))
    assert time.monotonic() - began < 5


FLOW = Flow("etl", Body(()), (Input("a", INT), Input("b", TEXT)))


def test_assignments_win_over_the_file(tmp_path):
    file = tmp_path / "inputs.json"
    file.write_text('{"a": 1, "c": [null]}')
    assert read_given(FLOW, ["a=2", "b=x=y"], str(file)) == {"a": 2, "b": "x=y", "c": [None]}


@pytest.mark.parametrize("assignments", [["a"], ["=1"], ["a=1", "a=2"]])
def test_assignments_that_are_none(assignments):
    with pytest.raises(UsageError):
        read_given(FLOW, assignments, None)


@pytest.mark.parametrize(
    "text", ["", "[1]", "{", '{"a": NaN}', '{"a": 1, "a": 2}', "[" * 100_000, "\udcff", '{"a": 1e400}']
)
def test_files_that_hold_no_inputs(tmp_path, text):
    file = tmp_path / "inputs.json"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(BadInput, match="inputs in the file"):
        read_given(FLOW, [], str(file))


def test_a_file_that_is_not_there():
    with pytest.raises(UsageError, match="cannot be read"):
        read_given(FLOW, [], "/no/such/file.json")
