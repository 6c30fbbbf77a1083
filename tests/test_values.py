"""Handles to objects and back: fresh where a task may change them, shared and cheap where nothing may."""

import datetime as dt
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from flowrt import collected
from flowrt.encoding.codec import encode
from flowrt.encoding.elements import elements, in_order
from flowrt.encoding.recent import Recent
from flowrt.encoding.values import INLINE_MAX, Values
from flowrt.errors import CodecError, StoreCorrupt
from flowrt.expr.tree import Const
from flowrt.store.blobs import MemoryBlobs
from flowrt.value import Blob, BodyError, Collected, Element, Fields, Inline, Items, Literal


class CountingBlobs(MemoryBlobs):
    def __init__(self):
        super().__init__()
        self.reads = 0

    def get(self, digest):
        self.reads += 1
        return super().get(digest)


@pytest.fixture
def blobs():
    return CountingBlobs()


@pytest.fixture
def values(blobs):
    return Values(blobs)


def inline(value):
    return Inline(b"".join(encode(value)))


def test_small_values_are_inline_and_large_ones_are_blobs(values):
    assert values.record([1]) == inline([1])
    edge = values.record(b"x" * (INLINE_MAX - 4))
    over = values.record(b"x" * (INLINE_MAX - 3))
    assert (type(edge), len(edge.data)) == (Inline, INLINE_MAX)
    assert (type(over), over.size) == (Blob, INLINE_MAX + 1)
    assert values.load(over) == b"x" * (INLINE_MAX - 3)
    assert values.encode([1]) == inline([1]).data


def test_what_cannot_be_encoded_is_refused(values):
    with pytest.raises(CodecError):
        values.record(x for x in "a")


def large(values):
    return values.record([[n, "x" * 30] for n in range(2_000)])


HANDLES = [
    (inline({"a": [1]}), {"a": [1]}),
    (Items((inline(1), inline([2]))), [1, [2]]),
    (Fields((("a", inline(1)), ("b", Items(())))), {"a": 1, "b": []}),
    (Element(inline([[1], [2]]), 1), [2]),
    (Element(inline([1, 2, 3, 4, 5]), 1, 2), [3, 4]),
    (Element(inline([1, 2, 3, 4, 5]), 2, 2), [5]),
    (Element(Items((inline(1), inline([2]))), 1), [2]),
    (Element(Items((inline(1), inline(2), inline(3))), 1, 2), [3]),
    (Element(Fields((("a", inline(1)), ("b", inline(2)))), 1), "b"),
    (Element(Element(inline([[1, 2], [3, [4]]]), 1), 1), [4]),
    (Element(Element(inline([1, 2, 3, 4]), 1, 2), 0), 3),
    (Literal(Const(None)), None),
    (Literal(Const([1])), [1]),
    (
        Collected((inline(1),), (BodyError(1, Element(inline(["a", "b"]), 1), "T", "m"),)),
        collected.Collected([1], [collected.ForError(1, "b", "T", "m")]),
    ),
]


@pytest.mark.parametrize(("handle", "value"), HANDLES)
def test_handles_load_and_peek(values, handle, value):
    assert values.load(handle) == value
    assert values.peek(handle) == value
    assert values.load_env({"a": handle}) == {"a": value}


@pytest.mark.parametrize(("handle", "value"), HANDLES)
def test_what_is_loaded_may_be_changed_without_anyone_seeing(values, handle, value):
    for look in (values.peek, values.load):
        look(handle)
        loaded = values.load(handle)
        _spoil(loaded)
    assert values.load(handle) == value
    assert values.peek(handle) == value


def _spoil(value):
    if isinstance(value, list):
        for part in value:
            _spoil(part)
        value.append("spoilt")
    elif isinstance(value, dict):
        for part in value.values():
            _spoil(part)
        value["spoilt"] = True
    elif isinstance(value, collected.Collected):
        _spoil(value.values)
        _spoil(value.errors)


def test_peeks_of_large_values_share_one_object(values, blobs):
    handle = large(values)
    assert values.peek(handle) is values.peek(Blob(handle.digest, handle.size))
    assert blobs.reads == 1


def test_going_through_a_large_value_reads_it_once(values, blobs):
    handle = large(values)
    started = time.process_time()
    for index in range(2_000):
        assert values.load(Element(handle, index))[0] == index
    assert blobs.reads == 1
    assert time.process_time() - started < 1


def test_going_through_a_value_beyond_the_limit_reads_it_once(blobs):
    values = Values(blobs, keep_bytes=10)
    handle = large(values)
    for index in range(100):
        values.load(Element(handle, index))
    assert blobs.reads <= 2


