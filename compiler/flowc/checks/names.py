"""Names that are read where nothing of that name can be seen, and fields that a value does not have."""

from collections.abc import Iterator

from flowc.checks.nearest import Nearest
from flowc.checks.places import first_line, listed, origin
from flowc.diagnostic import Diagnostic, Fix, Label
from flowc.ir import File, For, Graph, Loop, Step, Wait
from flowc.resolve.callees import RECORDED
from flowc.resolve.pure import BUILTINS
from flowc.scope.blocks import names_of
from flowc.scope.facts import FlowFacts, Read
from flowc.scope.scope import Binding, Hidden
from flowc.scope.trace import COLLECTED_FIELDS
from flowc.span import Span
from flowrt.expr.tree import Attribute

TRUTHS = {"yes": "true", "on": "true", "no": "false", "off": "false", "null": "None", "nil": "None"}
"""Words that other readers of YAML take for a value, and what to write here."""


def undefined_names(facts: FlowFacts) -> Iterator[Diagnostic]:
    """Names without a binding. One that is near no other is reported at its first place only."""
    told: set[str] = set()
    nearest = Nearest()
    for read in facts.reads:
        name = read.mention.name.id
        if read.binding is not None or name.startswith("$") or name in told:
            continue
        finding = _undefined(read, facts, nearest)
        if not finding.fixes:
            told.add(name)
        yield finding


def _undefined(read: Read, facts: FlowFacts, nearest: Nearest) -> Diagnostic:
    name = read.mention.name.id
    own = next((step for step in read.inside if step.meta.id is not None and step.meta.id.text == name), None)
    if own is not None and read.loop is None:
        return _own(read, facts, own, in_graph=False)
    places = facts.assigned.get(name)
    if places:
        return _not_yet(read, facts, places[0])
    other = _something_else(name, facts.file)
    if other:
        message, help_text = other
        return Diagnostic("F0201", message, facts.file.source, read.at, help=help_text)
    if name == "event":
        help_text = facts.file.source.either(
            "give the `wait` an `id`: that names the payload for the steps below",
            "give the `wait` a name, `x = wait …`: that is the payload for the steps below",
        )
        message = "`event` is known only in the `match` of a `wait`"
        return Diagnostic("F0201", message, facts.file.source, read.at, help=help_text)
    return _unknown(read, facts, nearest)


def _unknown(read: Read, facts: FlowFacts, nearest: Nearest) -> Diagnostic:
    name, source = read.mention.name.id, facts.file.source
    message = f"`{name}` is not defined"
    meant = TRUTHS.get(name.lower()) or nearest.to(name, read.visible)
    if meant is not None:
        fix = Fix(read.at, meant, f"write `{meant}`")
        return Diagnostic("F0201", message, source, read.at, hint=f"did you mean `{meant}`?", fixes=(fix,))
    later = nearest.to(name, facts.assigned)
    hint = "" if later is None else f"did you mean `{later}`, which is assigned elsewhere in this flow?"
    return Diagnostic("F0201", message, source, read.at, hint=hint, help=_way_out(read, facts))


def _way_out(read: Read, facts: FlowFacts) -> str:
    """How to write the text that may have been meant; YAML takes one pair of quotes away from a scalar."""
    name, text = read.mention.name.id, facts.file.source.text
    if facts.file.source.is_dsl:
        return _in_dsl(read)
    before = text[max(read.at.start - 40, 0) : read.at.start].rstrip()
    last, after = before[-1:], text[read.at.end : read.at.end + 1]
    if read.mention.whole and before.endswith("${{"):
        return f"if the text is meant, write `{name}` without `${{{{ }}}}`"
    if not read.mention.word:
        return "a name is an input, the `id` of a step above, or the variable of a loop around"
    if last in {"(", "="} or (last == "," and after in {",", ")"}):
        return f"if the text is meant, quote it inside the expression: `'{name}'`"
    if last in {"'", '"'} and after == last:
        return f"if the text is meant, write `\"'{name}'\"`: YAML takes one pair of quotes away"
    return f"if the text is meant, write `\"'{name}'\"`: the outer quotes are YAML's"


