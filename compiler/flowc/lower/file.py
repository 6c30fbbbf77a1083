"""Lower a file: checked IR and the name of a flow come in, out goes the `Program` that a run of it is.

The program holds that flow and the flows that it may come to call, and nothing else of the file: what
has no part in a run does not change its identity either.

A flow of a file that is used has the name `PATH:FLOW`, as on the command line, with its path from the folder
of the main file. So two files may have flows of the same name, two aliases of a file name the same flow, and
a program does not depend on where its folder lies or on where a command is run.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from flowc.ir import File, Flow
from flowc.linked import Linked, every_file
from flowc.lower.calls import lower_prelude
from flowc.lower.maker import Known, Maker
from flowc.lower.steps import lower_block
from flowrt import program
from flowrt.graph.nested import called_flows
from flowrt.program import Param, Program
from flowrt.type_ref import Input


def lower(file: File, flow: str) -> Program:
    """The program that starts with the flow of that name, of a file that uses no others.

    Args:
        file: Resolved and checked; it has no findings that are errors.
        flow: The name of one of its flows.
    """
    return lower_linked(Linked(file, ""), flow)


def lower_linked(main: Linked, flow: str) -> Program:
    """The program that starts with the flow of that name, with flows of the files that its file uses.

    Args:
        main: A file and those that it uses, checked; they have no findings that are errors.
        flow: The name of one of the flows of the file itself.
    """
    scopes: dict[str, Mapping[str, Known]] = {}
    homes: dict[str, tuple[Flow, Linked]] = {}
    for linked in every_file(main):
        own = _own(linked, main)
        scopes[linked.place] = {**own, **_of_used(linked, main)}
        homes.update({known.name: (known.flow, linked) for known in own.values()})
    lowered: dict[str, program.Flow] = {}
    todo = [flow]
    while todo:
        name = todo.pop()
        if name not in lowered:
            known, linked = homes[name]
            lowered[name] = lower_flow(Known(name, known), scopes[linked.place])
            todo.extend(sorted(called_flows([lowered[name].body])))
    return Program({name: lowered[name] for name in homes if name in lowered}, flow)


def _own(linked: Linked, main: Linked) -> dict[str, Known]:
    """The flows of a file, by the names that they have in it."""
    assert linked.file is not None, "a file with findings is not lowered"
    prefix = ""
    if linked is not main:
        prefix = f"{os.path.relpath(linked.place, Path(main.place).parent)}:"
    return {flow.name.text: Known(f"{prefix}{flow.name.text}", flow) for flow in linked.file.flows}


def _of_used(linked: Linked, main: Linked) -> dict[str, Known]:
    return {
        f"{alias}.{name}": known
        for alias, used in linked.used.items()
        for name, known in _own(used, main).items()
    }


def lower_flow(known: Known, flows: Mapping[str, Known]) -> program.Flow:
    """One flow; `flows` are those that it may call, by the names by which it calls them."""
    flow = known.flow
    maker = Maker(flows, own={each.name.text: Param(each.name.text) for each in flow.inputs})
    lower_block(maker, flow.body, wanted=False)
    value: program.Source | None = None
    if flow.result is not None and not maker.left:
        lower_prelude(maker, flow.result_prelude)
        _, value = maker.named(flow.result, "result/value", "$result")
    return program.Flow(
        name=known.name,
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
