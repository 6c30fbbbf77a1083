"""A `wait`, an `emit` or a `lock` comes in as the grammar has cut it; entries of the step go out.

`approval(order.id)` is the name of an event or a lock, and its key, which are two keys of YAML. A name with
a dot is the class of a listener, with what it is made of: the whole of it is what YAML has under `wait`.
"""

from flowc.read_dsl.lex import Token
from flowc.read_dsl.modifiers import modifiers
from flowc.read_dsl.nodes import entry, expression, lost, plain, span_of
from flowc.read_dsl.parts import Made
from flowc.read_dsl.refusals import Findings
from flowc.tree import Entry
from flowrt.pattern import pattern

_NAME = pattern(r"[^\W\d]\w*")
_NAMED = pattern(r"key\s*=(?!=)")
_CALL = pattern(r"[^\W\d]\w*[ \t]*\(")


def wait_entries(found: Findings, kind: Made) -> list[Entry]:
    """What a `wait` waits for, and how; its `else` aside."""
    return [*keyed(found, kind), *modifiers(found, kind.rules("match", "timeout", "doc", "after"))]


def emit_entries(found: Findings, kind: Made) -> list[Entry]:
    """What is emitted."""
    return [*keyed(found, kind), *modifiers(found, kind.rules("with", "doc", "after"))]


def keyed(found: Findings, kind: Made) -> list[Entry]:
    """A name, and its key if it has one."""
    what = kind.token("ARG")
    assert what is not None  # The grammar wants one.
    opened = _CALL.match(what.text)
    if opened is None or not what.text.endswith(")"):
        return [entry(kind.name, kind.word, plain(what))]
    name = _NAME.match(what.text)
    assert name is not None  # As the name with its bracket was found.
    word = Token("NAME", name[0], what.start, what.start + name.end())
    inner = what.text[opened.end() : -1]
    first = entry(kind.name, kind.word, plain(word))
    start = what.start + opened.end() + len(inner) - len(inner.lstrip())
    inner = inner.strip()
    if not inner:
        return [first]
    token = Token("EXPR", inner, start, start + len(inner))
    if _NAMED.match(inner):
        better = inner.partition("=")[2].strip()
        found.add(
            "F0030", "a key stands in the brackets by itself", span_of(token), f"write `{name[0]}({better})`"
        )
        return [first, entry("key", word, lost(span_of(token)))]
    return [first, entry("key", word, expression(token))]
