"""What stands inside an operation: in an operation, out its nested bodies and the flow that it calls."""

from collections.abc import Iterable, Iterator

from flowrt.program import (
    Block,
    Body,
    Bounded,
    Branch,
    CallFlow,
    Compute,
    Emit,
    Fail,
    ForEach,
    Leave,
    Lock,
    Loop,
    Op,
    Race,
    Rethrow,
    Saga,
    Sample,
    Sleep,
    Start,
    Switch,
    Task,
    Try,
    Undo,
    Wait,
)


def bodies_of(op: Op) -> tuple[Body, ...]:  # noqa: PLR0911 - one arm a kind
    """The bodies of an operation, in the order in which they are written."""
    match op:
        case Branch(_, then, orelse):
            return (then,) if orelse is None else (then, orelse)
        case (
            ForEach(body=body)
            | Block(body)
            | Saga(body)
            | Lock(_, body)
            | Bounded(body)
            | Task(undo=Undo(body))
        ):
            return (body,)
        case Loop(body=body, check=check):
            return (body,) if check is None else (body, check)
        case Wait(orelse=orelse):
            return () if orelse is None else (orelse,)
        case Switch(_, cases, orelse):
            bodies = tuple(case.body for case in cases)
            return bodies if orelse is None else (*bodies, orelse)
        case Race(branches):
            return tuple(branch.body for branch in branches)
        case Try(body, catches, final):
            return (body, *(catch.body for catch in catches), *(() if final is None else (final,)))
        case (
            Task()
            | Compute()
            | Sample()
            | Sleep()
            | Emit()
            | CallFlow()
            | Start()
            | Leave()
            | Rethrow()
            | Fail()
        ):
            return ()


def operations(body: Body) -> Iterator[Op]:
    """Every operation of a body and of the bodies nested in it."""
    bodies = [body]
    while bodies:
        for node in bodies.pop().nodes:
            yield node.op
            bodies.extend(bodies_of(node.op))


def called_flows(bodies: Iterable[Body]) -> set[str]:
    """The flows that some operation of the bodies calls, starts, or goes on as."""
    called: set[str] = set()
    for body in bodies:
        for op in operations(body):
            if isinstance(op, CallFlow | Start) or (isinstance(op, Leave) and op.kind == "tail"):
                called.add(op.flow)
    return called
