"""The text of a plain scalar comes in, its value by the core schema of YAML 1.2 goes out.

PyYAML itself follows YAML 1.1, in which `no`, `on`, `1:30`, `2024-01-01` and `1_000` are not text. Here they
are. Source: YAML 1.2.2, section 10.3.2.
"""

from flowrt.pattern import pattern

DIGITS_LIMIT = 1000

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMBER_START = frozenset("+-.0123456789")
_INT = pattern(r"[-+]?[0-9]+")
_OCTAL = pattern(r"0o[0-7]+")
_HEX = pattern(r"0x[0-9a-fA-F]+")
_FLOAT = pattern(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = pattern(r"[-+]?\.(?:inf|Inf|INF)")
_NAN = frozenset({".nan", ".NaN", ".NAN"})


def core_value(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar; text that is longer than `DIGITS_LIMIT` is never a number."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START or len(text) > DIGITS_LIMIT:
        return text
    return _number(text)


def is_long_number(text: str) -> bool:
    """Whether this is a number that is too long to be read as one."""
    if len(text) <= DIGITS_LIMIT or text[0] not in _NUMBER_START:
        return False
    return any(form.fullmatch(text) for form in (_INT, _OCTAL, _HEX, _FLOAT))


def _number(text: str) -> str | int | float:
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _OCTAL.fullmatch(text):
        return int(text, base=0)
    if _HEX.fullmatch(text):
        return int(text, base=0)
    if _INFINITE.fullmatch(text):
        return float("-inf" if text[0] == "-" else "inf")
    return float("nan") if text in _NAN else text
