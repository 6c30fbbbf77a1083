"""A flow file with those that it uses comes in; one file with the flows of all of them goes out.

The flows of the file itself keep their names. Those of a used file get one of the alias and their own,
`common_clean`, or the next one that is free; what calls them is given that name too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import cast

from flowc.ir import File, Flow, FlowCallee, Ident
from flowc.linked import Linked, every_file
from flowrt.expr.tree import Expr
from flowrt.noun import replace


def merged(main: Linked) -> File:
    """One file of all flows. There are no findings that are errors."""
    assert main.file is not None, "a file with errors is not written"
    if not main.used:
        return main.file
    own = [flow.name.text for flow in main.file.flows]
    names = {(main.place, name): name for name in own}
    aliases: dict[str, str] = {}
    for linked in every_file(main):
        assert linked.file is not None, "a file with errors is not written"
        for alias, module in linked.file.aliases.items():
            if module not in aliases.values():
                aliases[_free(alias, aliases)] = module
        for alias, used in linked.used.items():
            for flow in _flows(used):
                key = (used.place, flow.name.text)
                names.setdefault(key, _free(f"{alias}_{flow.name.text}", {*names.values(), *aliases}))
    flows = [_renamed_flow(flow, linked, names) for linked in every_file(main) for flow in _flows(linked)]
    return replace(main.file, flows=tuple(flows), aliases=aliases, used={})


def _flows(linked: Linked) -> tuple[Flow, ...]:
    return () if linked.file is None else linked.file.flows


def _free(name: str, taken: Iterable[str]) -> str:
    known, number, free = set(taken), 2, name
    while free in known:
        free, number = f"{name}_{number}", number + 1
    return free


def _renamed_flow(flow: Flow, linked: Linked, names: Mapping[tuple[str, str], str]) -> Flow:
    callees = {each.name.text: names[linked.place, each.name.text] for each in _flows(linked)}
    for alias, used in linked.used.items():
        callees |= {f"{alias}.{each.name.text}": names[used.place, each.name.text] for each in _flows(used)}
    name = Ident(callees[flow.name.text], flow.name.span)
    return cast("Flow", _renamed(replace(flow, name=name), callees))


def _renamed(part: object, callees: Mapping[str, str]) -> object:
    """The part of the IR with other names for the flows that are called in it."""
    if isinstance(part, FlowCallee):
        return replace(part, name=callees[part.name])
    if isinstance(part, tuple):
        return tuple(_renamed(each, callees) for each in cast("tuple[object, ...]", part))
    if not is_dataclass(part) or isinstance(part, type | Expr):
        return part
    made = {each.name: _renamed(getattr(part, each.name), callees) for each in fields(part)}
    return type(part)(**made)
