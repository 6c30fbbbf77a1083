"""The lines of a block come in as the grammar has cut them; the steps of the tree go out.

A statement and the map of a YAML step say the same in the same order, so most of this is renaming: the
statement's first word is the key of the kind, what follows it are further keys. Where one key of YAML has
two forms (`call` and `value`, a body under `do` or under `graph`) the choice is made here, and always so
that nothing can be said in one syntax that cannot be said in the other:

- A statement that is an expression is a `value`, which a lone call may be as well; with a modifier it is a
  `call`.
- A flow, loop, lock, case or branch whose body is nothing but `graph:` has this graph as its body. A list
  with this one step is written with the policy that it has anyway, `graph failure cancel:`.
"""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Table

from flowc.read_dsl.blocks import assigned_in_bad, lines_of, split_collect
from flowc.read_dsl.events import emit_entries, keyed, wait_entries
from flowc.read_dsl.modifiers import classes, modifier, modifiers, value_of
from flowc.read_dsl.nodes import (
    entry,
    expression,
    key,
    lost,
    mapping,
    nothing,
    plain,
    sequence,
    span_of,
    written,
)
from flowc.read_dsl.parts import Made
from flowc.read_dsl.refusals import Findings, endless, is_habit, misplaced, nameless, not_alone
from flowc.span import Span
from flowc.tree import Entry, Mapping, Node
from flowc.tree import Sequence as List
from flowrt.pattern import pattern

_PATH = pattern(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]")
_NOTES = ("doc", "after")


def read_list(found: Findings, lines: Sequence[Made], span: Span) -> List:
    """The steps of a block that runs from top to bottom."""
    items: list[Node] = []
    for line in lines:
        match line.name:
            case "statement":
                items.append(_step(found, line))
            case "bad":
                items += [
                    mapping(
                        [entry("id", name, plain(name)), entry("value", name, lost(span_of(name)))],
                        span_of(name),
                    )
                    for name in assigned_in_bad(line)
                ]
            case "pass":
                if len(lines) > 1:
                    not_alone(found, line)
            case _:
                misplaced(found, line)
    return sequence(items, span)


def read_graph(found: Findings, lines: Sequence[Made], span: Span) -> Mapping:
    """The steps of a block whose names are assigned once."""
    entries: list[Entry] = []
    for line in lines:
        match line.name:
            case "statement":
                entries += _graph_entry(found, line)
            case "bad":
                entries += [Entry(plain(name), lost(span_of(name))) for name in assigned_in_bad(line)]
            case "pass":
                if len(lines) > 1:
                    not_alone(found, line)
            case _:
                misplaced(found, line)
    return mapping(found.once(entries), span)


def _step(found: Findings, line: Made) -> Node:
    name, kind = line.token("NAME"), _kind(line)
    if name is None and kind.name == "call" and is_habit(found, kind):
        return mapping([entry("value", span_of(kind.word), lost(kind.span))], kind.span)
    if kind.name in ("break", "continue"):
        return plain(kind.word)
    entries = _entries(found, kind)
    if name is not None:
        entries.insert(0, entry("id", name, plain(name)))
    return mapping(found.once(entries), line.span)


def _graph_entry(found: Findings, line: Made) -> list[Entry]:
    name, kind = line.token("NAME"), _kind(line)
    if name is None:
        nameless(found, line)
        return []
    if kind.name in ("break", "continue"):
        return [Entry(plain(name), expression(kind.word))]
    entries = _entries(found, kind)
    if len(entries) == 1 and entries[0].key.text == "value":
        return [Entry(plain(name), entries[0].value)]
    return [Entry(plain(name), mapping(found.once(entries), kind.span))]


def _kind(line: Made) -> Made:
    kind = line.parts[-1]
    assert isinstance(kind, Made)  # The grammar ends a statement with its kind.
    return kind


def _entries(found: Findings, kind: Made) -> list[Entry]:
    """The keys of a step, the one of its kind first."""
    return _MAKERS[kind.name](found, kind)


def _one_value(found: Findings, kind: Made) -> list[Entry]:
    word = "start" if kind.name == "start_flow" else kind.name
    return [entry(word, kind.word, value_of(kind)), *_notes(found, kind)]


