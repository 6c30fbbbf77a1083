"""What cannot be stored or read: only the codec's own errors come out, and they name the way out."""

import collections
import contextlib
import dataclasses
import datetime as dt
import fractions
import pickle
import random
import threading
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowrt.encoding.codec import decode, encode
from flowrt.errors import CodecError, StoreCorrupt, WrongStoreKey


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


class Raises:
    def __reduce__(self):
        raise RuntimeError("I will not")


class RaisesOnLoad:
    def __reduce__(self):
        return (_explode, ())


def _explode():
    raise RuntimeError("boom")


@pytest.mark.parametrize(
    "value",
    [threading.Lock(), (n for n in "a"), [threading.Lock()], Raises(), {"a": Raises()}],
    ids=lambda v: type(v).__name__,
)
def test_what_cannot_be_stored_is_named_with_a_way_out(value):
    with pytest.raises(CodecError) as caught:
        encode(value)
    message = str(caught.value)
    assert type(value).__name__ in message
    assert "Return" in message


def test_without_pickle_the_reason_is_named():
    for value, reason in [
        (Order(1, []), "test_codec_errors.Order"),
        ([{"a": Name("n")}], "Name"),
        (np.arange(3), "numpy.ndarray"),
        ("\ud800", "surrogates"),
        (dt.datetime(2026, 1, 1, tzinfo=_Odd()), "_Odd"),
    ]:
        with pytest.raises(CodecError, match=reason):
            encode(value, allow_pickle=False)
    with pytest.raises(CodecError, match="is pickled and is not read"):
        decode(joined(Order(1, [])), allow_pickle=False)


class _Odd(dt.tzinfo):
    pass


def test_a_class_that_is_gone_is_named():
    data = joined(fractions.Fraction(1, 3))
    body = data.replace(b"fractions", b"fractionz")
    with pytest.raises(StoreCorrupt, match="checksum"):
        decode(body)
    with pytest.raises(CodecError, match="importable"):
        decode(_resealed(body))


def test_an_object_that_cannot_be_rebuilt_is_a_codec_error():
    with pytest.raises(CodecError, match="boom"):
        decode(joined(RaisesOnLoad()))


def _resealed(data):
    return data[:4] + zlib.crc32(data[8:]).to_bytes(4, "little") + data[8:]


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\x80", b"\xff" * 10, b"\x11", b"\x11\x93\x01", b"\x21", b"\x21" * 40]
)
def test_junk_is_damage(data):
    with pytest.raises(StoreCorrupt):
        decode(data)


def test_a_form_of_the_future_says_so():
    with pytest.raises(CodecError, match="newer version"):
        decode(b"\x12abc")


DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
SAMPLES = [
    joined({"a": [1, 2.5, "ä", b"x", None, (1, {2}), range(3), dt.date(2026, 1, 1)], 2**70: DAY}),
    joined({"a": np.arange(20), "b": Order(1, [Point(1, 2)])}),
    joined([np.zeros((2, 2)), "text" * 10]),
]


@pytest.mark.parametrize("data", SAMPLES, ids=["data", "pickle", "arrays"])
def test_flipped_and_cut_bytes_give_only_our_errors(data):
    rng = random.Random(7)
    for _ in range(3_000):
        bad = bytearray(data)
        for _ in range(rng.randint(1, 3)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        if rng.random() < 0.3:
            bad = bad[: rng.randrange(len(bad))]
        with contextlib.suppress(StoreCorrupt, WrongStoreKey, CodecError):
            decode(bytes(bad))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_our_error(data):
    for form in (b"", b"\x11"):
        with contextlib.suppress(StoreCorrupt, WrongStoreKey, CodecError):
            decode(form + data)


def test_pickle_is_not_reached_by_bytes_that_claim_to_be_data():
    with pytest.raises(StoreCorrupt):
        decode(b"\x11" + pickle.dumps(print))


def test_damage_inside_a_deep_value_is_damage() -> None:
    with pytest.raises(StoreCorrupt, match="damaged"):
        decode(b"\x11" + b"\x91" * 800 + b"\x01\x01")
