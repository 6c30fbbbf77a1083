"""The noun of the scan: a token, and what its kind says about its neighbours."""

from typing import Literal

from flowrt.noun import noun
from flowrt.pattern import pattern

OPENERS = {"(": ")", "[": "]", "{": "}"}
WORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", "for"})
"""The keywords of the language that are not values."""

_PREFIX = pattern(r"[A-Za-z]*")

Kind = Literal["name", "number", "string", "op"]


@noun
class Token:
    """A token and its place in the text."""

    kind: Kind
    text: str
    start: int
    end: int


def ends_operand(token: Token) -> bool:
    """Whether an operand can end with a token, so that an operator may follow."""
    match token.kind:
        case "string" | "number":
            return True
        case "name":
            return token.text not in WORDS
        case "op":
            return token.text in (")", "]", "}")


def starts_operand(token: Token) -> bool:
    """Whether an operand can start with a token, brackets included."""
    match token.kind:
        case "string" | "number":
            return True
        case "name":
            return token.text not in WORDS
        case "op":
            return token.text in OPENERS


def prefix_of(token: Token) -> str:
    """The letters before the quotes of a text, in lower case."""
    found = _PREFIX.match(token.text)
    assert found is not None  # The pattern matches the empty text.
    return found[0].lower()


def is_fstring(token: Token) -> bool:
    """Whether a token is an f-string."""
    return token.kind == "string" and "f" in prefix_of(token)