def _return(found: Findings, kind: Made) -> list[Entry]:
    value = kind.token("EXPR")
    node = nothing(span_of(kind.word)) if value is None else written(value)
    return [entry("return", kind.word, node), *_notes(found, kind)]


def _wait(found: Findings, kind: Made) -> list[Entry]:
    orelse = kind.rule("else")
    return [*wait_entries(found, kind), *([] if orelse is None else [_block(found, "else", orelse)])]


def _race(found: Findings, kind: Made) -> list[Entry]:
    branches = (_branch(found, each) for each in kind.rules("branch"))
    return [entry("race", kind.word, sequence(branches, kind.span)), *_notes(found, kind, "need", "errors")]


def _graph(found: Findings, kind: Made) -> list[Entry]:
    body = read_graph(found, *lines_of(kind))
    return [entry("graph", kind.word, body), *_notes(found, kind, "failure")]


def _lock(found: Findings, kind: Made) -> list[Entry]:
    return [*keyed(found, kind), *_notes(found, kind, "limit"), _do_or_graph(found, kind)]


def _list_of_steps(found: Findings, kind: Made) -> list[Entry]:
    return [_block(found, kind.name, kind), *_notes(found, kind, "timeout", "retry")]


def _notes(found: Findings, kind: Made, *more: str) -> list[Entry]:
    """The modifiers of a statement that are rules of these names."""
    return modifiers(found, kind.rules(*_NOTES, *more))


def _call(found: Findings, kind: Made) -> list[Entry]:
    what = kind.token("EXPR")
    assert what is not None  # The grammar wants one.
    after = modifiers(found, (each for each in kind.parts if isinstance(each, Made)))
    is_call = _PATH.match(what.text) is not None or any(each.key.text not in _NOTES for each in after)
    return [entry("call" if is_call else "value", span_of(what), expression(what)), *after]


def _sleep(found: Findings, kind: Made) -> list[Entry]:
    until, cron = kind.rule("sleep_until"), kind.rule("cron")
    node: Node
    if until is not None:
        node = mapping([modifier(found, until)], until.span, flow=True)
    elif cron is not None:
        node = mapping(modifiers(found, kind.rules("cron", "tz")), cron.span, flow=True)
    else:
        node = value_of(kind)
    return [entry("sleep", kind.word, node), *_notes(found, kind)]


def _block(found: Findings, word: str, holder: Made) -> Entry:
    """The block of a statement or a part of one, under a key."""
    lines, span = lines_of(holder)
    block = holder.rule("block")
    assert block is not None  # The grammar wants one.
    here = holder.word if holder.name == word else block.word
    found.depth += 1
    node = read_list(found, () if found.is_too_deep(holder) else lines, span)
    found.depth -= 1
    return entry(word, here, node)


def _if(found: Findings, kind: Made) -> list[Entry]:
    first = [entry("if", kind.word, value_of(kind)), *_notes(found, kind), _block(found, "then", kind)]
    branches: list[list[Entry]] = [first]
    words = [kind.word]
    began = found.depth
    for each in kind.rules("elif"):
        found.depth += 1
        if found.is_too_deep(each):
            break
        branches.append([entry("if", each.word, value_of(each)), _block(found, "then", each)])
        words.append(each.word)
    orelse = kind.rule("else")
    found.depth = min(found.depth, began + len(branches) - 1)
    if orelse is not None:
        branches[-1].append(_block(found, "else", orelse))
    found.depth = began
    while len(branches) > 1:
        last, word = branches.pop(), words.pop()
        span = Span(word.start, last[-1].value.span.end)
        inner = sequence([mapping(last, span)], span)
        branches[-1].append(entry("else", word, inner))
    return first


def _switch(found: Findings, kind: Made) -> list[Entry]:
    cases = sequence((_case(found, each) for each in kind.rules("case")), kind.span)
    entries = [
        entry("switch", kind.word, value_of(kind)),
        *_notes(found, kind),
        entry("cases", kind.word, cases),
    ]
    orelse = kind.rule("else")
    return entries if orelse is None else [*entries, _block(found, "else", orelse)]


