"""In: an operation. Out: the word by which its steps are shown."""

from typing import assert_never

from flowrt.listener import POLL
from flowrt.observer import StepKind
from flowrt.program import (
    Block,
    Bounded,
    Branch,
    CallFlow,
    Compute,
    Emit,
    Fail,
    ForEach,
    Imported,
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
    Wait,
)


def kind_of(op: Op) -> StepKind:  # noqa: C901, PLR0911, PLR0912 - one arm a kind
    """The word by which an operation is shown."""
    match op:
        case Task(listener=True, callee=Imported(path)) if path.endswith(f".{POLL}"):
            return "listener"
        case Task():
            return "task"
        case Compute() | Fail():
            return "value"
        case Sample():
            return "sample"
        case Branch():
            return "if"
        case ForEach():
            return "for"
        case Loop(kind):
            return kind
        case Sleep():
            return "sleep"
        case Wait():
            return "wait"
        case Emit():
            return "emit"
        case Block() | Bounded():
            return "block"
        case Lock():
            return "lock"
        case CallFlow():
            return "flow"
        case Start():
            return "start"
        case Leave() | Rethrow():
            return "end"
        case Saga():
            return "saga"
        case Switch():
            return "switch"
        case Race():
            return "race"
        case Try():
            return "try"
        case _:
            assert_never(op)
