"""Lists and maps that came out otherwise than meant come in; what was meant goes out, with a finding.

YAML's own syntax is not broken here: `[f(a, b)]` is a list of two texts. The finding says so, and the tree
gets the one text that the author wrote, so that no other stage stumbles over the halves.
"""

from flowc.diagnostic import Diagnostic, Fix, Label
from flowc.read_yaml.cuts import expression_end, quotes_fix, quotes_help, unclosed
from flowc.read_yaml.refusals import merge_key
from flowc.read_yaml.scalars import core_value
from flowc.read_yaml.words import WORDS, short
from flowc.span import Source, Span
from flowc.tree import Entry, Mapping, Node, Scalar
from flowrt.pattern import pattern

EXPRESSION_KEYS: frozenset[str] = frozenset(
    """
    call value if while until for switch return raise start key match undo parallel need batch limit
    result collect cache graph
    """.split()  # noqa: SIM905 - reads better than two dozen quotes
)
"""The keys whose values are expressions, or maps of expressions."""

_FOR = pattern(r"\sfor\s")
_QUOTED = pattern(r"'[^']*'|\"[^\"]*\"")
_TARGETS_AND_IN = pattern(r"[\w ,()]+(?<= in )")
_TIGHT_COLON = pattern(r"(\w+):(?=[^\s:])")
_LONGEST = 10_000

MERGE = "<<"

Findings = list[Diagnostic]


def repair_items(source: Source, items: list[Node], end: int, findings: Findings) -> list[Node]:
    """The items of a list in brackets, those joined that a comma in an expression had split."""
    whole: list[Node] = []
    behind = -1
    for item in items:
        if item.span.start < behind:
            continue
        joined = _joined(source, item, end, findings)
        behind = joined.span.end if joined is not item else behind
        whole.append(joined)
    return whole


def repair_entries(source: Source, entries: list[Entry], end: int, findings: Findings) -> list[Entry]:
    """The entries of a map in braces, those joined that a comma in an expression had split."""
    whole: list[Entry] = []
    behind = -1
    for entry in entries:
        if entry.key.span.start < behind:
            continue
        key = _joined(source, entry.key, end, findings)
        value = entry.value if key is not entry.key else _joined(source, entry.value, end, findings)
        if key is not entry.key or value is not entry.value:
            behind = max(key.span.end, value.span.end)
        whole.append(Entry(key, value) if isinstance(key, Scalar) else entry)
    return whole


def _joined(source: Source, node: Node, end: int, findings: Findings) -> Node:
    if not isinstance(node, Scalar) or node.style != "plain" or unclosed(node.text) is None:
        return node
    start = node.span.start
    stop = expression_end(source.text, start, end)
    if stop is None or stop <= node.span.end or "\n" in source.text[start:stop]:
        findings.append(_cut(source, node.span, ""))
        return node
    text = source.text[start:stop]
    findings.append(_cut(source, Span(start, stop), text))
    return Scalar(Span(start, stop), text, text, "plain", start)


def _cut(source: Source, span: Span, text: str) -> Diagnostic:
    return Diagnostic(
        "F0014",
        "inside YAML's brackets, a comma ends the text, also within an expression",
        source,
        span,
        help=quotes_help(text) if text else "put the whole text in quotes",
        fixes=quotes_fix(span.start, text) if text else (),
    )


def comprehension(source: Source, span: Span, findings: Findings) -> Scalar | None:
    """The text of `[x for x in xs]`, which YAML takes for a list, where an expression was expected."""
    if span.end - span.start > _LONGEST:
        return None
    text = source.text[span.start : span.end]
    loop = _FOR.search(_QUOTED.sub(lambda quoted: "_" * len(quoted[0]), text))
    if loop is None or "\n" in text or not _TARGETS_AND_IN.match(text, loop.end()):
        return None
    kind = "list" if text[0] == "[" else "map"
    findings.append(
        Diagnostic(
            "F0016",
            f"YAML takes the comprehension for a {kind} of its own, for it begins with `{text[0]}`",
            source,
            span,
            help=quotes_help(text),
            fixes=quotes_fix(span.start, text),
        )
    )
    return Scalar(span, text, text, "plain", span.start)


