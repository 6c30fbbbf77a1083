"""The file of parse tables, which Lark has made of `flow.lark`, comes in; the tables go out.

Making them takes Lark half a second, and importing it alone as long as checking most flows, so neither is
done when a flow is read: the tables are a file of this package (`tests/support/dsl_tables.py` writes it,
and a test holds it against the grammar), and `drive.py` is the loop that follows them.
"""

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import TypedDict

from flowrt.noun import noun

FILE = "flow_tables.json"


@noun
class Rule:
    """A rule of the grammar: the name of what it makes, and how many parts that has."""

    name: str
    length: int


@noun
class Tables:
    """What an LALR(1) parser knows.

    Attributes:
        words: The terminal of each keyword, mark included.
        rules: The rules, by number.
        states: For each state what each symbol does there: from 0 on, the next state after taking it; below
            0, `~n` for the rule n that ends before it.
            The first state is 0.
        end: The last state.
    """

    words: Mapping[str, str]
    rules: tuple[Rule, ...]
    states: tuple[Mapping[str, int], ...]
    end: int


class _Plain(TypedDict):
    words: list[tuple[str, str]]
    rules: list[tuple[str, int]]
    states: list[dict[str, int]]
    end: int


@cache
def load_tables() -> Tables:
    """The tables, read once."""
    path = os.path.join(os.path.dirname(__file__), FILE)  # noqa: PTH118, PTH120 - pathlib is slower to import
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as above
        plain: _Plain = json.load(file)
    return Tables(
        dict(plain["words"]),
        tuple(Rule(name, length) for name, length in plain["rules"]),
        tuple(plain["states"]),
        plain["end"],
    )
