"""A block of the tree comes in, a list or a graph; its steps go out, each resolved by its kind.

The identity of a step within its list is its name, or `step#N` for the N-th step of the list when it has
none. A name that is assigned again in the same list gets the number of the assignment: `score`,
`score#2`. So an identity changes only when the steps before it in the same list do, and never through a
change inside a step.
"""

from collections import Counter
from collections.abc import Callable
from collections.abc import Mapping as Table

from flowc.ir import Block, Break, Call, Continue, GraphBody, Ident, Meta, Step, Steps, Value
from flowc.resolve.calls import resolve_call, resolve_value
from flowc.resolve.choices import resolve_switch
from flowc.resolve.control import (
    resolve_do,
    resolve_for,
    resolve_graph,
    resolve_if,
    resolve_lock,
    resolve_loop,
    resolve_saga,
)
from flowc.resolve.endings import resolve_fail, resolve_raise, resolve_return
from flowc.resolve.fields import read_fields
from flowc.resolve.found import Found, excerpt, shape
from flowc.resolve.keys import AFTER, NAMELESS, STEPS, Construct
from flowc.resolve.kinds import bare_word, kind_of, named_by_key, report_bare
from flowc.resolve.mismatch import list_for_graph, list_for_step, map_for_list
from flowc.resolve.names import alias_names, read_name
from flowc.resolve.pauses import resolve_emit, resolve_sleep, resolve_wait
from flowc.resolve.places import at, read_expression
from flowc.resolve.races import resolve_race
from flowc.resolve.setting import Setting, stand_in
from flowc.resolve.start import resolve_start
from flowc.resolve.step_text import StepText
from flowc.resolve.tries import resolve_try
from flowc.resolve.undo import with_undo
from flowc.span import Span
from flowc.tree import Entry, Mapping, Node, Scalar, Sequence
from flowrt.noun import replace


def _value(step: StepText) -> Step:
    return resolve_value(step, read_expression(step.found, step.main.value))


def _call(step: StepText) -> Step | None:
    call = resolve_call(step)
    return with_undo(step, call) if isinstance(call, Call) else call


_RESOLVERS: Table[str, Callable[[StepText], Step | None]] = {
    "call": _call,
    "value": _value,
    "if": resolve_if,
    "for": resolve_for,
    "while": resolve_loop,
    "until": resolve_loop,
    "sleep": resolve_sleep,
    "wait": resolve_wait,
    "emit": resolve_emit,
    "graph": resolve_graph,
    "do": resolve_do,
    "saga": resolve_saga,
    "switch": resolve_switch,
    "race": resolve_race,
    "lock": resolve_lock,
    "start": resolve_start,
    "try": resolve_try,
    "return": resolve_return,
    "raise": resolve_raise,
    "fail": resolve_fail,
}


def read_block(setting: Setting, entry: Entry) -> Block:
    """The steps under `steps`, `do`, `then`, `else`, `graph`; a wrong shape is reported and read anyway."""
    node, is_graph = entry.value, entry.key.text == "graph"
    match node:
        case Sequence():
            if is_graph:
                list_for_graph(setting.found, entry, node, "do")
            return _list(setting, node.items, node.span)
        case Mapping():
            if is_graph or map_for_list(setting.found, entry, node) == "graph":
                return _graph(setting, node)
            return _list(setting, (node,), node.span)
        case Scalar():
            return _single(setting, entry.key, node)


def _single(setting: Setting, key: Scalar, node: Scalar) -> Steps:
    """A block that is one call, `do: t.extract(part)`, or one of the bare words."""
    found, word = setting.found, key.text
    if not isinstance(node.value, str) or word in ("graph", "steps"):
        what = "a map of names to steps" if word == "graph" else "a list of steps"
        found.error(
            "F0103",
            f"`{word}` takes {what}, not {shape(node)}",
            node.span if node.text else key.span,
            help="write the steps below it, indented"
            + ("" if word == "graph" else ", each with a dash; a block without steps is `[]`"),
        )
        return Steps((), node.span)
    if node.text in ("break", "continue"):
        return _list(setting, (node,), node.span)
    entry = Entry(replace(key, text="call", value="call"), node)
    text = StepText(setting, "call", {"call": entry}, node.span, "step#1", None, (), read_block)
    step = resolve_call(text)
    return Steps(() if step is None else (step,), node.span)


def _list(setting: Setting, items: tuple[Node, ...], span: Span) -> Steps:
    steps: list[Step] = []
    for item, path in zip(items, _paths(items), strict=True):
        word = bare_word(item)
        if isinstance(item, Mapping) and word is not None:
            kind_of(setting.found, item)
        if word is not None:
            meta = Meta(item.span, path)
            steps.append(Break(meta) if word == "break" else Continue(meta))
            continue
        match item:
            case Mapping():
                steps += _step(setting, item, path, None)
            case Sequence():
                list_for_step(setting.found, item)
                steps += _list(setting, item.items, item.span).steps
            case Scalar():
                name = report_bare(setting.found, item, excerpt(item))
                steps += [] if name is None else [_unknown(name, path)]
    return Steps(tuple(steps), span)


