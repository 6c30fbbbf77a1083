"""A file as the grammar has cut it comes in; the documents of the tree go out, one for each flow.

What holds for the whole file (`use`, `event`, `actor`) stands in the first document, as in YAML, wherever
the lines are. The version of the language, which the DSL does not say, stands there as well.
"""

from collections.abc import Iterator

from flowc.read_dsl.blocks import lines_of
from flowc.read_dsl.modifiers import modifier, modifiers, value_of
from flowc.read_dsl.nodes import entry, key, mapping, nothing, plain, span_of, text, true
from flowc.read_dsl.parts import Made
from flowc.read_dsl.refusals import Findings
from flowc.read_dsl.statements import body_of
from flowc.span import Span
from flowc.tree import Document, Entry, Node, Scalar

_VERSION = 1
_HEAD = ("flow_doc", "flow_timeout", "schedule", "label", "defaults", "result")


def read_documents(found: Findings, made: Made) -> tuple[Document, ...]:
    """The documents of a file; none when there is no flow in it."""
    flows = list(made.rules("flow"))
    documents: list[Document] = []
    for flow in flows:
        head = _file_keys(found, made) if not documents else []
        span = flow.span
        documents.append(Document(mapping([*head, *_flow(found, flow)], span), span))
    return tuple(documents)


def _file_keys(found: Findings, made: Made) -> list[Entry]:
    start = Span(0, 0)
    entries = [Entry(key("flowc", start), Scalar(start, str(_VERSION), _VERSION, "plain", 0))]
    uses, events, actors = (list(made.rules(name)) for name in ("use", "event", "actor"))
    if uses:
        entries.append(_under("use", uses, found.once(_use(use) for use in uses)))
    if events:
        entries.append(_under("events", events, found.once(_event(event) for event in events)))
    if actors:
        entries.append(_under("actors", actors, found.once(_actor(actor) for actor in actors)))
    return entries


def _under(word: str, lines: list[Made], entries: list[Entry]) -> Entry:
    span = Span(lines[0].span.start, max(line.span.end for line in lines))
    return entry(word, lines[0].word, mapping(entries, span))


def _use(use: Made) -> Entry:
    module, alias = use.token("MODULE"), use.token("NAME")
    assert module is not None  # The grammar wants both.
    assert alias is not None
    node = text(module) if module.text[0] in "\"'" else plain(module)
    return Entry(plain(alias), node)


def _event(event: Made) -> Entry:
    name = event.token("NAME")
    assert name is not None  # The grammar wants one.
    fields: list[Entry] = []
    for part in event.rules("event_key", "event_type"):
        word = "key" if part.name == "event_key" else "type"
        fields.append(entry(word, part.span, value_of(_without_name(part))))
    external = event.token("EXTERNAL")
    if external is not None:
        fields.append(entry("external", external, true(external)))
    node: Node = mapping(fields, event.span, flow=True) if fields else nothing(span_of(name))
    return Entry(plain(name), node)


def _without_name(part: Made) -> Made:
    """`(key: T)` without its fixed word."""
    return Made(
        part.name, tuple(each for each in part.parts if isinstance(each, Made) or each.kind != "NAME")
    )


def _actor(actor: Made) -> Entry:
    name = actor.token("NAME")
    assert name is not None  # The grammar wants one.
    return Entry(plain(name), value_of(_without_name(actor)))


def _flow(found: Findings, flow: Made) -> Iterator[Entry]:
    name = flow.token("NAME")
    assert name is not None  # The grammar wants one.
    lines, span = lines_of(flow)
    head = [line for line in lines if line.name in _HEAD]
    body = [line for line in lines if line.name not in _HEAD]
    yield entry("flow", flow.word, plain(name))
    inputs = list(flow.rules("input"))
    if inputs:
        whole = inputs[0].span.to(inputs[-1].span)
        yield entry("inputs", whole, mapping(found.once(_input(found, each) for each in inputs), whole))
    returns = flow.rule("returns")
    if returns is not None:
        yield entry("returns", returns.word, value_of(returns))
    yield from found.once(_head(found, head))
    if body:
        yield body_of(found, "steps", flow, body, span)
    result = next((line for line in head if line.name == "result"), None)
    if result is not None:
        yield entry("result", result.word, value_of(result))


def _head(found: Findings, lines: list[Made]) -> Iterator[Entry]:
    """What is said of a flow beside its steps; its result comes behind them."""
    labels = [line for line in lines if line.name == "label"]
    for line in lines:
        match line.name:
            case "flow_doc":
                yield entry("doc", line.word, text(line.word))
            case "flow_timeout":
                yield entry("timeout", line.word, value_of(line))
            case "label" if line is labels[0]:
                span = line.span.to(labels[-1].span)
                yield entry("labels", line.word, mapping(found.once(_label(each) for each in labels), span))
            case "schedule" | "defaults":
                parts = (part for part in line.parts if isinstance(part, Made))
                yield entry(line.name, line.word, mapping(modifiers(found, parts), line.span, flow=True))
            case _:
                pass  # The result, and labels that are there already.


def _label(line: Made) -> Entry:
    named, *_, value = line.tokens("NAME", "STRING")
    name = text(named) if named.kind == "STRING" else plain(named)
    return Entry(name, text(value))


def _input(found: Findings, part: Made) -> Entry:
    name, declared = part.word, part.rule("input_type")
    of_type = nothing(Span(name.end, name.end)) if declared is None else value_of(declared)
    fields = [modifier(found, each) for each in part.rules("default", "least", "greatest", "choices", "doc")]
    if not fields:
        return Entry(plain(name), of_type)
    if declared is not None:
        fields.insert(0, entry("type", declared.word, of_type))
    return Entry(plain(name), mapping(found.once(fields), part.span, flow=True))
