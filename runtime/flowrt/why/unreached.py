"""Why a step was not started. In: the facts of a run and the path of a step; out: a chain of reasons.

The path is followed through the program from the flow's body inwards. On the way each construct says
whether it lets the path through: a branch by what its condition was, a loop by how many rounds it has, a
body by what its nodes wait for. The first that does not is the reason; what that waits for is followed in
turn, so that the last sentence names something that is going on, or has ended the run.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flowrt.core.path import (
    arm_prefix,
    attempt_prefix,
    block_prefix,
    body_prefix,
    case_prefix,
    flow_prefix,
    root_prefix,
)
from flowrt.graph.nested import bodies_of
from flowrt.program import (
    Block,
    Body,
    Bounded,
    Branch,
    CallFlow,
    ForEach,
    Leave,
    Loop,
    Node,
    Out,
    Program,
    Race,
    RaceBranch,
    Saga,
    Switch,
    Task,
    Try,
    Undo,
    Wait,
)
from flowrt.record import Chosen, Decided, Expanded, Fired, Received, Record
from flowrt.why.facts import Facts

_INDEX = re.compile(r"\[(\d+)\]\.?")
_CASE = re.compile(r"\.case#([1-9]\d{0,8})\.")
_HOP = re.compile(r"~(\d+)\.")
_AGAIN = re.compile(r"~r(\d+)\.")
_PART = re.compile(r"\.(try|finally|catch(?:#\d+)?)\.")

FOLLOWED_MAX = 20
"""How many reasons of reasons are told."""


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the program on the way of a path: its body, its number there, and its own path."""

    body: Body
    prefix: str
    index: int
    rest: str

    @property
    def node(self) -> Node:
        """The node."""
        return self.body.nodes[self.index]

    @property
    def path(self) -> str:
        """Its path."""
        return f"{self.prefix}{self.node.id}"


def way_to(program: Program, step: str) -> list[Place] | None:
    """The nodes from the flow's body to the step that a path names; None when there is no such step."""
    flow, prefix, rest = program.main, "", step
    if step.startswith("~") and (hop := _HOP.match(step)):
        target = _tail_of(program, flow)
        if target is None:
            return None
        flow, prefix, rest = target, root_prefix(int(hop[1])), step[hop.end() :]
    way: list[Place] = []
    body: Body | None = program.flows[flow].body
    while body is not None:
        place = _in_body(body, prefix, rest)
        if place is None:
            return None
        way.append(place)
        if not place.rest:
            return way
        body, prefix, rest = _inner(program, place)
    return None


def _in_body(body: Body, prefix: str, rest: str) -> Place | None:
    """The node of a body that a path begins with: of several, the one with the longest id."""
    found = [
        (len(node.id), index)
        for index, node in enumerate(body.nodes)
        if rest.startswith(node.id) and rest[len(node.id) :][:1] in ("", ".", "[", "~")
    ]
    if not found:
        return None
    size, index = max(found)
    return Place(body, prefix, index, rest[size:])


def _inner(program: Program, place: Place) -> tuple[Body | None, str, str]:  # noqa: C901, PLR0911, PLR0912
    """The body that the rest of a path goes on in, its prefix, and what is left of the path."""
    op, path, rest = place.node.op, place.path, place.rest
    nothing = (None, "", "")
    match op:
        case Branch(_, then, orelse) if rest.startswith(".then."):
            return then, arm_prefix(path, "then"), rest[len(".then.") :]
        case Branch(orelse=orelse) | Wait(orelse=orelse) if rest.startswith(".else."):
            return orelse, arm_prefix(path, "else"), rest[len(".else.") :]
        case Switch(orelse=orelse) if rest.startswith(".else."):
            return orelse, arm_prefix(path, "else"), rest[len(".else.") :]
        case Switch(_, cases) if (index := _CASE.match(rest)) is not None and int(index[1]) <= len(cases):
            number = int(index[1]) - 1
            return cases[number].body, case_prefix(path, number), rest[index.end() :]
        case Race(branches):
            return _branch(branches, path, rest)
        case ForEach(body=body) | Loop(body=body) if (index := _INDEX.match(rest)) is not None:
            return body, body_prefix(path, int(index[1])), rest[index.end() :]
        case Bounded(body) if (again := _AGAIN.match(rest)) is not None:
            return body, attempt_prefix(path, int(again[1])), rest[again.end() :]
        case Try() if (part := _PART.match(rest)) is not None:
            return _part_of(op, part[1]), f"{path}{part[0]}", rest[part.end() :]
        case Block(body) | Saga(body) | Bounded(body) if rest.startswith("."):
            return body, block_prefix(path), rest[1:]
        case Task(undo=Undo(body)) if rest.startswith("."):
            return body, block_prefix(path), rest[1:]
        case CallFlow(flow) if rest.startswith("."):
            return program.flows[flow].body, flow_prefix(path, 0), rest[1:]
        case CallFlow(flow) if (hop := _HOP.match(rest)) is not None:
            target = _tail_of(program, flow)
            inner = None if target is None else program.flows[target].body
            return inner, flow_prefix(path, int(hop[1])), rest[hop.end() :]
        case _:
            return nothing


