"""What follows a call, or stands in the first line of a block, comes in; entries of the step's map go out."""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Table

from flowc.read_dsl.lex import Token
from flowc.read_dsl.nodes import entry, key, lost, mapping, plain, sequence, span_of, true, written
from flowc.read_dsl.parts import Made
from flowc.read_dsl.refusals import Findings
from flowc.span import Span
from flowc.tree import Entry, Mapping, Node, Scalar
from flowrt.pattern import pattern

_NAMED_LIMIT = pattern(r"max\s+(?=\d)")
_KEYS = {"most": "max", "least": "min", "greatest": "max", "catches": "catch", "sleep_until": "until"}


def modifiers(found: Findings, parts: Iterable[Made]) -> list[Entry]:
    """The entries of some modifiers, in the order of the text; one that stands there twice is reported."""
    return found.once(modifier(found, part) for part in parts)


def modifier(found: Findings, part: Made) -> Entry:
    """The entry of one modifier."""
    word = _KEYS.get(part.name, part.name)
    return entry(word, part.word, _value(found, part))


def _value(found: Findings, part: Made) -> Node:
    signed = part.token("EXPR", "ARG")
    if signed is not None and signed.text[0] in "=:":
        word = part.word.text
        found.add(
            "F0030",
            f"what belongs to `{word}` stands behind it, without `{signed.text[0]}`",
            span_of(signed),
            f"write `{word} {signed.text.lstrip('=: ')}`",
        )
        return lost(span_of(signed))
    maker = _MAKERS.get(part.name)
    return value_of(part) if maker is None else maker(found, part)


def value_of(part: Made) -> Scalar:
    """The one value of a modifier that is a word and a value."""
    token = part.token("EXPR", "ARG", "STRING", "DURATION", "QUANTITY", "NAME", "TYPE", "CLASS")
    assert token is not None  # The grammar wants one.
    return written(token)


def classes(part: Made) -> Node:
    """The classes of a `catch`: one by itself, several as a list, as in YAML."""
    names = [plain(name) for name in part.tokens("CLASS")]
    return names[0] if len(names) == 1 else sequence(names, names[0].span.to(names[-1].span), flow=True)


def named(found: Findings, part: Made) -> Mapping:
    """`a=1, b=2`."""
    entries = found.once(_pairs(part))
    return mapping(entries, entries[0].key.span.to(entries[-1].value.span), flow=True)


def _pairs(part: Made) -> Iterator[Entry]:
    for pair in part.rules("named"):
        yield Entry(plain(pair.word), _pair_value(pair))


def _pair_value(pair: Made) -> Scalar:
    token = pair.token("ARG", "QUANTITY")
    assert token is not None  # The grammar wants one.
    return written(token)


def _retry(found: Findings, part: Made) -> Node:
    limit = _limit(found, part)
    fields = modifiers(found, (each for each in part.parts if isinstance(each, Made)))
    if limit is not None and not fields:
        return written(limit)
    if limit is not None:
        fields.insert(0, Entry(key("max", span_of(part.word)), written(limit)))
    return mapping(fields, part.span, flow=True)


def _limit(found: Findings, part: Made) -> Token | None:
    """How many retries: what stands right behind the word, not behind `max` as in YAML."""
    limit = part.token("ARG", "NEVER")
    named = None if limit is None else _NAMED_LIMIT.match(limit.text)
    if limit is None or named is None:
        return limit
    number = limit.text[named.end() :]
    help_text = f"write `retry {number}`"
    found.add("F0030", "the number of retries stands right behind `retry`", span_of(limit), help_text)
    return Token("ARG", number, limit.start + named.end(), limit.end)


def _cache(found: Findings, part: Made) -> Node:
    what, ttl = part.token("EXPR"), part.rule("ttl")
    if what is None and ttl is None:
        return true(part.word)
    fields = [] if what is None else [Entry(key("key", span_of(part.word)), written(what))]
    if ttl is not None:
        fields.append(modifier(found, ttl))
    return mapping(fields, part.span, flow=True)


def _undo(found: Findings, part: Made) -> Node:
    call = value_of(part)
    fields = modifiers(found, (each for each in part.parts if isinstance(each, Made)))
    if not fields:
        return call
    first = Entry(key("call", Span(call.span.start, call.span.end)), call)
    return mapping([first, *fields], part.span, flow=True)


def _with(found: Findings, part: Made) -> Node:
    return value_of(part) if part.rule("named") is None else named(found, part)


def _names(_found: Findings, part: Made) -> Node:
    return sequence((plain(name) for name in part.tokens("NAME")), part.span, flow=True)


def _choices(_found: Findings, part: Made) -> Node:
    return sequence((written(token) for token in part.tokens("ARG")), part.span, flow=True)


def _classes(_found: Findings, part: Made) -> Node:
    return classes(part)


_MAKERS: Table[str, Callable[[Findings, Made], Node]] = {
    "retry": _retry,
    "options": named,
    "with": _with,
    "cache": _cache,
    "undo": _undo,
    "after": _names,
    "catches": _classes,
    "unless": _classes,
    "choices": _choices,
}
"""How the value of a modifier is made that is not simply what stands behind its word."""
