"""Patterns that are compiled at their first use, and the characters that are looked for without one."""

import re

import pytest

from flowc.read_yaml.source_text import _FOREIGN, _is_foreign
from flowrt.pattern import pattern


def test_a_pattern_finds_what_a_compiled_one_finds():
    for text in ("", "a1", "ab 12 c3"):
        mine, theirs = pattern(r"([a-z])(\d)?", re.IGNORECASE), re.compile(r"([a-z])(\d)?", re.IGNORECASE)
        assert [found.span(1) for found in mine.finditer(text)] == [
            found.span(1) for found in theirs.finditer(text)
        ]
        assert mine.findall(text) == theirs.findall(text)
        assert bool(mine.fullmatch(text)) is bool(theirs.fullmatch(text))
        assert mine.sub("-", text) == theirs.sub("-", text)
        assert mine.split(text) == theirs.split(text)
        assert (mine.flags, mine.groups, mine.pattern) == (theirs.flags, theirs.groups, theirs.pattern)


def test_a_pattern_is_compiled_when_it_is_used_and_not_before():
    broken = pattern("(")
    with pytest.raises(re.error):
        broken.match("")


def test_what_no_pattern_has_is_no_attribute():
    with pytest.raises(AttributeError):
        pattern("a").nothing  # type: ignore[attr-defined]  # noqa: B018


def test_each_character_beyond_ascii_is_judged_as_by_the_pattern_for_texts():
    for code in (*range(0x80, 0x10000), 0x10000, 0x1F600, 0xFFFFF, 0x10FFFF):
        assert _is_foreign(chr(code)) is bool(_FOREIGN.match(chr(code))), hex(code)
    assert not any(_is_foreign(chr(code)) for code in range(0x80))