def _paths(items: tuple[Node, ...]) -> list[str]:
    """The identity of each step of a list."""
    names = [_name_of(item) for item in items]
    taken = {f"step#{index}" for index, name in enumerate(names, 1) if name is None}
    seen: Counter[str] = Counter()
    paths: list[str] = []
    for index, name in enumerate(names, 1):
        path = f"step#{index}"
        while name is not None:
            seen[name] += 1
            path = name if seen[name] == 1 else f"{name}#{seen[name]}"
            if path not in taken:
                break
        paths.append(path)
    return paths


def _name_of(item: Node) -> str | None:
    if isinstance(item, Mapping):
        for entry in item.entries:
            if entry.key.text == "id" and isinstance(entry.value, Scalar):
                return entry.value.text if entry.value.text.isidentifier() else None
    return None


def _graph(setting: Setting, mapping: Mapping) -> GraphBody:
    steps: list[Step] = []
    for entry in mapping.entries:
        name = read_name(setting.found, entry.key, "a step", alias_names(setting.names.every_alias))
        if name is None:
            continue
        match entry.value:
            case Mapping():
                steps += _step(setting, entry.value, name.text, name)
            case Scalar() if entry.value.text:
                steps.append(_graph_value(setting, entry, name))
            case Scalar() | Sequence():
                setting.found.error(
                    "F0106",
                    f"the step `{name.text}` is {shape(entry.value)}",
                    entry.key.span,
                    help="write a call or an expression after the colon, or a map with the key of a kind; "
                    "a list as a value is `{value: […]}`, a list of steps `{do: […]}`",
                )
                steps.append(_unknown(name, name.text))
    return GraphBody(tuple(steps), mapping.span)


def _graph_value(setting: Setting, entry: Entry, name: Ident) -> Step:
    key = replace(entry.key, text="value", value="value")
    fields = {"value": Entry(key, entry.value)}
    span = entry.key.span.to(entry.value.span)
    return _value(StepText(setting, "value", fields, span, name.text, name, (), read_block))


def _step(setting: Setting, mapping: Mapping, path: str, name: Ident | None) -> list[Step]:
    """The step in a map; `name` is its key in a graph. What cannot be understood still assigns its names."""
    found = setting.found
    kind = kind_of(found, mapping)
    if kind is None:
        return _unknowns(mapping, path, name)
    body = kind.mapping if name is None else _without_id(found, kind.mapping, name)
    fields = read_fields(found, body, _construct(kind.name, in_graph=name is not None))
    ident = name
    if name is None and "id" in fields:
        ident = read_name(found, fields["id"].value, "a step", alias_names(setting.names.every_alias))
    after = _after(found, fields["after"].value) if "after" in fields else ()
    span = mapping.span if name is None else name.span.to(mapping.span)
    text = StepText(setting, kind.name, fields, span, path, ident, after, read_block)
    step = _RESOLVERS[kind.name](text)
    if step is not None:
        return [step]
    return [] if ident is None else [_unknown(ident, path)]


def _construct(kind: str, *, in_graph: bool) -> Construct:
    construct = STEPS[kind]
    if not in_graph and kind not in NAMELESS:
        return construct
    keys = {key: doc for key, doc in construct.keys.items() if key != "id"}
    return replace(construct, keys=keys | ({"after": AFTER} if in_graph else {}))


def _without_id(found: Found, mapping: Mapping, name: Ident) -> Mapping:
    """The map of a step of a graph, whose name is its key."""
    for entry in mapping.entries:
        if entry.key.text == "id":
            found.error(
                "F0114",
                "a step of a graph has no key `id`",
                entry.key.span,
                hint=f"its name is `{name.text}` already",
                help="leave `id` out",
            )
    return replace(mapping, entries=tuple(entry for entry in mapping.entries if entry.key.text != "id"))


def _after(found: Found, node: Node) -> tuple[Ident, ...]:
    nodes = node.items if isinstance(node, Sequence) else (node,)
    names = (read_name(found, item, "a step") for item in nodes)
    return tuple(name for name in names if name is not None)


def _unknown(name: Ident, path: str) -> Value:
    return Value(Meta(name.span, path, name), stand_in(at(name.span)))


def _unknowns(mapping: Mapping, path: str, name: Ident | None) -> list[Step]:
    """Every name that a step may have assigned, so that its readers are not reported as well."""
    if name is not None:
        return [_unknown(name, path)]
    bare = named_by_key(mapping)
    names = _names_in(mapping) if bare is None else [bare]
    return [_unknown(ident, path if index == 0 else f"{path}/{index}") for index, ident in enumerate(names)]


def _names_in(node: Node) -> list[Ident]:
    names: list[Ident] = []
    waiting: list[Node] = [node]
    while waiting:
        match waiting.pop():
            case Mapping(entries=entries):
                names += [
                    _ident(e.value) for e in entries if e.key.text == "id" and isinstance(e.value, Scalar)
                ]
                waiting += [entry.value for entry in reversed(entries)]
            case Sequence(items=items):
                waiting += reversed(items)
            case Scalar():
                pass
    return names


def _ident(scalar: Scalar) -> Ident:
    return Ident(scalar.text, scalar.span)