_STATEMENTS = {
    "fail": 'fail "what went wrong"',
    "sleep": "sleep 10m",
    "wait": "wait approval timeout 1h",
    "emit": "emit shipped",
    "start": "start flow_name()",
}
"""Words of the DSL that are names when nothing follows them."""


def _in_dsl(read: Read) -> str:
    name = read.mention.name.id
    if read.mention.whole and name in _STATEMENTS:
        return f"a statement `{name}` says more: `{_STATEMENTS[name]}`"
    if name == "_":
        return "nothing stands for every value: what runs when no `case` fits stands under `else:`"
    if not read.mention.word:
        return "a name is an input, that of a step above, or the variable of a loop around"
    return f'if the text is meant, write it in quotes: `"{name}"`'


def _not_yet(read: Read, facts: FlowFacts, place: Span) -> Diagnostic:
    """The name exists in the flow, but not on the way to the place where it is read."""
    name, source = read.mention.name.id, facts.file.source
    if read.loop is not None:
        return Diagnostic(
            "F0201",
            f"`{name}` has no value here in the first iteration",
            source,
            read.at,
            hint="read before the body has assigned it",
            help=f"give `{name}` a first value above the loop: "
            + source.either(f"`- id: {name}` with `value: …`", f"`{name} = …`"),
            labels=(Label(place, "assigned here, at the end of each iteration"),),
        )
    if place.start > read.at.start:
        return Diagnostic(
            "F0201",
            f"`{name}` is read before it is assigned",
            source,
            read.at,
            hint="has no value yet",
            help="a list runs from top to bottom: move the step that assigns it above this one",
            labels=(Label(place, f"`{name}` is assigned here, later"),),
        )
    return Diagnostic(
        "F0201",
        f"`{name}` is not assigned on any path to this place",
        source,
        read.at,
        help=f"assign `{name}` above the branch, or on this path too",
        labels=(Label(place, "assigned here, on another path"),),
    )


def _something_else(name: str, file: File) -> tuple[str, str] | None:
    """Words that mean something in the file, but are no values."""
    if name in file.aliases:
        message = f"`{name}` is the module `{file.aliases[name]}`, not a value"
        step = file.source.either("the `id`", "the name")
        return message, f"call something of it, `{name}.function(…)`, or read {step} of the step that does"
    if name in file.used:
        message = f"`{name}` is the flow file `{file.used[name].text}`, not a value"
        return message, f"call a flow of it: `{name}.flow_name(…)`"
    if any(flow.name.text == name for flow in file.flows):
        return f"`{name}` is a flow, not a value", f"call it: `{name}(…)`"
    if name in file.events:
        step = file.source.either(f"with an `id`: `wait: {name}`", f"with a name: `x = wait {name}`")
        return f"`{name}` is an event, not a value", f"wait for it in a step {step}"
    if name in BUILTINS | RECORDED:
        return f"`{name}` is a function, not a value", f"call it: `{name}(…)`"
    return None


def own_names(facts: FlowFacts) -> Iterator[Diagnostic]:
    """A step of a graph that reads its own id; in a list such an id is not defined, or is older."""
    told: set[str] = set()
    for read in facts.reads:
        binding, name = read.binding, read.mention.name.id
        if binding is None or binding.step is None or binding.hidden is not None or name in told:
            continue
        if binding.kind == "step" and any(step is binding.step for step in read.inside):
            told.add(name)
            yield _own(read, facts, binding.step, in_graph=True)


def _own(read: Read, facts: FlowFacts, own: Step, *, in_graph: bool) -> Diagnostic:
    name, source, field = read.mention.name.id, facts.file.source, read.mention.field
    message, hint = (
        f"`{name}` is read inside the step that assigns it",
        "has a value only when the step is done",
    )
    fixes: tuple[Fix, ...] = ()
    if isinstance(own, Wait) and read.inside[-1] is not own:
        message, hint = f"`{name}` has no value in the `else` of its own `wait`", "here no event has arrived"
        help_text = "`else` runs when the time is over; read other names here"
    elif field is not None and field.name in names_of(own):
        help_text = f"inside the graph its names are known by themselves: read `{field.name}`"
        fixes = (Fix(Span(*field.at), field.name, f"write `{field.name}`"),)
    elif in_graph or isinstance(own, For | Loop | Graph):
        help_text = "a step cannot wait for itself: read another name"
    else:
        help_text = f"give `{name}` a first value in a step above, or read another name"
    return Diagnostic("F0207", message, source, read.at, hint=hint, help=help_text, fixes=fixes)


