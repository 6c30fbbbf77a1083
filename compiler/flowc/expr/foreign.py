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
    return Foreign("F0305", f"`{token}` is not in the language.", help_ or f"Write `{wanted}`.", wanted)


def _bitwise(token: str, help_: str) -> Foreign:
    return Foreign("F0304", f"The operator `{token}` is not in the language of expressions.", help_)


FOREIGN_NAMES = {
    "null": _other("null", "None"),
    "true": _other("true", "True"),
    "false": _other("false", "False"),
}

FOREIGN = {
    "&&": _other("&&", "and"),
    "||": _other("||", "or"),
    "!": _other("!", "not ", "Write `not`."),
    "===": _other("===", "=="),
    "!==": _other("!==", "!="),
    "<>": _other("<>", "!="),
    "?": Foreign("F0305", "`? :` is not in the language.", "Write `a if condition else b`."),
    "??": Foreign(
        "F0305", "`??` is not in the language.", "Write `first(a, b)`: the first that is not None."
    ),
    "?.": Foreign("F0305", "`?.` is not in the language.", "Write `x.name if x is not None else None`."),
    "=>": Foreign(
        "F0305", "`=>` is not in the language.", "Write a comprehension, or give the work to a task."
    ),
    "->": Foreign("F0305", "`->` is not in the language.", "The type of a result stands at `returns`."),
    ";": Foreign("F0305", "`;` ends no expression.", "Each expression stands in a place of its own."),
    "`": Foreign(
        "F0305", "Backquotes are not in the language.", 'A text stands in quotes; with values in it: f"{x}".'
    ),
    "$": Foreign("F0305", "`$` is not in the language.", "A name stands as it is: `x`."),
    "${{": Foreign(
        "F0307",
        "`${{ }}` stands inside an expression.",
        'Here everything is an expression already: write the name as it is; inside a text, f"{name}".',
    ),
    "&": _bitwise("&", "For conditions write `and`; for sets `a.intersection(b)`."),
    "|": _bitwise("|", "For conditions write `or`; for sets `a.union(b)`; for dicts `dict(a, key=value)`."),
    "^": _bitwise("^", "For a power write `**`; for sets `a.symmetric_difference(b)`."),
    "~": _bitwise("~", "For conditions write `not`."),
    "<<": _bitwise("<<", "Write `x * 2 ** n`."),
    ">>": _bitwise(">>", "Write `x // 2 ** n`."),
    "@": _bitwise("@", "Give the product of matrices to a task."),
    ":=": _bitwise(":=", "Give the value a step of its own; its `id` is the name."),
    "...": _bitwise("...", "Write `None` for no value."),
    "\\": Foreign(
        "F0310", "A backslash stands outside of quotes.", "Remove it; an expression may go over lines."
    ),
}
