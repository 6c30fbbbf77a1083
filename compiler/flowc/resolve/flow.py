"""One document of a file comes in; the flow in it goes out."""

from flowc.diagnostic import Label
from flowc.ir import Block, Call, Flow, Ident, Modifiers, Steps
from flowc.resolve.callees import RECORDED
from flowc.resolve.calls import read_options
from flowc.resolve.durations import read_duration
from flowc.resolve.fields import Fields, read_fields
from flowc.resolve.found import Found, excerpt, shape
from flowc.resolve.inputs import read_inputs, read_type
from flowc.resolve.keys import DEFAULTS
from flowc.resolve.lift import Barrier, Place, Where, lift
from flowc.resolve.mismatch import list_for_graph
from flowc.resolve.names import RESERVED, read_name
from flowc.resolve.places import read_expression
from flowc.resolve.pure import BUILTINS
from flowc.resolve.retry import read_retry
from flowc.resolve.setting import Names, Setting
from flowc.resolve.step_text import read_text
from flowc.resolve.steps import read_block
from flowc.span import Span
from flowc.tree import Entry, Mapping, Node, Scalar, Sequence
from flowrt.expr.tree import Expr

_NOTHING = Modifiers()


def read_flow(found: Found, names: Names, fields: Fields, span: Span) -> Flow:
    """The flow whose entries are given; what cannot be understood is reported and left out."""
    setting = Setting(found, names, _NOTHING)
    name = _name(found, names, fields, span)
    inputs = read_inputs(setting, fields["inputs"].value) if "inputs" in fields else ()
    returns = read_type(found, fields["returns"].value, "the result", names) if "returns" in fields else None
    timeout = _duration(setting, fields["timeout"], "the flow's `timeout`") if "timeout" in fields else None
    if "defaults" in fields:
        setting.defaults = _defaults(setting, fields["defaults"].value)
    body = _body(setting, fields, span)
    prelude: list[Call] = []
    result = None
    if "result" in fields:
        where = Where(setting, Place("result"), prelude)
        result = lift(read_expression(found, fields["result"].value), where)
    return Flow(
        name=name,
        doc=read_text(found, fields["doc"].value, "doc") if "doc" in fields else "",
        inputs=inputs,
        returns=returns,
        timeout=timeout,
        labels=_labels(found, fields["labels"].value) if "labels" in fields else (),
        body=body,
        result=result,
        result_prelude=tuple(prelude),
        span=span,
        schedule=_schedule(found, fields["schedule"]) if "schedule" in fields else None,
    )


def _schedule(found: Found, entry: Entry) -> Ident | None:
    from flowc.resolve.schedule import read_schedule  # noqa: PLC0415 - few flows have one, and it is not cheap

    return read_schedule(found, entry)


def _name(found: Found, names: Names, fields: Fields, span: Span) -> Ident:
    taken = {word: f"`{word}()` is a function of every expression" for word in BUILTINS | RECORDED}
    taken |= RESERVED | {a: f"it is the alias of `{m}`" for a, m in names.every_alias.items()}
    name = read_name(found, fields["flow"].value, "a flow", taken) if "flow" in fields else None
    return name or Ident("", Span(span.start, span.start))


def _body(setting: Setting, fields: Fields, span: Span) -> Block:
    found = setting.found
    steps, graph = fields.get("steps"), fields.get("graph")
    if steps is not None and graph is not None:
        found.error(
            "F0118",
            "a flow has one body, `steps` or `graph`, and this one has both",
            graph.key.span,
            labels=(Label(steps.key.span, "the other one"),),
            help="leave one out; a graph can also be a step of the list: `- graph: {…}`",
        )
    elif steps is None and graph is None and "result" not in fields:
        start = fields["flow"].key.span if "flow" in fields else Span(span.start, span.start)
        found.error(
            "F0102",
            "this flow has no body",
            start,
            help=found.source.either(
                "add `steps:` with a list, `graph:` with a map of names to steps, or `result:`",
                "write its steps below it, or `graph:`, or `result` with an expression",
            ),
        )
    if graph is not None and isinstance(graph.value, Sequence):
        list_for_graph(found, graph, graph.value, "steps")
        steps, graph = Entry(_steps_key(graph.key), graph.value), None
    main = steps or graph
    return Steps((), span) if main is None else read_block(setting, main)


def _steps_key(key: Scalar) -> Scalar:
    return Scalar(key.span, "steps", "steps", key.style, key.origin)


def _duration(setting: Setting, entry: Entry, what: str) -> Expr:
    barrier = Barrier(f"{what} counts from before the first step", "make it an input of the flow")
    where = Where(setting, Place("timeout"), None, barrier)
    return lift(read_duration(setting.found, entry.value, "timeout"), where)


def _defaults(setting: Setting, node: Node) -> Modifiers:
    found = setting.found
    if not isinstance(node, Mapping):
        found.error(
            "F0103",
            f"`defaults` takes a map, not {shape(node)}",
            excerpt(node),
            help="write `defaults: {retry: 3, timeout: 10m}`",
        )
        return _NOTHING
    fields = read_fields(found, node, DEFAULTS)
    barrier = Barrier("`defaults` are there before the first step runs", "make it an input of the flow")
    where = Where(setting, Place("defaults"), None, barrier)
    return Modifiers(
        lift(read_options(found, fields["options"].value), where) if "options" in fields else None,
        read_retry(fields["retry"].value, where) if "retry" in fields else None,
        lift(read_duration(found, fields["timeout"].value, "timeout"), where)
        if "timeout" in fields
        else None,
        lift(read_duration(found, fields["heartbeat"].value, "heartbeat"), where)
        if "heartbeat" in fields
        else None,
    )


def _labels(found: Found, node: Node) -> tuple[tuple[str, str], ...]:
    if not isinstance(node, Mapping):
        found.error(
            "F0103",
            f"`labels` takes a map of text to text, not {shape(node)}",
            excerpt(node),
            help="write `labels: {team: data}`",
        )
        return ()
    labels: list[tuple[str, str]] = []
    for entry in node.entries:
        if isinstance(entry.value, Scalar) and "${{" in entry.value.text:
            found.error(
                "F0123",
                f"the label `{entry.key.text}` cannot be computed",
                entry.value.span,
                hint="labels are static",
                help="write the text itself",
            )
        labels.append((entry.key.text, read_text(found, entry.value, entry.key.text)))
    return tuple(labels)