def _case(found: Findings, part: Made) -> Node:
    values = [expression(token) for token in part.tokens("ARG")]
    many = Span(values[0].span.start, values[-1].span.end)
    value: Node = values[0] if len(values) == 1 else sequence(values, many, flow=True)
    return mapping([entry("is", part.word, value), _do_or_graph(found, part)], part.span)


def _do_or_graph(found: Findings, part: Made) -> Entry:
    """The body of a case, a branch or a lock: a list, or the graph that is all there is."""
    lines, span = lines_of(part)
    found.depth += 1
    body = body_of(found, "do", part, [] if found.is_too_deep(part) else lines, span)
    found.depth -= 1
    return body


def _loop(found: Findings, kind: Made) -> list[Entry]:
    lines, span = lines_of(kind)
    collect = None
    if kind.name == "for":
        lines, collect = split_collect(lines)
    entries = [_loop_head(found, kind)]
    entries += _notes(found, kind, "parallel", "errors", "need", "batch", "most", "every")
    found.depth += 1
    entries.append(body_of(found, "do", kind, [] if found.is_too_deep(kind) else lines, span))
    found.depth -= 1
    if collect is not None:
        entries.append(entry("collect", collect.word, value_of(collect)))
    return entries


def _loop_head(found: Findings, kind: Made) -> Entry:
    if kind.name != "repeat":
        return entry(kind.name, kind.word, value_of(kind))
    until = kind.rule("until")
    if until is not None:
        return entry("until", until.word, value_of(until))
    endless(found, kind)
    return entry("until", kind.word, lost(span_of(kind.word)))


def body_of(found: Findings, word: str, holder: Made, lines: Sequence[Made], span: Span) -> Entry:
    """The body of a loop or a flow: a list under `word`, or the graph that is all there is."""
    graph = _lone_graph(lines)
    if graph is not None:
        return entry("graph", graph.word, read_graph(found, *lines_of(graph)))
    block = holder.rule("block")
    assert block is not None  # The grammar wants one.
    return Entry(key(word, span_of(block.word)), read_list(found, lines, span))


def _lone_graph(lines: Sequence[Made]) -> Made | None:
    if len(lines) != 1 or lines[0].name != "statement" or len(lines[0].parts) > 1:
        return None
    kind = _kind(lines[0])
    has_notes = any(True for _ in kind.rules(*_NOTES, "failure"))
    return kind if kind.name == "graph" and not has_notes else None


def _branch(found: Findings, part: Made) -> Node:
    return mapping([entry("id", part.word, plain(part.word)), _do_or_graph(found, part)], part.span)


def _try(found: Findings, kind: Made) -> list[Entry]:
    entries = [_block(found, "try", kind), *_notes(found, kind)]
    catches = list(kind.rules("catch"))
    if catches:
        span = catches[0].span.to(catches[-1].span)
        entries.append(
            entry("catch", catches[0].word, sequence((_catch(found, each) for each in catches), span))
        )
    last = kind.rule("finally")
    return entries if last is None else [*entries, _block(found, "finally", last)]


def _catch(found: Findings, part: Made) -> Node:
    entries: list[Entry] = []
    if part.token("CLASS") is not None:
        entries.append(entry("type", part.word, classes(part)))
    name = part.rule("as")
    if name is not None:
        entries.append(entry("as", name.word, value_of(name)))
    return mapping([*entries, _block(found, "do", part)], part.span)


_MAKERS: Table[str, Callable[[Findings, Made], list[Entry]]] = {
    "call": _call,
    "sleep": _sleep,
    "wait": _wait,
    "emit": emit_entries,
    "start_flow": _one_value,
    "return": _return,
    "raise": _one_value,
    "fail": _one_value,
    "if": _if,
    "switch": _switch,
    "for": _loop,
    "while": _loop,
    "repeat": _loop,
    "race": _race,
    "try": _try,
    "saga": _list_of_steps,
    "graph": _graph,
    "do": _list_of_steps,
    "lock": _lock,
}
"""The keys of each kind of statement."""
