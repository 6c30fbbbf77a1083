"""What people write from the habit of other languages, or of Python beyond the language: the answers."""

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
    "|": _bitwise("|", "for conditions write `or`; for sets `a.union(b)`; for dicts `dict(a, key=value)`"),
    "^": _bitwise("^", "for a power write `**`; for sets `a.symmetric_difference(b)`"),
    "~": _bitwise("~", "for conditions write `not`"),
    "<<": _bitwise("<<", "write `x * 2 ** n`"),
    ">>": _bitwise(">>", "write `x // 2 ** n`"),
    "@": _bitwise("@", "give the product of matrices to a task"),
    ":=": _bitwise(":=", "give the value a step of its own; its `id` is the name"),
    "...": _bitwise("...", "write `None` for no value"),
    "\\": Foreign(
        "F0310", "a backslash stands outside of quotes", "remove it; an expression may go over lines"
    ),
}
