"""Values to bytes and back: every type comes back as itself, and nothing but the codec's errors comes out."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import math
import os
import pathlib
import subprocess
import sys
import uuid
import zoneinfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowrt.collected import Collected, ForError
from flowrt.encoding.codec import decode, encode
from flowrt.errors import CodecError

DATA, PICKLE = 0x11, 0x21
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


class Colour(enum.IntEnum):
    RED = 1


class Name(str):
    __slots__ = ()


class Point(collections.namedtuple("Point", "x y")):
    __slots__ = ()


@dataclasses.dataclass
class Order:
    number: int
    lines: list


def joined(value, **options):
    return b"".join(encode(value, **options))


def again(value):
    return decode(joined(value))


def spelt(value):
    """A value in words that differ when a type, a sign, a zone or a NaN differs."""
    kind = type(value).__qualname__
    if isinstance(value, dict):
        return kind, [(spelt(k), spelt(v)) for k, v in value.items()]
    if isinstance(value, list | tuple):
        return kind, [spelt(part) for part in value]
    if isinstance(value, set | frozenset):
        return kind, sorted(map(spelt, value), key=repr)
    if isinstance(value, Collected):
        return kind, spelt(value.values), [(e.index, spelt(e.item), e.type, e.message) for e in value.errors]
    return kind, repr(value)


def same(left, right):
    return spelt(left) == spelt(right)


def in_order(value: object) -> str:
    """The text of a value, the same in every process: a set of strings is in no order of its own."""
    return f"{{{', '.join(sorted(map(repr, value)))}}}" if isinstance(value, set) else repr(value)


DATA_VALUES = [
    None,
    True,
    False,
    0,
    -1,
    2**63 - 1,
    2**63,
    2**64 - 1,
    2**64,
    -(2**63),
    -(2**63) - 1,
    10**100,
    -(10**100),
    0.0,
    -0.0,
    1.5,
    math.inf,
    -math.inf,
    math.nan,
    "",
    "ä€😀\0",
    b"",
    b"\xff\x00",
    [],
    [1, True, 1.0, "1", b"1", None],
    (),
    (1,),
    ((), ((1, [2]),)),
    {},
    {"a": 1, "b": [2]},
    {1: "int", "1": "str", (1, 2): "tuple", None: "none", b"1": "bytes", frozenset({1}): "set", 2.5: "float"},
    {True: 1},
    set(),
    {1, "a", (2, 3)},
    frozenset(),
    frozenset({frozenset({1}), 2}),
    range(3),
    range(10, -5, -3),
    range(2**70),
    dt.date.min,
    dt.date.max,
    dt.datetime.min,  # noqa: DTZ901
    dt.datetime.max,  # noqa: DTZ901
    dt.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=dt.UTC),
    dt.datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=BERLIN),
    dt.datetime(2026, 10, 25, 2, 30, fold=0, tzinfo=BERLIN),
    dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=-5, microseconds=1))),
    dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=1), "here")),
    dt.datetime(2026, 1, 1, fold=1),  # noqa: DTZ001
    dt.time(23, 59, 59, 999999),
    dt.time(1, 2, tzinfo=dt.UTC, fold=1),
    dt.time(1, 2, tzinfo=BERLIN),
    dt.timedelta.min,
    dt.timedelta.max,
    dt.timedelta(microseconds=-1),
    decimal.Decimal("1.10"),
    decimal.Decimal("-0"),
    decimal.Decimal("1E+999999"),
    decimal.Decimal("NaN"),
    decimal.Decimal("-Infinity"),
    uuid.UUID("12345678123456781234567812345678"),
    Collected([1, [2]], [ForError(3, {"item": 1}, "builtins.ValueError", "no")]),
    ForError(0, None, "", ""),
]


@pytest.mark.parametrize("value", DATA_VALUES, ids=in_order)
def test_data_come_back_as_they_are_without_pickle(value):
    data = joined(value, allow_pickle=False)
    assert data[0] == DATA
    assert same(decode(data, allow_pickle=False), value)


@pytest.mark.parametrize(
    "value",
    [
        Colour.RED,
        [Colour.RED],
        {Colour.RED: 1},
        Name("n"),
        {Name("n"): 1},
        Point(1, 2),
        [Point(1, 2)],
        collections.OrderedDict(a=1),
        collections.Counter("aab"),
        collections.deque([1]),
        bytearray(b"x"),
        [bytearray(b"x")],
        "lone \ud800",
        {"lone \udcff": 1},
        1j,
        fractions.Fraction(1, 3),
        pathlib.PurePosixPath("/a"),
        np.float64(1.5),
        np.int64(3),
        np.datetime64("2026-01-01"),
        Order(1, [Order(2, [])]),
        slice(1, 2),
        ValueError,
        len,
        dt.datetime,
    ],
    ids=repr,
)
def test_what_is_no_data_comes_back_by_pickle_with_its_type(value):
    data = joined(value)
    assert data[0] == PICKLE
    back = decode(data)
    assert type(back) is type(value)
    assert back == value


def test_subclasses_inside_data_keep_their_types():
    back = again([Colour.RED, Name("n"), Point(1, 2), True])
    assert [type(part) for part in back] == [Colour, Name, Point, bool]


def test_functions_of_the_caller_travel_by_value():
    text = (
        "import sys; from flowrt.encoding.codec import encode\n"
        "sys.stdout.buffer.write(b''.join(encode(lambda x: x * 2)))"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, check=True)
    assert decode(done.stdout)(21) == 42


# Sharing and depth


def test_a_list_at_two_places_stays_one_list():
    inner = [1]
    back = again({"a": inner, "b": [inner]})
    assert back["a"] is back["b"][0]


def test_a_list_inside_itself_comes_back_inside_itself():
    value = [1]
    value.append(value)
    back = again(value)
    assert back[1] is back


def test_a_tuple_of_scalars_at_many_places_is_still_data():
    size = (640, 480)
    assert joined([size, size, {"size": size}, (), ()], allow_pickle=False)[0] == DATA


def test_shared_lists_that_would_grow_without_bound_stay_small():
    value = []
    for _ in range(60):
        value = [value, value]
    assert len(joined(value)) < 2_000
    with pytest.raises(CodecError, match="at two places"):
        encode(value, allow_pickle=False)


def test_a_tree_of_shared_tuples_stays_small():
    value = (1,)
    for _ in range(60):
        value = (value, value)
    assert len(joined(value)) < 2_000


@pytest.mark.parametrize(
    "wrap", [lambda v: [v], lambda v: (v,), lambda v: {"k": v}, lambda v: frozenset({v})]
)
def test_moderate_depth_is_fine_and_absurd_depth_is_a_clear_error(wrap):
    value = 1
    for _ in range(95):
        value = wrap(value)
    assert joined(value)[0] == DATA
    assert same(again(value), value)
    for _ in range(10_000):
        value = wrap(value)
    with pytest.raises(CodecError, match="nested"):
        encode(value)
    with pytest.raises(CodecError, match="nested more than 100 levels"):
        encode(value, allow_pickle=False)


# Arrays


@pytest.mark.parametrize(
    "array",
    [
        np.arange(1000),
        np.zeros((3, 4, 5), order="F"),
        np.arange(100)[::3],
        np.array(5),
        np.zeros((0, 3)),
        np.array(["a", "bc"]),
        np.array([None, {"a": 1}], dtype=object),
        np.zeros(3, dtype=[("x", "i4"), ("y", "f8")]),
    ],
    ids=lambda a: f"{a.dtype}-{a.shape}",
)
def test_arrays_come_back(array):
    back = again({"a": array, "n": 1})["a"]
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert (back == array).all()


def test_arrays_are_neither_copied_on_the_way_out_nor_on_the_way_in():
    array = np.arange(100_000)
    parts = encode([array, "x"])
    assert any(isinstance(p, memoryview) and np.shares_memory(np.frombuffer(p, "u1"), array) for p in parts)
    data = b"".join(parts)
    back, _ = decode(data)
    assert np.shares_memory(back, np.frombuffer(data, "u1"))


def test_arrays_are_read_only_even_out_of_writable_bytes():
    back = decode(memoryview(bytearray(joined(np.arange(3)))))
    with pytest.raises(ValueError, match="read-only"):
        back[0] = 1


def test_several_arrays_of_odd_sizes_stay_apart():
    arrays = [np.arange(n, dtype="u1") for n in (1, 63, 64, 65, 0, 1000)]
    for back, array in zip(again(arrays), arrays, strict=True):
        assert back.tolist() == array.tolist()


# Determinism


def test_equal_data_give_equal_bytes_in_every_process():
    text = (
        "import sys; from flowrt.encoding.codec import encode\n"
        "value = {'b': {'x', 'y', 'zz', 1, (2, 'q')}, 'a': frozenset('hello world'), 'c': [1, 2.5, None]}\n"
        "sys.stdout.buffer.write(b''.join(encode(value)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", text],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2", "77")
    }
    assert len(outputs) == 1


def test_the_form_of_data_is_for_ever():
    value = {"n": [None, True, -1, 2**70, 1.5, "ä", b"b"], "t": (1, {2}, frozenset({3})), "r": range(1, 9, 2)}
    value |= {"d": [dt.date(2026, 1, 2), dt.timedelta(1), decimal.Decimal("1.50"), uuid.UUID(int=7)]}
    value |= {
        "z": [dt.datetime(2026, 1, 2, tzinfo=BERLIN), dt.time(1), Collected([1], [ForError(0, 1, "T", "m")])]
    }
    assert joined(value).hex() == GOLDEN
    assert same(decode(bytes.fromhex(GOLDEN)), value)


GOLDEN = (
    "1185a16e97c0c3ffc70904400000000000000000cb3ff8000000000000a2c3a4c40162a174c70a019301d5029102d5039103a172d60b"
    "93010902a16494c70505ce000b4922c70908cf000000141dd76000d609312e3530d80a00000000000000000000000000000007a17a93c7"
    "180692cf0006475c63f7a000ad4575726f70652f4265726c696ec7060791ced693a400c70e0d92910191c7070c940001a154a16d"
)


# Round trips of anything

zones = st.one_of(
    st.none(),
    st.timezones(),
    st.just(dt.UTC),
    st.integers(-86_399, 86_399).map(lambda s: dt.timezone(dt.timedelta(seconds=s))),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=-(2**65), max_value=2**65),
    st.floats(),
    st.text(),
    st.binary(),
    st.dates(),
    st.datetimes(timezones=zones),
    st.times(),
    st.timedeltas(),
    st.decimals(),
    st.uuids(),
    st.builds(range, st.integers(), st.integers(), st.integers(min_value=1)),
)
keys = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(), st.binary(), st.dates(), st.uuids()),
    lambda inner: st.one_of(st.tuples(inner, inner), st.frozensets(inner, max_size=3)),
    max_leaves=4,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(keys, inner, max_size=4),
        st.sets(keys, max_size=4),
        st.builds(
            Collected,
            st.lists(inner, max_size=2),
            st.lists(st.builds(ForError, st.integers(0, 9), inner, st.text(), st.text()), max_size=2),
        ),
    ),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None)
@given(values)
def test_any_data_come_back(value):
    data = joined(value)
    back = decode(data)
    assert same(back, value)
    assert joined(back) == data