def key_cut_by_colon(source: Source, entries: list[Entry], findings: Findings) -> Scalar | None:
    """The text of `- x[1: 2]`, which YAML takes for a map, if the map has nothing else in it."""
    for entry in entries:
        key, value = entry.key, entry.value
        if key.style != "plain" or unclosed(key.text) is None:
            continue
        if _is_tight(key):
            _split(source, key, findings)
            continue
        single = isinstance(value, Scalar) and "\n" not in source.text[key.span.start : value.span.end]
        text = source.text[key.span.start : value.span.end] if single else ""
        findings.append(
            Diagnostic(
                "F0013",
                "the colon makes YAML take the start of an expression for a key",
                source,
                key.span,
                help=quotes_help(text) if text else "put the whole expression in quotes",
                fixes=quotes_fix(key.span.start, text) if text else (),
            )
        )
        if text and len(entries) == 1:
            return Scalar(Span(key.span.start, value.span.end), text, text, "plain", key.span.start)
    return None


def split_entry(source: Source, entry: Entry, findings: Findings) -> Entry:
    """`{max:3}`: a key of braces without a value that has its value in it."""
    if not _is_empty(entry.value):
        return entry
    return _split(source, entry.key, findings) or entry


def _is_tight(key: Scalar) -> bool:
    tight = _TIGHT_COLON.match(key.text)
    return tight is not None and tight[1] in WORDS


def split_item(source: Source, item: Node, findings: Findings) -> Node:
    """`- call:t.load()`: an item of a list that is a text, but was meant as a map."""
    if not isinstance(item, Scalar) or not (tight := _TIGHT_COLON.match(item.text)) or tight[1] not in WORDS:
        return item
    entry = _split(source, item, findings)
    return Mapping(item.span, (entry,), flow=False) if entry else item


def _split(source: Source, scalar: Scalar, findings: Findings) -> Entry | None:
    tight = _TIGHT_COLON.match(scalar.text)
    if tight is None or scalar.style != "plain" or not isinstance(scalar.origin, int):
        return None
    start, middle = scalar.span.start, scalar.span.start + tight.end()
    word, rest = tight[1], scalar.text[tight.end() :]
    findings.append(
        Diagnostic(
            "F0018",
            f"a space is missing after `{word}:`",
            source,
            scalar.span,
            help="a colon ends a key only when a space follows it",
            fixes=(Fix(Span(middle, middle), " ", "put a space after the colon", safe=True),),
        )
    )
    key = Scalar(Span(start, middle - 1), word, word, "plain", start)
    return Entry(key, Scalar(Span(middle, scalar.span.end), rest, core_value(rest), "plain", middle))


def merged(source: Source, entries: list[Entry], findings: Findings) -> list[Entry]:
    """The entries of a map, with those that its merge keys bring, for that is what was meant."""
    own = {entry.key.text for entry in entries}
    whole: list[Entry] = []
    for entry in entries:
        if entry.key.text != MERGE or entry.key.style != "plain":
            whole.append(entry)
            continue
        findings.append(merge_key(source, entry.key.span))
        if isinstance(entry.value, Mapping):
            whole += [each for each in entry.value.entries if each.key.text not in own]
    return whole


def without_doubles(source: Source, entries: list[Entry], findings: Findings) -> list[Entry]:
    """The entries of a map, of each key the first, or the second if the first has no value."""
    seen: dict[str, Entry] = {}
    for entry in entries:
        first = seen.setdefault(entry.key.text, entry)
        if first is entry:
            continue
        findings.append(_double(source, first.key, entry.key))
        if _is_empty(first.value):
            seen[entry.key.text] = entry
    return list(seen.values())


def _is_empty(node: Node) -> bool:
    return isinstance(node, Scalar) and node.style == "plain" and not node.text


def _double(source: Source, first: Scalar, second: Scalar) -> Diagnostic:
    return Diagnostic(
        "F0006",
        f"the key `{short(second.text)}` stands twice in this map",
        source,
        second.span,
        hint="again here",
        help="remove one of the two, or rename it",
        labels=(Label(first.span, "first here"),),
    )
