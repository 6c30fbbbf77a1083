"""A scalar in a place for names comes in; an identifier goes out, or a diagnostic that says what is wrong.

Which words an author may use as a name: Python identifiers, so that expressions can read them and both
syntaxes agree. Not among them: Python's keywords; names with two leading and trailing underscores;
`run` and `event`, which the language gives a meaning of its own; the aliases of the file, because
`t.f()` would be the function of a module here and a method of a value there. A step may have the name
of a builtin function or a flow (`first`, `sum`): a call `first(a)` is always the function and a bare
`first` always the value. A flow may not have the name of a builtin, for both are called.
"""

import keyword
import re
from collections.abc import Mapping
from types import MappingProxyType

from flowc.diagnostic import Fix
from flowc.ir import Ident
from flowc.resolve.found import Found, More, shape
from flowc.tree import Node, Scalar
from flowrt.pattern import pattern

RESERVED: dict[str, str] = {
    "run": "`run.id` and the other facts about a run are read through it",
    "event": "it is the payload in the `match` of a wait",
}

_DUNDER = pattern(r"__.*__\Z", re.DOTALL)
_GAP = pattern(r"\W+")


def alias_names(aliases: Mapping[str, str]) -> Mapping[str, str]:
    """What the names that steps, inputs and loop variables may not have are, as `read_name` takes them."""
    return RESERVED | {alias: f"it is the alias of `{module}`" for alias, module in aliases.items()}


def read_name(
    found: Found, node: Node, what: str, taken: Mapping[str, str] = MappingProxyType({})
) -> Ident | None:
    """The identifier in a place for names.

    Args:
        found: where findings go.
        node: what stands there.
        what: what is named, such as `a step`.
        taken: names that are something else already, each with a phrase that says what. Such a name is
            reported and still assigned, so that its readers are not reported as well.
    """
    if not isinstance(node, Scalar) or node.value is None:
        found.error("F0103", f"the name of {what} has to be a word, not {shape(node)}", node.span)
        return None
    text = node.text
    if "${{" in text:
        found.error(
            "F0123",
            f"the name of {what} cannot be computed",
            node.span,
            hint="names are static",
            help="the compiler has to see every name; write the name itself",
        )
        return None
    wrong = _wrong(text)
    if wrong:
        found.error("F0111", f"`{text}` cannot be the name of {what}: {wrong}", node.span, **_repair(node))
        return None
    meaning = taken.get(text, "")
    if meaning:
        found.error(
            "F0111",
            f"`{text}` cannot be the name of {what}: {meaning}",
            node.span,
            help="choose another name",
        )
    return Ident(text, node.span)


def _wrong(text: str) -> str:
    if not text:
        return "it is empty"
    if not text.isidentifier():
        return "a name consists of letters, digits and `_`, and does not start with a digit"
    if keyword.iskeyword(text):
        return "it is a keyword of expressions"
    if _DUNDER.match(text):
        return "names with two underscores on both sides are not part of the language"
    if _normal(text) != text:
        return "it has characters that Python reads as others"
    return ""


def _normal(text: str) -> str:
    """The text as Python reads it in names."""
    if text.isascii():
        return text
    from unicodedata import normalize  # noqa: PLC0415 - 1 MB that hardly any file needs

    return normalize("NFKC", text)


def _repair(node: Scalar) -> More:
    better = _GAP.sub("_", _normal(node.text)).strip("_")
    if better[:1].isdigit() or not better:
        better = f"_{better}"
    if keyword.iskeyword(better):
        better += "_"
    if _wrong(better):
        return {"help": "choose another name"}
    fix = Fix(node.span, better, f"write `{better}`")
    return {"help": f"write `{better}`", "fixes": (fix,)}
