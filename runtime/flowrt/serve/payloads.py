"""An event and those who may wait for it come in; a complaint goes out if none could take its payload.

An event is a fact for whoever waits for it, and several flows may wait for one name with different types. So
a payload is refused only when every wait that is known declares a type and none of them takes it. What is
refused is never stored: a run that waits would take it, and go wrong far from the sender. It is checked, not
converted: tasks get the JSON value that was sent, since no engine imports the classes of its flows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from flowrt.errors import BadInput
from flowrt.graph.nested import operations
from flowrt.inputs.checked import refused
from flowrt.inputs.convert import Problem, convert
from flowrt.inputs.input_types import hint_of
from flowrt.inputs.payload import wrong_payload
from flowrt.noun import noun
from flowrt.program import Program, Wait
from flowrt.type_ref import TypeRef

PayloadTypes: TypeAlias = Mapping[str, frozenset[TypeRef | None]]


@noun
class Waiter:
    """What a program waits for, as `payload_types` gives it; `folders` says where its classes are."""

    types: PayloadTypes
    folders: Callable[[], Sequence[str]]


def check_payload(event: str, payload: object, waiters: Iterable[Waiter]) -> None:
    """Raises BadInput, with a line for each thing that is wrong, when nobody could take the payload."""
    said: list[Problem] = []
    declared = ((ref, waiter) for waiter in waiters for ref in waiter.types.get(event, ()))
    for ref, waiter in declared:
        problems = [] if ref is None else _problems(payload, ref, waiter)
        if not problems:
            return
        said = said or problems
    if said:
        raise BadInput(wrong_payload(event, said))


def payload_types(program: Program) -> PayloadTypes:
    """The types that the waits of a program declare, by event; None for a wait without one."""
    found: dict[str, set[TypeRef | None]] = {}
    for flow in program.flows.values():
        for op in operations(flow.body):
            if isinstance(op, Wait):
                found.setdefault(op.event, set()).add(op.type)
    return {event: frozenset(refs) for event, refs in found.items()}


def _problems(payload: object, ref: TypeRef, waiter: Waiter) -> list[Problem]:
    try:
        hint = hint_of(ref, waiter.folders())
    except BadInput:
        return []  # Its class is not to be had here: it is for the flow to say.
    found: list[Problem] = []
    convert(payload, hint, (), found)
    return found or refused(payload, hint)
