"""No name, key or dedupe id is longer than an index takes: what a database refuses blocks all the rest."""

import secrets
from datetime import timedelta

import pytest
from postgres import fresh_database
from stories import PatientClock, story_of

import flowrt
from flowc.cli.main import main
from flowrt.amounts import (
    DEDUPE_BYTES,
    KEY_BYTES,
    LENGTH_MAX,
    NAME_BYTES,
    duration_us,
    event_dedupe,
    event_key,
    event_name,
)
from flowrt.store.open import open_store
from flowrt.store.rows import NewEvent

EMITS = """
events: {go: {type: any, key: str}}
flow: f
inputs: {k: str}
steps:
  - emit: go
    key: k
    with: 1
"""
WAITS = """
events: {go: {type: any, key: str}}
flow: f
inputs: {k: str}
steps:
  - id: told
    wait: go
    key: k
"""


def hard_to_press(size):
    return secrets.token_hex(size)[:size]


def test_what_is_as_long_as_may_be_goes_into_the_indexes_of_postgresql():
    key = "\0" + hard_to_press(KEY_BYTES - 8)
    assert event_key(key) == key
    name, dedupe = event_name(hard_to_press(NAME_BYTES)), event_dedupe(hard_to_press(DEDUPE_BYTES))
    store, _ = open_store(fresh_database(), "memory:")
    try:
        assert store.send(NewEvent(name, key, b"1", 1, dedupe=dedupe)) == 1
    finally:
        store.close()


@pytest.mark.parametrize(
    "key", ["k" * (KEY_BYTES + 1), "ä" * KEY_BYTES, "\0" + "ä" * (KEY_BYTES // 3), "\ud800" * KEY_BYTES]
)
def test_a_key_is_as_long_as_its_bytes(key):
    with pytest.raises(ValueError, match="has at most 1024 bytes, not"):
        event_key(key)


@pytest.mark.parametrize("text", [EMITS, WAITS])
def test_a_step_with_a_key_that_is_too_long_fails(text):
    story = story_of(text, clock=PatientClock())
    result = story.play({"k": "k" * 5_000})
    assert (result.status, result.failure.type) == ("failed", "ValueError")
    assert "has at most 1024 bytes, not 5000" in result.failure.message


def test_who_sends_is_told(tmp_path, capsys):
    place = str(tmp_path / "s")
    open_store(place)[0].close()
    for long in (["e" * 300], ["go", "--key", "k" * 2_000], ["go", "--dedupe", "d" * 2_000]):
        assert main(["send", *long, "--store", place]) == 2
        assert "of an event has at most" in capsys.readouterr().err
    with pytest.raises(ValueError, match="The dedupe id of an event has at most"):
        flowrt.send("go", dedupe="d" * 2_000, store=place)


def test_a_duration_ends_within_the_calendar():
    with pytest.raises(ValueError, match="a duration is at most 3652059 days"):
        duration_us("sleep", LENGTH_MAX + timedelta(days=1))
    assert duration_us("sleep", LENGTH_MAX) + 2 * 10**15 < 2**63
