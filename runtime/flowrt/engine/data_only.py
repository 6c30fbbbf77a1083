"""Programs under the codec `data`: a program comes in, and is refused if a step of it is pickled code.

A function of a hand-written graph that cannot be imported under its name (of a script, a closure, a lambda)
is stored as a pickle, and to unpickle is to run what somebody has written into the store.
"""

from collections.abc import Iterator

from flowrt.encoding.pickles import pickles_allowed
from flowrt.errors import UnsupportedGraph
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
    Pickled,
    Program,
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


def refuse_pickled_code(program: Program) -> None:
    """Raise UnsupportedGraph, by name, for a step of pickled code, if nothing may be pickled here.

    Raises CodecError for a wrong setting of the codec.
    """
    if pickles_allowed():
        return
    for step, callee in pickled_callees(program):
        raise UnsupportedGraph(
            f"The step `{step}` calls `{callee.name}`, which is stored as a pickle, and the codec is `data` "
            "(FLOWC_CODEC, or `codec` in [tool.flowc]). Define the function at the top level of a module "
            "that workers can import, not in a script or within another function."
        )


def pickled_callees(program: Program) -> Iterator[tuple[str, Pickled]]:
    """The steps of a program that call pickled code, by id, with their callees."""
    open_: list[Body | None] = [flow.body for flow in program.flows.values()]
    while open_:
        body = open_.pop()
        for node in body.nodes if body is not None else ():
            if isinstance(node.op, Task) and isinstance(node.op.callee, Pickled):
                yield node.id, node.op.callee
            open_ += _bodies(node.op)


def _bodies(op: Op) -> tuple[Body | None, ...]:  # noqa: PLR0911 - one arm a kind
    match op:
        case Branch(_, then, orelse):
            return then, orelse
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
            return body, check
        case Wait(orelse=orelse):
            return (orelse,)
        case Switch(_, cases, orelse):
            return (*(case.body for case in cases), orelse)
        case Race(branches):
            return tuple(branch.body for branch in branches)
        case Try(body, catches, final):
            return (body, *(catch.body for catch in catches), final)
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
