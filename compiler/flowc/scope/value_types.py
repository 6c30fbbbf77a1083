"""An expression in a frame, or a callee, comes in; out goes its type, `any` when nothing is known."""

from collections.abc import Mapping
from typing import assert_never

from flowc.expr.infer import infer
from flowc.ir import Callee, Flow, FlowCallee, TaskCallee
from flowc.scope.scope import ANY, Frame, FrameTypes
from flowrt.expr.tree import Const, Expr
from flowrt.type_ref import TypeRef

RECORDED = {
    "flowc:now": TypeRef("datetime"),
    "flowc:today": TypeRef("date"),
    "flowc:uuid": TypeRef("str"),
    "flowc:random": TypeRef("float"),
}
"""The recorded functions: calls of them are lifted out of expressions like calls of tasks."""


def type_in(expr: Expr, frame: Frame) -> TypeRef:
    """The type of an expression that stands in `frame`.

    A bare None says nothing: it is a first value to be replaced, or stands for a step with a finding.
    """
    if isinstance(expr, Const) and expr.value is None:
        return ANY
    return infer(expr, FrameTypes(frame))


def type_of_call(callee: Callee, flows: Mapping[str, Flow]) -> TypeRef:
    """What a call gives; `flows` are those that can be called."""
    match callee:
        case TaskCallee():
            return RECORDED.get(callee.path, ANY)
        case FlowCallee():
            flow = flows.get(callee.name)
            return ANY if flow is None else flow.returns or ANY
        case _:
            assert_never(callee)


def element_type(items: TypeRef) -> TypeRef:
    """The type of what iteration over a value of this type gives."""
    if items.name in {"list", "set", "dict"} and items.args:
        return items.args[0]
    if items.name == "tuple" and items.args and all(each == items.args[0] for each in items.args):
        return items.args[0]
    return TypeRef("str") if items.name == "str" else ANY
