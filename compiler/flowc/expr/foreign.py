"""What people write from the habit of other languages, or of Python beyond the language: the answers."""

import unicodedata

from flowrt.noun import noun


@noun
class Foreign:
    """The finding for a token; `fix` is what to write in its place, if that is all there is to it."""

    code: str
    message: str
    help: str
    fix: str = ""


def _other(token: str, wanted: str, help_: str = "") -> Foreign:
    return Foreign("F0305", f"`{token}` is not in the language", help_ or f"write `{wanted}`", wanted)


def _bitwise(token: str, help_: str) -> Foreign:
    return Foreign("F0304", f"the operator `{token}` is not in the language of expressions", help_)


FOREIGN_NAMES = {
    "null": _other("null", "None"),
    "true": _other("true", "True"),
    "false": _other("false", "False"),
}

FOREIGN = {
    "&&": _other("&&", "and"),
    "||": _other("||", "or"),
    "!": _other("!", "not ", "write `not`"),
    "===": _other("===", "=="),
    "!==": _other("!==", "!="),
    "<>": _other("<>", "!="),
    "?": Foreign("F0305", "`? :` is not in the language", "write `a if condition else b`"),
    "??": Foreign("F0305", "`??` is not in the language", "write `first(a, b)`: the first that is not None"),
    "?.": Foreign("F0305", "`?.` is not in the language", "write `x.name if x is not None else None`"),
    "=>": Foreign(
        "F0305", "`=>` is not in the language", "write a comprehension, or give the work to a task"
    ),
    "->": Foreign("F0305", "`->` is not in the language", "the type of a result stands at `returns`"),
    ";": Foreign("F0305", "`;` ends no expression", "each expression stands in a place of its own"),
    "`": Foreign(
        "F0305", "backquotes are not in the language", 'a text stands in quotes; with values in it: f"{x}"'
    ),
    "$": Foreign("F0305", "`$` is not in the language", "a name stands as it is: `x`"),
    "${{": Foreign(
        "F0307",
        "`${{ }}` stands inside an expression",
        'here everything is an expression already: write the name as it is; inside a text, f"{name}"',
    ),
    "&": _bitwise("&", "for conditions write `and`; for sets `a.intersection(b)`"),
    "|": _bitwise(
        "|",
        "for conditions write `or`; for sets `a.union(b)`; for dicts `dict(a, key=value)`; "
        "between the values of a case a comma",
    ),
    "^": _bitwise("^", "for a power write `**`; for sets `a.symmetric_difference(b)`"),
    "~": _bitwise("~", "for conditions write `not`"),
    "<<": _bitwise("<<", "write `x * 2 ** n`"),
    ">>": _bitwise(">>", "write `x // 2 ** n`"),
    "@": _bitwise("@", "give the product of matrices to a task"),
    ":=": _bitwise(":=", "give the value a step of its own, which names it"),
    "...": _bitwise("...", "write `None` for no value"),
    "\\": Foreign(
        "F0310",
        "a backslash stands outside of quotes",
        "remove it; in brackets an expression may go over lines",
    ),
}

_QUOTES = {
    **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2018\u2019\u201a\u201b", "'"),
}
_LOOKS_LIKE = {
    "\u2212": "-",
    "\u2010": "-",
    "\u2013": "-",
    "\u2014": "-",
    "\u00d7": "*",
    "\u00f7": "/",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u2260": "!=",
}
"""What word processors put in the place of the signs of Python, besides quotes."""


def beyond_ascii(char: str) -> Foreign:
    """The finding for a character that is no part of a name, a number or a text."""
    code, said = f"U+{ord(char):04X}", f"`{char}` (U+{ord(char):04X})"
    meant = _LOOKS_LIKE.get(char) or unicodedata.normalize("NFKC", char)
    match unicodedata.category(char):
        case "Zs":
            return Foreign("F0310", f"here is a blank of another kind, {code}", "write a blank", " ")
        case "Cf":
            return Foreign("F0310", f"here is the invisible character {code}", "remove it")
        case "Mn" | "Mc" | "Me":
            help_ = "write the letter and its mark as one character (the form NFC)"
            return Foreign("F0310", f"the mark {code} stands apart from its letter", help_)
        case "Nd":
            meant = str(unicodedata.digit(char))
        case _:
            pass
    if char in _QUOTES:
        return Foreign(
            "F0310", f"{said} is no quote of an expression", f"write {_QUOTES[char]} on both sides"
        )
    if meant.isascii() and meant.isprintable():
        return Foreign("F0310", f"{said} is not `{meant}`", f"write `{meant}`", meant)
    return Foreign("F0310", f"the character {said} means nothing here", "a text stands in quotes")