def _branch(branches: Sequence[RaceBranch], path: str, rest: str) -> tuple[Body | None, str, str]:
    """The branch of a race that a path goes on in."""
    for branch in branches:
        if rest.startswith(f".{branch.id}."):
            return branch.body, arm_prefix(path, branch.id), rest[len(branch.id) + 2 :]
    return None, "", ""


def _part_of(op: Try, word: str) -> Body | None:
    """The body, a catch, or `finally` of a `try`, by the word for it in paths."""
    if word in ("try", "finally"):
        return op.body if word == "try" else op.final
    index = int(word.partition("#")[2] or 1) - 1
    return op.catches[index].body if index < len(op.catches) else None


def _tail_of(program: Program, flow: str) -> str | None:
    """The flow that a flow goes on as by tail calls, as far as there is only one."""
    open_, seen = [program.flows[flow].body], list[str]()
    while open_:
        for node in open_.pop().nodes:
            if isinstance(node.op, Leave) and node.op.kind == "tail":
                seen.append(node.op.flow)
            open_ += bodies_of(node.op)
            match node.op:
                case Leave("tail", _, target):
                    seen.append(target)
                case Branch(_, then, orelse):
                    open_ += [then, *([orelse] if orelse else [])]
                case ForEach(body=body) | Loop(body=body) | Block(body) | Saga(body):
                    open_.append(body)
                case Try(body, catches, _):
                    open_ += [body, *(catch.body for catch in catches)]
                case _:
                    pass
    return seen[0] if len(set(seen)) == 1 else None


def not_started(facts: Facts, step: str) -> list[str]:
    """Why a step that exists in the program has not been started, the nearest reason first."""
    reasons: list[str] = []
    wanted: str | None = step
    for _ in range(FOLLOWED_MAX):
        if wanted is None:
            break
        reason, wanted = _reason(facts, wanted)
        reasons.append(reason)
    return reasons


def _reason(facts: Facts, step: str) -> tuple[str, str | None]:
    """One reason, and the step whose own reason comes next."""
    way = way_to(facts.program, step)
    assert way is not None, "asked only of steps that are there"
    for place in way:
        if place.path in facts.steps.opened_steps:
            if not place.rest:
                break
            if isinstance(place.node.op, Task):
                return _undo_reason(facts, way, place.path), None
            found = _shut(facts, place)
            if found is not None:
                return found, None
        else:
            return _not_yet(facts, place)
    return f"`{step}` was started", None


def _undo_reason(facts: Facts, way: Sequence[Place], step: str) -> str:
    """Why the undo of a step that was started was not."""
    sagas: list[str] = []
    for one in way:
        if isinstance(one.node.op, CallFlow):
            sagas.clear()  # A flow undoes its own steps only.
        elif isinstance(one.node.op, Saga):
            sagas.append(one.path)
    # What a saga that ended well did is a matter of the one around it.
    saga = next((path for path in reversed(sagas) if path not in facts.steps.ends), sagas[0])
    end = facts.steps.ends.get(step)
    if end is None:
        return f"`{step}` has not ended, so there is nothing to undo yet"
    if end[0] != "succeeded":
        return f"`{step}` {_ended(end[0])}, so there is nothing to undo"
    if any(path == saga for path, _ in facts.state.undoing):
        return f"`{saga}` is being undone, and undos of later steps come first"
    if saga in facts.steps.ends:
        return f"`{saga}` ended well, so what it did stays"
    return f"`{saga}` has not ended: what it did is undone only when it does not end well"


