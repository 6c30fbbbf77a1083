"""A run comes in; how each box of its program's diagram stands goes out.

The journal is folded once, and what is kept is numbers for each step of the program, not for each step of the
run: a loop of a million bodies is counted under the one path that its bodies have in common.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from flowc.draw.diagram import State
from flowc.draw.of_program import Standing, Standings, box_key, flow_keys, keyed_bodies
from flowrt.command import AwaitEvent, AwaitLock, AwaitTimer
from flowrt.encoding.pack import decode_program
from flowrt.engine.fold import fold
from flowrt.graph.nested import operations
from flowrt.listing import status_of
from flowrt.observer import StepEnd, StepKind
from flowrt.program import Body, CallFlow, Leave, Node, Program
from flowrt.store.port import Store
from flowrt.store.rows import RunStatus

NOT_REACHED: State = "none"
_INDICES = re.compile(r"\[\d+\]|~r?\d+")


@dataclass(slots=True)
class _Count:
    opened: int = 0
    expanded: int = 0
    waiting: int = 0
    ends: Counter[StepEnd] = field(default_factory=Counter[StepEnd])

    def add(self, other: "_Count") -> None:
        self.opened += other.opened
        self.expanded += other.expanded
        self.waiting += other.waiting
        self.ends.update(other.ends)


class _Counts:
    """An observer that counts under paths without the indices of loops."""

    def __init__(self) -> None:
        self.by_path: dict[str, _Count] = {}

    def of(self, step: str) -> _Count:
        return self.by_path.setdefault(_INDICES.sub("", step), _Count())

    def opened(self, step: str, kind: StepKind) -> None:  # noqa: ARG002
        self.of(step).opened += 1

    def expanded(self, step: str, count: int) -> None:
        self.of(step).expanded += count

    def attempted(self, step: str, attempt: int, error: str, started_at: int, ended_at: int) -> None:
        """Nothing is kept of this."""

    def waiting(self, step: str, event: str, key: str | None, due_at: int) -> None:
        """What still waits is asked of the state in the end."""

    def queued(self, step: str, lock: str) -> None:
        """What still waits is asked of the state in the end."""

    def admitted(self, step: str) -> None:
        """What still waits is asked of the state in the end."""

    def closed(self, step: str, end: StepEnd, error: str) -> None:  # noqa: ARG002
        self.of(step).ends[end] += 1


@dataclass(frozen=True, slots=True)
class Tallied:
    """A run's own program and how its steps stand."""

    program: Program
    standings: Standings
    status: RunStatus


def tally(store: Store, run_id: str) -> Tallied:
    """Count the steps of a run. Raises UnknownRun, StoreError."""
    row = store.run(run_id)
    program = decode_program(store.program(row.program_digest))
    counts = _Counts()
    state = fold(store, run_id, program, counts).state
    for command in state.open_commands:
        match command:
            case AwaitEvent(step) | AwaitLock(step):
                counts.of(step).waiting += 1
            case AwaitTimer(step) if state.timer_kind(step) in ("sleep", "pause"):
                counts.of(step).waiting += 1
            case _:
                pass
    status = state.ended.status if state.ended else status_of(row)
    return Tallied(program, _standings(program, counts.by_path), status)


def _standings(program: Program, by_path: Mapping[str, _Count]) -> Standings:
    keys = flow_keys(program)
    totals: dict[str, _Count] = {}
    for path, count in by_path.items():
        for name in _goes_on_as(program, program.main):
            key = _find(program, keys, program.flows[name].body, keys[name], path)
            if key is not None:
                totals.setdefault(key, _Count()).add(count)
                break
    return {
        key: _standing(count, totals.get(key.rsplit("_", 2)[0], _Count())) for key, count in totals.items()
    }


def _standing(count: _Count, around: _Count) -> Standing:
    """How a step stands; `around` is the count of the step whose body it is in, which may be a loop."""
    bodies = around.expanded
    goes_on = around.opened > sum(around.ends.values())
    done, failed, stopped = count.ends["succeeded"], count.ends["failed"], count.ends["stopped"]
    left = count.opened - done - failed - stopped
    total = max(count.opened, bodies)
    states: tuple[tuple[State, int], ...] = (
        ("failed", failed),
        ("running", left - count.waiting),
        ("waiting", count.waiting),
        ("running", total - count.opened if goes_on else 0),
        ("stopped", stopped),
        ("succeeded", done),
    )
    found: list[State] = [name for name, number in states if number > 0]
    state = found[0] if found else NOT_REACHED
    if total <= 1:
        return Standing(state)
    others = [("failed", failed), ("waiting", count.waiting), ("stopped", stopped)]
    said = [f"{done}/{total} done", *(f"{number} {word}" for word, number in others if number)]
    return Standing(state, ", ".join(said))


def _goes_on_as(program: Program, flow: str) -> list[str]:
    """A flow and those that it may go on as by tail calls: their steps have the same paths."""
    found = [flow]
    for name in found:
        for op in operations(program.flows[name].body):
            if isinstance(op, Leave) and op.kind == "tail" and op.flow not in found:
                found.append(op.flow)
    return found


def _find(program: Program, keys: Mapping[str, str], body: Body, key: str, path: str) -> str | None:
    """The key of the box that a path (without indices, and without the prefix of `body`) is of.

    An id may hold dots (`order/args.0`), so every node whose id begins the path is tried.
    """
    for index, node in enumerate(body.nodes):
        if path == node.id:
            return box_key(key, index)
        if path.startswith(f"{node.id}."):
            rest = path[len(node.id) + 1 :]
            for found in _inside(program, keys, node, box_key(key, index), rest):
                return found
    return None


def _inside(program: Program, keys: Mapping[str, str], node: Node, key: str, rest: str) -> Iterator[str]:
    if isinstance(node.op, CallFlow):
        for name in _goes_on_as(program, node.op.flow):
            found = _find(program, keys, program.flows[name].body, keys[name], rest)
            if found is not None:
                yield found
        return
    for number, (inner, label, body) in enumerate(keyed_bodies(key, node)):
        for prefix in _words(number, label):
            if rest.startswith(prefix):
                found = _find(program, keys, body, inner, rest[len(prefix) :])
                if found is not None:
                    yield found


def _words(number: int, label: str) -> tuple[str, ...]:
    """What the paths of body `number` of a node may go on with.

    Some bodies add a word to the path (`then`, `case#1`, `catch#2`, a branch's name), some do not (`do`).
    """
    catch = "catch." if number == 1 else f"catch#{number}."
    return ("", f"{label}.", f"case#{number + 1}.", f"{label.removeprefix('branch ')}.", catch)