def test_going_through_many_handles_does_not_look_at_all_of_them_each_time(values):
    items = Items(tuple(inline(n) for n in range(20_000)))
    started = time.process_time()
    assert [values.load(Element(items, n)) for n in range(20_000)] == list(range(20_000))
    assert values.count(items) == 20_000
    assert time.process_time() - started < 1


def test_a_key_by_identity_does_not_outlive_its_handle(values):
    for n in range(500):
        assert values.peek(Items((inline(n),))) == [n]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([3, 1], [3, 1]),
        ((3, 1), [3, 1]),
        ("bä", ["b", "ä"]),
        (b"ab", [97, 98]),
        ({"b": 1, "a": 2}, ["b", "a"]),
        (range(5, 0, -2), [5, 3, 1]),
        ({"b", "a", "ccc"}, ["a", "b", "ccc"]),
        (frozenset({10, -2, 300}), [-2, 10, 300]),
        ({dt.date(2026, 1, 2), dt.date(2025, 1, 2)}, [dt.date(2025, 1, 2), dt.date(2026, 1, 2)]),
        (np.arange(3), [0, 1, 2]),
        ([], []),
        ({}, []),
    ],
    ids=lambda value: type(value).__name__,
)
def test_elements_of_anything_that_can_be_iterated(values, value, expected):
    handle = values.record(value)
    assert values.count(handle) == len(expected)
    assert [values.load(Element(handle, n)) for n in range(len(expected))] == expected
    batches = [values.load(Element(handle, n, 2)) for n in range((len(expected) + 1) // 2)]
    assert [part for batch in batches for part in batch] == expected
    assert all(isinstance(batch, list) for batch in batches)


def test_rows_of_an_array_are_elements(values):
    handle = values.record(np.arange(6).reshape(3, 2))
    assert values.count(handle) == 3
    assert values.load(Element(handle, 2)).tolist() == [4, 5]


@pytest.mark.parametrize("value", [5, None, 1.5, np.array(3), collected.Collected([], [])], ids=repr)
def test_what_cannot_be_iterated_is_a_type_error(values, value):
    with pytest.raises(TypeError, match="iter"):
        values.count(values.record(value))


def test_counts_of_composed_handles(values):
    assert values.count(Items((inline(1),) * 3)) == 3
    assert values.count(Fields((("a", inline(1)),))) == 1
    assert values.count(Element(inline([[1, 2, 3]]), 0)) == 3
    assert values.count(Element(inline(list(range(5))), 2, 2)) == 1


def test_sets_have_the_same_order_in_every_process():
    text = (
        "from dataclasses import make_dataclass\n"
        "from fractions import Fraction\n"
        "from flowrt.encoding.elements import in_order\n"
        "Own = make_dataclass('Own', ['n'], frozen=True)\n"
        "print(in_order({'b', 'a', 1, 2.5, None, ('x', 1), frozenset('p')}), in_order(set('hello world')))\n"
        "print(in_order({Fraction(1, 3), b'x', Own(1), Own(2)}))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", text],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert len(outputs) == 1


def test_one_order_for_sets_wherever_they_come_from():
    assert in_order({3, 1, 2}) == list(elements(frozenset({2, 3, 1}))) == [1, 2, 3]


def test_a_lost_blob_is_damage(values):
    with pytest.raises(StoreCorrupt, match="missing"):
        values.load(Blob("ab" * 32, 5))


def test_absurd_depth_is_a_clear_error(values):
    handle = inline(1)
    for _ in range(20_000):
        handle = Items((handle,))
    for ask in (values.load, values.peek):
        with pytest.raises(CodecError, match="nested too deeply"):
            ask(handle)
    while isinstance(handle, Items):  # Taken apart by hand: to drop it whole would recurse.
        [handle] = handle.parts


# What was used of late


def test_the_least_recently_used_goes_first():
    recent = Recent(100)
    recent.put("a", 1, 40)
    recent.put("b", 2, 40)
    assert recent.get("a") == 1
    recent.put("c", 3, 40)
    assert (recent.get("a"), recent.get("b"), recent.get("c")) == (1, None, 3)


def test_the_newest_stays_whatever_its_size():
    recent = Recent(100)
    recent.put("a", 1, 10)
    recent.put("huge", 2, 1_000)
    assert (recent.get("a"), recent.get("huge"), len(recent)) == (None, 2, 1)


def test_a_key_that_is_put_again_counts_once():
    recent = Recent(100)
    for _ in range(5):
        recent.put("a", 1, 60)
    recent.put("b", 2, 40)
    assert (recent.get("a"), recent.get("b")) == (1, 2)
