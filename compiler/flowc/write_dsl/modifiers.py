"""The entries of a step beside its kind come in; the modifiers of its statement go out as text.

Each has the word of its key, in the order of the author, but for what could be taken for the beginning of
something else.
"""

from collections.abc import Callable
from collections.abc import Mapping as Table

from flowc.resolve.keys import SIZES
from flowc.tree import Entry, Mapping, Node, Scalar, Sequence
from flowc.write_dsl.unwritable import Unwritable
from flowc.write_dsl.values import data, duration, expression, one_line_text, quantity

Fields = Table[str, Entry]

_DURATIONS = frozenset({"timeout", "heartbeat", "every", "delay", "cap", "within", "ttl"})
_EXPRESSIONS = frozenset({"parallel", "need", "batch", "limit", "match", "max", "factor"})
_WORDS = frozenset({"errors", "failure", "jitter", "catchup"})
_TEXTS = frozenset({"cron", "tz", "doc"})
_NAMES = frozenset({"catch", "unless", "after"})


def modifiers(fields: Fields, *keys: str) -> str:
    """The modifiers of these keys that are there, each with a blank before it."""
    return "".join(f" {part}" for part in each_modifier(fields, *keys))


def each_modifier(fields: Fields, *keys: str) -> tuple[str, ...]:
    """The modifiers of these keys that are there, one by one."""
    parts = [modifier(key, entry.value) for key, entry in fields.items() if key in keys]
    return tuple(part for part in parts if part)


def modifier(key: str, node: Node) -> str:
    """One modifier; nothing for an empty list of names."""
    if key in _WRITERS:
        written = _WRITERS[key](node)
        return f"{key} {written}" if written or key not in _NAMES else ""
    match key:
        case "retry":
            return _retry(node)
        case "options":
            return _options(node)
        case "cache":
            return _cache(node)
        case "undo":
            return _undo(node)
        case _:
            raise Unwritable(f"The key `{key}` has no form in the DSL here.")


def name(node: Node) -> str:
    """What is written in a place for names."""
    if not isinstance(node, Scalar):
        raise Unwritable("A list or map in a place for a name has no form in the DSL.")
    return node.text


def names(node: Node) -> str:
    """One name, or a list of them."""
    nodes = node.items if isinstance(node, Sequence) else (node,)
    return ", ".join(name(item).strip() for item in nodes)


def _text(node: Node) -> str:
    return one_line_text(name(node))


_WRITERS: Table[str, Callable[[Node], str]] = {
    **dict.fromkeys(_DURATIONS, duration),
    **dict.fromkeys(_EXPRESSIONS, expression),
    **dict.fromkeys(_WORDS, name),
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(_NAMES, names),
}


def named(node: Mapping, *, sizes: bool = False) -> str:
    """`a=1, b=2`."""
    return ", ".join(
        f"{entry.key.text}={quantity(entry.value, size=sizes and entry.key.text in SIZES)}"
        for entry in node.entries
    )


def callee(node: Node, fields: Fields) -> str:
    """A call with the arguments that stand under `with` as well."""
    text = expression(node)
    if not text.endswith(")"):
        text = f"{text}()"
    given = fields["with"].value if "with" in fields else None
    if not isinstance(given, Mapping) or not given.entries:
        return text
    inner = text[:-1].rstrip().rstrip(",")
    comma = "" if inner.endswith("(") else ", "
    arguments = ", ".join(f"{entry.key.text}={data(entry.value)}" for entry in given.entries)
    return f"{inner}{comma}{arguments})"


def _retry(node: Node) -> str:
    if not isinstance(node, Mapping):
        never = isinstance(node, Scalar) and node.text == "never"
        return f"retry {'never' if never else expression(node)}"
    fields = {entry.key.text: entry for entry in node.entries}
    most = f" {expression(fields['max'].value)}" if "max" in fields else ""
    return f"retry{most}{modifiers(fields, *(key for key in fields if key != 'max'))}"


def _options(node: Node) -> str:
    if not isinstance(node, Mapping) or not node.entries:
        raise Unwritable("`options` without any option has no form in the DSL: leave it out.")
    return f"options {named(node, sizes=True)}"


def _cache(node: Node) -> str:
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return "cache" if node.value else ""
    if not isinstance(node, Mapping):
        return f"cache {expression(node)}"
    fields = {entry.key.text: entry for entry in node.entries}
    key = f" {expression(fields['key'].value)}" if "key" in fields else ""
    return f"cache{key}{modifiers(fields, 'ttl')}"


def _undo(node: Node) -> str:
    if not isinstance(node, Mapping):
        return f"undo {callee(node, {})}"
    fields = {entry.key.text: entry for entry in node.entries}
    call = callee(fields["call"].value, fields)
    more = modifiers(fields, "options", "retry", "timeout", "heartbeat")
    return f"undo ({call}{more})" if more else f"undo {call}"