def hidden_names(facts: FlowFacts) -> Iterator[Diagnostic]:
    """Names that were assigned in a block that keeps them to itself."""
    told: set[str] = set()
    for read in facts.reads:
        binding = read.binding
        if binding is None or binding.hidden is None or binding.name in told:
            continue
        if binding.hidden.kind == "left" and facts.misplaced:
            continue  # What was to leave cannot, which has been said.
        told.add(binding.name)
        yield _hidden(read, binding, binding.hidden, facts)


def _hidden(read: Read, binding: Binding, hidden: Hidden, facts: FlowFacts) -> Diagnostic:
    name, source = binding.name, facts.file.source
    word = source.either("`id`", "name")
    match hidden.kind:
        case "loop" if binding.kind == "variable":
            message = f"`{name}` ends with its loop"
            help_text = "a loop variable is known only in the body: `collect` what you need of it"
        case "loop":
            message = f"`{name}` is not visible after the loop that assigns it"
            help_text = (
                f"give `{name}` a value above the loop and it keeps what the last iteration gave it; or give "
                f"the loop {source.either('an `id`', 'a name')} and read the list that its bodies `collect`"
            )
        case "race":
            message = f"`{name}` belongs to a branch of a race"
            help_text = (
                "only some branches get to their ends, so what they assign is not known after the race: make "
                f"it the value of the branch by its last step, and read the {word} of the race"
            )
        case "graph step":
            message = f"`{name}` belongs to the inside of another step of the graph"
            help_text = f"read `{hidden.instead}` instead, whose value is that of its last step"
            if "." in hidden.instead:
                help_text = f"read it as `{hidden.instead}`"
        case "left":
            message = f"`{name}` is not assigned on any path to this place"
            help_text = f"assign `{name}` on this path too, or give it a value above the branch"
    label = (
        origin(binding) if hidden.kind != "left" else f"`{name}` is assigned here, but this path then leaves"
    )
    labels = (Label(first_line(source, binding.span), label),)
    return Diagnostic(
        "F0203", message, source, read.at, hint="not visible here", help=help_text, labels=labels
    )


def unknown_fields(facts: FlowFacts) -> Iterator[Diagnostic]:
    """Attributes of a value whose fields are known: a graph, a collected loop, `run`."""
    told: set[Span] = set()
    nearest = Nearest()
    for read in facts.reads:
        binding, field = read.binding, read.mention.field
        if binding is None or binding.hidden is not None or field is None or read.mention.called:
            continue
        if binding.fields and field.name not in binding.fields:
            yield _field(binding, field, facts, nearest)
        elif (step := _plain_loop(binding, field)) is not None and binding.span not in told:
            told.add(binding.span)
            yield Diagnostic(
                "F0205",
                f"`{binding.name}` is a list and has no `{field.name}`",
                facts.file.source,
                _name_span(field),
                help="`.values` and `.errors` are there when the loop says `errors: collect`",
                labels=(Label(step.meta.span, "the loop that gives this list"),),
            )


def _plain_loop(binding: Binding, field: Attribute) -> For | None:
    """The loop that gives a list, when the field is one that a list has not."""
    if field.name in COLLECTED_FIELDS and binding.kind == "step" and binding.type.name == "list":
        return binding.step if isinstance(binding.step, For) else None
    return None


def _field(binding: Binding, field: Attribute, facts: FlowFacts, nearest: Nearest) -> Diagnostic:
    meant = nearest.to(field.name, binding.fields)
    at = _name_span(field)
    return Diagnostic(
        "F0205",
        f"`{binding.name}` has no field `{field.name}`",
        facts.file.source,
        at,
        hint="" if meant is None else f"did you mean `{meant}`?",
        help=f"its fields are {listed(binding.fields)}",
        labels=() if binding.step is None else (Label(binding.step.meta.span, "its value comes from here"),),
        fixes=() if meant is None else (Fix(at, meant, f"write `{meant}`"),),
    )


def _name_span(field: Attribute) -> Span:
    return Span(field.at[1] - len(field.name), field.at[1])
