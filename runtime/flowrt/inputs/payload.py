"""The payload of an event and its declared type come in; what does not fit goes out.

Who sends from outside is held to the whole type. What a flow emits is checked in its engine, and no engine
imports the classes of its flows: there a class stands for anything, and all else is held to.
"""

from collections.abc import Sequence

from flowrt.inputs.convert import Problem, convert
from flowrt.inputs.input_types import SCALARS, hint_of
from flowrt.type_ref import TypeRef

_ANY = TypeRef("any")


def hold_payload(event: str, payload: object, ref: TypeRef | None) -> None:
    """Raises TypeError, with a line for each thing that is wrong, for what cannot be of a type."""
    if ref is None:
        return
    found: list[Problem] = []
    convert(payload, hint_of(_without_classes(ref), ()), (), found)
    if found:
        raise TypeError(wrong_payload(event, found))


def wrong_payload(event: str, problems: Sequence[Problem]) -> str:
    """What is wrong with a payload, in words."""
    return "\n".join(
        f"Payload of the event `{event}`{f' at `{one.place}`' if one.place else ''}: "
        f"expected {one.expected}, got {one.got}."
        for one in problems
    )


def _without_classes(ref: TypeRef) -> TypeRef:
    if ref.args:
        return TypeRef(ref.name, tuple(_without_classes(arg) for arg in ref.args))
    return ref if ref.name in SCALARS else _ANY
