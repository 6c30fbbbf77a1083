"""Lower a file: checked IR and the name of a flow come in, out goes the `Program` that a run of it is.

The program holds that flow and the flows that it may come to call, and nothing else of the file: what
has no part in a run does not change its identity either.
"""

from collections.abc import Mapping

from flowc.ir import File, Flow
from flowc.lower.calls import lower_prelude
from flowc.lower.maker import Maker
from flowc.lower.steps import lower_block
from flowrt import program
from flowrt.graph.nested import called_flows
from flowrt.program import Param, Program
from flowrt.type_ref import Input


def lower(file: File, flow: str) -> Program:
    """The program that starts with the flow of that name.

    Args:
        file: Resolved and checked; it has no findings that are errors.
        flow: The name of one of its flows.
    """
    known = {each.name.text: each for each in file.flows}
    lowered: dict[str, program.Flow] = {}
    todo = [flow]
    while todo:
        name = todo.pop()
        if name not in lowered:
            lowered[name] = lower_flow(known[name], known)
            todo.extend(sorted(called_flows([lowered[name].body])))
    return Program({name: lowered[name] for name in known if name in lowered}, flow)


def lower_flow(flow: Flow, flows: Mapping[str, Flow]) -> program.Flow:
    """One flow; `flows` are those that it may call."""
    maker = Maker(flows, own={each.name.text: Param(each.name.text) for each in flow.inputs})
    lower_block(maker, flow.body, wanted=False)
    value: program.Source | None = None
    if flow.result is not None and not maker.left:
        lower_prelude(maker, flow.result_prelude)
        _, value = maker.named(flow.result, "result/value", "$result")
    return program.Flow(
        name=flow.name.text,
        body=maker.body(value),
        inputs=tuple(
            Input(
                name=each.name.text,
                type=each.type,
                default=each.default,
                doc=each.doc,
                minimum=each.minimum,
                maximum=each.maximum,
                choices=each.choices,
            )
            for each in flow.inputs
        ),
        returns=flow.returns,
        labels=flow.labels,
        timeout=flow.timeout,
        schedule=flow.schedule.text if flow.schedule is not None else None,
    )
