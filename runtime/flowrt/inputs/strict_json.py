"""The text of a JSON document from outside comes in; its value goes out, or a sentence about what is wrong.

Stricter than `json.loads`, which takes `NaN`, makes an infinity of a number that no float can hold, lets the
last of two equal keys win, and speaks of settings of the interpreter when a number is long.
"""

import json
import math

_SHOWN = 60


class BadNumber(ValueError):
    """A number that JSON can write and no value can be."""


def load_json(text: str) -> object:
    """The value of a document.

    Raises:
        BadNumber: It holds a number that is too large, or too long to be read.
        ValueError: It is no JSON, or holds a key twice.
        RecursionError: It has thousands of brackets in brackets.
    """
    value: object = json.loads(
        text, object_pairs_hook=_once, parse_constant=_refuse, parse_float=_finite, parse_int=_whole
    )
    return value


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise ValueError(f"the key {json.dumps(name[:_SHOWN])} stands twice in one object")
            seen.add(name)
    return made


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise BadNumber(f"{text[:_SHOWN]} is beyond the largest float")
    return value


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:  # Python reads no number of more than 4,300 digits.
        raise BadNumber(f"a number has {len(text.lstrip('-')):,} digits, more than can be read") from None
