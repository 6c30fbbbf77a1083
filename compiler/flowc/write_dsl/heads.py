"""A step as the entries of its map comes in; the first line of its statement goes out, in three parts.

What can be laid over several lines is the middle part, a call, at its arguments, and what follows it, between
one modifier and the next.
"""

from collections.abc import Callable
from collections.abc import Mapping as Table

from flowc.tree import Mapping, Node, Scalar, Sequence
from flowc.write_dsl.modifiers import Fields, callee, each_modifier, modifier, name, named
from flowc.write_dsl.unwritable import Unwritable
from flowc.write_dsl.values import data, duration, expression
from flowrt.noun import noun
from flowrt.pattern import pattern

KINDS = (
    *("call", "value", "if", "switch", "for", "while", "until", "sleep", "wait", "emit", "race", "try"),
    *("saga", "lock", "start", "return", "raise", "fail", "graph", "do"),
)
"""Of a step with several of these keys the first one is its kind: a loop has a `graph` or a `do` as well."""

_MISREAD = pattern(
    r"(?:if|switch|for|while|repeat|race|try|saga|graph|do|lock|sleep|wait|emit|start|return|raise|fail|pass"
    r"|break|continue|timeout|schedule|label|defaults|result|collect|until)\b|[rRuUbB]{0,2}[\"']"
)
"""What begins another statement, or is the text that a flow says of itself."""

_PLAIN_NAME = pattern(r"[^\W\d]\w*\Z")


@noun
class Head:
    """`before`, `call` and `after` make one line; `opens` says that a block follows."""

    before: str
    call: str
    after: tuple[str, ...] = ()
    opens: bool = False


def kind_of(fields: Fields) -> str:
    """The kind of a step."""
    kind = next((kind for kind in KINDS if kind in fields), None)
    if kind is None:
        raise Unwritable(
            f"A step with the keys {', '.join(f'`{key}`' for key in fields)} has no form in the DSL."
        )
    return kind


def head_of(kind: str, fields: Fields) -> Head:
    """The first line of a statement, without the name that it assigns."""
    make = _HEADS.get(kind)
    node = fields[kind].value
    if make is not None:
        head = make(node, fields)
        orelse = ("else",) if kind == "wait" and head.opens else ()
        after = (*head.after, *each_modifier(fields, "doc", "after"), *orelse)
        return Head(head.before, head.call, after, head.opens)
    if kind == "value":
        return Head("", _lone(expression(node)), each_modifier(fields, "doc", "after"))
    keys = _MODIFIERS[kind]
    if kind == "call":
        return Head("", _lone(callee(node, fields)), each_modifier(fields, *keys))
    first = _FIRST[kind]
    text = expression(node) if kind in _WITH_EXPRESSION else ""
    return Head(f"{first} " if text else first, text, each_modifier(fields, *keys), opens=kind in _OPENS)


def _lone(text: str) -> str:
    """An expression that begins a statement; in brackets where it would be read as something else."""
    return f"({text})" if _MISREAD.match(text) else text


def _sleep(node: Node, fields: Fields) -> Head:
    del fields
    if not isinstance(node, Mapping):
        return Head("sleep ", duration(node))
    parts = {entry.key.text: entry for entry in node.entries}
    if "until" in parts:
        return Head("sleep until ", expression(parts["until"].value))
    return Head("sleep", "", (*each_modifier(parts, "cron"), *each_modifier(parts, "tz")))


def _keyed(node: Node, fields: Fields) -> str:
    """The name of an event or a lock, with its key."""
    key = f"({expression(fields['key'].value)})" if "key" in fields else ""
    return f"{name(node).strip()}{key}"


def _wait(node: Node, fields: Fields) -> Head:
    after = each_modifier(fields, "match", "timeout")
    return Head("wait ", _keyed(node, fields), after, opens="else" in fields)


def _emit(node: Node, fields: Fields) -> Head:
    payload = fields["with"].value if "with" in fields else None
    after: tuple[str, ...] = ()
    if (
        isinstance(payload, Mapping)
        and payload.entries
        and all(_PLAIN_NAME.match(entry.key.text) for entry in payload.entries)
    ):
        after = (f"with {named(payload)}",)
    elif payload is not None:
        after = (f"with {data(payload)}",)
    return Head("emit ", _keyed(node, fields), after)


def _return(node: Node, fields: Fields) -> Head:
    del fields
    if isinstance(node, Scalar) and node.value is None and node.style == "plain":
        return Head("return", "")
    return Head("return ", expression(node))


def _fail(node: Node, fields: Fields) -> Head:
    del fields
    if isinstance(node, Scalar) and not isinstance(node.value, str):
        return Head("fail ", f'"{node.text}"')
    return Head("fail ", data(node))


def _for(node: Node, fields: Fields) -> Head:
    if not isinstance(node, Scalar):
        raise Unwritable("A `for` over a list or map that is written under it has no form in the DSL.")
    return Head(
        "for ", expression(node), each_modifier(fields, "parallel", "errors", "need", "batch"), opens=True
    )


def _lock(node: Node, fields: Fields) -> Head:
    return Head("lock ", _keyed(node, fields), each_modifier(fields, "limit"), opens=True)


def _start(node: Node, fields: Fields) -> Head:
    return Head("start ", callee(node, fields))


def case_of(node: Node) -> str:
    """The values of a case."""
    nodes = node.items if isinstance(node, Sequence) else (node,)
    return f"case {', '.join(data(item) for item in nodes)}"


def catch_of(fields: Fields) -> str:
    """The first line of a `catch`."""
    types = modifier("catch", fields["type"].value) if "type" in fields else ""
    return (types or "catch") + (f" as {name(fields['as'].value).strip()}" if "as" in fields else "")


_HEADS: Table[str, Callable[[Node, Fields], Head]] = {
    "sleep": _sleep,
    "wait": _wait,
    "emit": _emit,
    "return": _return,
    "fail": _fail,
    "for": _for,
    "lock": _lock,
    "start": _start,
}
_NOTES = ("doc", "after")
_MODIFIERS: Table[str, tuple[str, ...]] = {
    "call": ("options", "retry", "timeout", "heartbeat", "cache", "undo", *_NOTES),
    "if": _NOTES,
    "switch": _NOTES,
    "while": ("max", "every", *_NOTES),
    "until": ("max", "every", *_NOTES),
    "race": ("need", "errors", *_NOTES),
    "try": _NOTES,
    "saga": ("timeout", "retry", *_NOTES),
    "graph": ("failure", *_NOTES),
    "do": ("timeout", "retry", *_NOTES),
    "raise": _NOTES,
}
_FIRST = {kind: kind for kind in _MODIFIERS} | {"until": "repeat"}
_WITH_EXPRESSION = frozenset({"if", "switch", "while", "raise"})
_OPENS = frozenset(_MODIFIERS) - {"call", "raise"}