def _shut(facts: Facts, place: Place) -> str | None:  # noqa: PLR0911 - one an operation
    """Why a construct that was started does not lead further on the way of a path."""
    op, path, rest = place.node.op, place.path, place.rest
    records = facts.of(path)
    match op:
        case Branch():
            return _arm_reason(path, rest, records)
        case Switch():
            return _case_reason(path, rest, records)
        case Wait() if any(isinstance(record, Received) for record in records):
            return f"`{path}` took an event in time, so its `else` did not run"
        case Wait() if not any(isinstance(record, Fired) for record in records):
            return f"`{path}` still waits; its `else` runs only when its time is up"
        case ForEach():
            index = _INDEX.match(rest)
            expanded = next((record for record in records if isinstance(record, Expanded)), None)
            if index is not None and expanded is not None and int(index[1]) >= expanded.count:
                return f"`{path}` has {expanded.count} items, so there is no body {index[1]}"
            if index is not None and expanded is None:
                return f"`{path}` does not know its items yet"
        case Loop():
            return _round_reason(facts, place)
        case _:
            pass
    return None


def _arm_reason(path: str, rest: str, records: Sequence[Record]) -> str | None:
    decided = next((record for record in records if isinstance(record, Decided)), None)
    wanted = rest.startswith(".then.")
    if decided is None:
        return f"the condition of `{path}` has not been evaluated yet"
    if decided.choice != wanted:
        return f"the condition of `{path}` was {decided.choice}, so its other arm was taken"
    return None


def _case_reason(path: str, rest: str, records: Sequence[Record]) -> str | None:
    index = next((record.index for record in records if isinstance(record, Chosen)), None)
    case = _CASE.match(rest)
    if index is None:
        return f"the subject of `{path}` has not been looked at yet"
    if index == (int(case[1]) - 1 if case is not None else -1):
        return None
    return f"case {index + 1} of `{path}` was chosen" if index >= 0 else f"no case of `{path}` fits"


def _round_reason(facts: Facts, place: Place) -> str | None:
    """A loop that ended before the round that a path names."""
    index = _INDEX.match(place.rest)
    if index is None or place.path not in facts.steps.ends:
        return None
    rounds = [
        int(found[1])
        for step in facts.steps.opened_steps
        if step.startswith(f"{place.path}[") and (found := _INDEX.match(step[len(place.path) :]))
    ]
    count = max(rounds, default=-1) + 1
    if int(index[1]) >= count:
        return f"`{place.path}` ended after {count} rounds"
    return None


def _not_yet(facts: Facts, place: Place) -> tuple[str, str | None]:
    """Why a node whose body may run was not opened: what it reads or follows has not ended well."""
    node, path = place.node, place.path
    before = {source.node for _, source in node.env if isinstance(source, Out)} | set(node.after)
    for index in sorted(before):
        other = f"{place.prefix}{place.body.nodes[index].id}"
        end = facts.steps.ends.get(other)
        if end is None and other in facts.steps.opened_steps:
            return f"`{path}` comes after `{other}`, which has not ended", None
        if end is None:
            return f"`{path}` comes after `{other}`, which was not started either", other
        if end[0] != "succeeded":
            why = f": {end[1].splitlines()[0]}" if end[1] else ""
            return f"`{path}` comes after `{other}`, which {_ended(end[0])}{why}", None
    ended = facts.state.ended
    if ended is not None:
        return f"the run {_run_ended(ended.status)} before `{path}` could be started", None
    if facts.state.cancel_requested:
        return f"the run is being cancelled, so `{path}` is not started", None
    return f"the body of `{path}` was not reached: nothing has started it yet", None


def _ended(how: str) -> str:
    return {"failed": "failed", "stopped": "was stopped"}.get(how, how)


def _run_ended(status: str) -> str:
    return "was cancelled" if status == "cancelled" else status
