"""The remote functions of a compiled bind graph: one for each kind of operation, and the two ends.

In: what a node of the graph is bound to. Out: how the node ended. Any executor of bind graphs can run
these functions, Ray's own `dag.execute()` included: each does its work in the worker that it holds, by
plain execution. The durable engine does not call them: it reads the graph (`flowrt.graph.read_dag`) and needs
a worker for nothing but tasks.

    inputs.bind(Given(…))                     the inputs and the library of flows; its value is a `Scene`
    task.bind(Step(…), scene, *captured)      one node of the main flow; so for the other kinds
    result.bind(Root(…), scene, *captured)    the root: its value is the flow's value

`captured` are the nodes that a node reads or comes after; `Step` says which name is which of them. A
node hands on a `Done` or a `Left`. When something that a node captured has left the flow, the node hands
that on and does nothing else: so a `return` inside a branch ends the list of steps around it.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol, TypeAlias, cast

import ray

from flowrt.executor.run_info import RunInfo
from flowrt.plain.plain import filled_in, run_flow, run_op
from flowrt.plain.scene import Done, Ended, Left, Scene, Values
from flowrt.program import (
    Block,
    Bounded,
    Branch,
    CallFlow,
    Compute,
    Emit,
    Fail,
    Flow,
    ForEach,
    Leave,
    Lock,
    Loop,
    Op,
    Param,
    Race,
    Rethrow,
    Saga,
    Sample,
    Sleep,
    Start,
    Switch,
    Task,
    Try,
    Wait,
)


@dataclass(frozen=True, slots=True)
class Slot:
    """The value of the captured node number `arg`, or one of the names that it assigned."""

    arg: int
    field: str = ""


Captured: TypeAlias = Param | Slot


@dataclass(frozen=True, slots=True)
class Given:
    """What a run of the graph is given. `flow` is the main flow, less the nodes of its body.

    `flows` are those that may be called: the others of the program, and the main flow if it is called.
    """

    flow: Flow
    inputs: Values
    flows: Mapping[str, Flow]
    code: Mapping[str, bytes]
    python_path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A node of the main flow: its place in the body, and a `flowrt.program.Node` that reads slots."""

    position: int
    id: str
    op: Op
    env: tuple[tuple[str, Captured], ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Root:
    """What the main flow's body hands on."""

    value: Captured | None
    exports: tuple[tuple[str, Captured], ...]


class Bound(Protocol):
    """A node of a bind graph."""

    def execute(self, *args: object, **kwargs: object) -> object:
        """Run the graph that ends in this node on Ray, not durably."""
        ...


class Remote(Protocol):
    """The part of a Ray remote function that bind graphs are made with."""

    def bind(self, *args: object) -> Bound:
        """A node that calls the function."""
        ...

    def options(self, **options: object) -> "Remote":
        """The same function with options of Ray."""
        ...


def _remote(function: Callable[..., object]) -> Remote:
    make = cast("Callable[[Callable[..., object]], Remote]", ray.remote)
    return make(function)


@_remote
def inputs(given: Given) -> Scene:
    """The scene of a run: its inputs with the defaults filled in, and the flows that may be called."""
    flow = given.flow
    run = RunInfo(f"plain-{uuid.uuid4().hex[:8]}", flow.name, datetime.now(UTC), dict(flow.labels))
    scene = Scene(given.flows, given.code, run, given.python_path)
    return replace(scene, inputs=filled_in(flow, given.inputs, scene))


@_remote
def result(root: Root, scene: Scene, *captured: Ended) -> object:
    """The flow's value: what left it, or what its body hands on."""
    left = _left(captured)
    if left is not None and left.kind == "tail":
        return run_flow(left.flow, left.names, scene)
    if left is not None:
        return left.value
    return None if root.value is None else _read(root.value, scene, captured)


def _left(captured: tuple[Ended, ...]) -> Left | None:
    return next((ended for ended in captured if isinstance(ended, Left)), None)


def _read(source: Captured, scene: Scene, captured: tuple[Ended, ...]) -> object:
    if isinstance(source, Param):
        return scene.inputs[source.name]
    done = captured[source.arg]
    assert isinstance(done, Done), "what has left is handed on before anything is read"
    return done.names[source.field] if source.field else done.value


def _run(step: Step, scene: Scene, captured: tuple[Ended, ...]) -> Ended:
    left = _left(captured)
    if left is not None:
        return left
    env = {name: _read(source, scene, captured) for name, source in step.env}
    return run_op(step.op, env, scene)


@_remote
def task(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Call a Python callable."""
    return _run(step, scene, captured)


@_remote
def compute(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Evaluate an expression."""
    return _run(step, scene, captured)


@_remote
def sample(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Take the time, or something random."""
    return _run(step, scene, captured)


@_remote
def branch(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Run one of two bodies."""
    return _run(step, scene, captured)


@_remote
def for_each(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Run a body for each item, one after another."""
    return _run(step, scene, captured)


@_remote
def loop(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Run a body while, or until, a condition holds."""
    return _run(step, scene, captured)


@_remote
def sleep(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Sleep, and hold the worker meanwhile."""
    return _run(step, scene, captured)


@_remote
def wait_event(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Fail: there is no inbox without the durable engine."""
    return _run(step, scene, captured)


@_remote
def emit(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Evaluate an event; nobody can wait for it without the durable engine."""
    return _run(step, scene, captured)


@_remote
def block(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Run a nested body."""
    return _run(step, scene, captured)


@_remote
def lock(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Run a nested body; nobody is kept from running it at the same time without the durable engine."""
    return _run(step, scene, captured)


@_remote
def call_flow(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Run a flow of the library."""
    return _run(step, scene, captured)


@_remote
def start(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Run a flow of the library as a run of its own."""
    return _run(step, scene, captured)


@_remote
def leave(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Leave the flow."""
    return _run(step, scene, captured)


@_remote
def fail(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Fail with a text."""
    return _run(step, scene, captured)


@_remote
def saga(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Run a nested body, and take its steps back when one fails."""
    return _run(step, scene, captured)


@_remote
def switch(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Run one of several bodies."""
    return _run(step, scene, captured)


@_remote
def attempt(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Run a nested body, deal with its failure, and finish."""
    return _run(step, scene, captured)


@_remote
def race(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Run the branches of a race one after another, until enough of them have ended well."""
    return _run(step, scene, captured)


@_remote
def bounded(step: Step, scene: Scene, *captured: Ended) -> Ended:
    """Run a nested body, and again when it fails."""
    return _run(step, scene, captured)


def remote_for(op: Op) -> Remote:  # noqa: C901, PLR0911, PLR0912 - one line a kind
    """The remote function that carries out an operation."""
    match op:
        case Task():
            return task
        case Compute():
            return compute
        case Sample():
            return sample
        case Branch():
            return branch
        case ForEach():
            return for_each
        case Loop():
            return loop
        case Sleep():
            return sleep
        case Wait():
            return wait_event
        case Emit():
            return emit
        case Block():
            return block
        case Lock():
            return lock
        case CallFlow():
            return call_flow
        case Start():
            return start
        case Leave():
            return leave
        case Fail():
            return fail
        case Saga():
            return saga
        case Switch():
            return switch
        case Race():
            return race
        case Try():
            return attempt
        case Bounded():
            return bounded
        case Rethrow():
            return fail
