"""A number or a text in quotes, as a token, in; findings about how it is written out."""

import re

from flowc.expr.place import Place
from flowc.expr.token import Token, prefix_of
from flowrt.expr.durations import parse_duration, parse_size
from flowrt.pattern import pattern

MAX_DIGITS = 1_000

_NUMBER = pattern(
    r"0[xX](?:_?[0-9a-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|0(?:_?0)*|[1-9](?:_?[0-9])*"
    r"|(?:(?:[0-9](?:_?[0-9])*)?\.[0-9](?:_?[0-9])*|[0-9](?:_?[0-9])*\.|[0-9](?:_?[0-9])*(?=[eE]))"
    r"(?:[eE][+-]?[0-9](?:_?[0-9])*)?"
)
_ESCAPE_START = pattern(r"\\(?:[xuU][0-9a-fA-F]*|.)", re.DOTALL)
_ESCAPE = pattern(
    r"\\(?:\r?\n|[\\'\"abfnrtv]|[0-3][0-7]{2}|[0-7]{1,2}(?![0-7])|x[0-9a-fA-F]{2}"
    r"|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}|U(?!0000[dD][89a-fA-F])(?:0010|000[0-9a-fA-F])[0-9a-fA-F]{4}|N\{([^{}]*)\})"
)


def check_text(token: Token, place: Place) -> None:
    """Report what is wrong with a text in quotes."""
    prefix = prefix_of(token)
    if "b" in prefix:
        left_out(token, place, "bytes literals", "have a task make the bytes")
    elif "\r" in token.text:
        place.report(
            "F0310",
            token.start,
            token.end,
            "the text holds a carriage return",
            r"write it as the escape `\r`",
        )
    elif "r" not in prefix:
        escape = _bad_escape(token.text)
        if escape is not None:
            start, end = token.start + escape[0], token.start + escape[1]
            place.report(
                "F0310",
                start,
                end,
                f"`{token.text[escape[0] : escape[1]]}` is not an escape of a text",
                r"for a backslash write two, `\\`, or put `r` before the quotes",
            )


def check_number(token: Token, place: Place) -> None:
    """Report what is wrong with a number."""
    text = token.text
    if len(text) > MAX_DIGITS:
        place.report(
            "F0310",
            token.start,
            token.end,
            f"the number has more than {MAX_DIGITS:,} digits",
            "let a task make it",
        )
    elif _NUMBER.fullmatch(text):
        return
    elif text[-1] in "jJ":
        left_out(token, place, "complex numbers", "have a task compute with them")
    elif parse_duration(text) is not None:
        wanted = f'duration("{text}")'
        _not_a_number(token, place, f"a duration is written {wanted} here", wanted)
    elif (size := parse_size(text)) is not None:
        _not_a_number(token, place, f"write the bytes: {size}", str(size))
    else:
        _not_a_number(token, place, "put a blank after a number; write whole numbers without leading zeros")


def _not_a_number(token: Token, place: Place, help_: str, fix: str = "") -> None:
    place.report(
        "F0310", token.start, token.end, f"`{token.text}` is not a number", help_, fix=fix, safe=True
    )


def _bad_escape(text: str) -> tuple[int, int] | None:
    """Where the first thing stands that begins like an escape and is none (or half a character)."""
    at = text.find("\\")
    while at >= 0:
        found = _ESCAPE.match(text, at)
        if found is None:
            shown = _ESCAPE_START.match(text, at)
            return at, shown.end() if shown else at + 1
        if found[1] is not None and not _is_character(found[1]):
            return at, found.end()
        at = text.find("\\", found.end())
    return None


def _is_character(name: str) -> bool:
    from unicodedata import lookup  # noqa: PLC0415 - 1 MB that hardly any file needs

    try:
        return len(lookup(name)) == 1
    except KeyError:
        return False


def left_out(token: Token, place: Place, what: str, help_: str) -> None:
    """Report a part of Python that the language does not have."""
    verb = "is" if what.startswith("`") else "are"
    place.report("F0304", token.start, token.end, f"{what} {verb} not in the language of expressions", help_)
