"""The steps that leave a flow come in as text; `Return`, `Raise` and `Fail` go out."""

from flowc.ir import Call, Fail, FlowCallee, Ident, Modifiers, Raise, Rethrow, Return, Step, TaskCallee
from flowc.resolve.callees import Lost, meaning_of
from flowc.resolve.found import excerpt, shape
from flowc.resolve.lift import lift, lift_arguments
from flowc.resolve.places import at, read_callee, read_data, read_expression
from flowc.resolve.retry import exception_named
from flowc.resolve.setting import stand_in
from flowc.resolve.step_text import StepText
from flowc.span import Span
from flowc.tree import Scalar
from flowrt.expr.tree import Call as CallExpr
from flowrt.expr.tree import Const, Expr, Field, FString, Name
from flowrt.noun import replace


def resolve_return(step: StepText) -> Step:
    """`return`. Nothing but a call of a flow is a tail call: the run goes on as that flow.

    Not within a `try`, a saga, a lock or a bounded block: what that flow fails with, how long it takes, or
    what it is protected from, is their affair. A race is left: the branch that goes on as a flow has ended.
    """
    node = step.main.value
    if isinstance(node, Scalar) and node.value is None:
        return Return(step.meta(), None, None)
    expr = read_expression(step.found, node)
    tail = _tail(step, expr)
    if tail is not None:
        # What was lifted out of its arguments belongs to the step, as everywhere.
        return Return(step.meta(), None, tail)
    value = lift(expr, step.where("return"))
    return Return(step.meta(), value, None)


def _tail(step: StepText, expr: Expr) -> Call | None:
    if not isinstance(expr, CallExpr) or step.setting.guard_depth:
        return None
    callee = meaning_of(step.setting.names, expr.func)
    if not isinstance(callee, FlowCallee):
        return None
    arguments = lift_arguments(expr, step.where("return"), step.path, callee)
    meta = replace(step.meta(), prelude=())
    return Call(meta, callee, arguments.args, arguments.kwargs, Modifiers())


_WAYS_OUT = (
    "write `raise: t.Rejected(reason)`, `raise: ValueError(text)`, or `fail: a message`",
    'write `raise t.Rejected(reason)`, `raise ValueError(text)`, or `fail "a message"`',
)
"""In YAML, and in the DSL."""


def resolve_raise(step: StepText) -> Step:
    """`raise` of an exception class, with or without arguments, or of a caught error."""
    node = step.main.value
    if not isinstance(node, Scalar) or _is_no_call(step, node):
        if not isinstance(node, Scalar):
            _report_raise(step, f"not {shape(node)}", _WAYS_OUT[step.found.source.is_dsl])
        return _unknown_end(step)
    before = len(step.found.diagnostics)
    expr = read_callee(step.found, node)
    if len(step.found.diagnostics) > before:
        return _unknown_end(step)
    if isinstance(expr, Name) and expr.id in step.setting.caught:
        return Rethrow(step.meta(), Ident(expr.id, Span(*expr.at)))
    call = expr if isinstance(expr, CallExpr) else CallExpr(expr, (), (), expr.at)
    callee = meaning_of(step.setting.names, call.func)
    if isinstance(call.func, Name) and exception_named(call.func.id):
        callee = TaskCallee(f"builtins:{call.func.id}", Span(*call.func.at))
    if isinstance(callee, Lost):
        return _unknown_end(step)
    if not isinstance(callee, TaskCallee) or callee.method or callee.path.startswith("flowc:"):
        what = "a flow" if isinstance(callee, FlowCallee) else "neither a builtin nor one of an alias"
        step.found.error(
            "F0115",
            f"`raise` takes an exception class, and `{step.found.text(Span(*call.func.at))}` is {what}",
            Span(*call.func.at),
            help=_WAYS_OUT[step.found.source.is_dsl],
        )
        return _unknown_end(step)
    arguments = lift_arguments(call, step.where("raise"), step.path, callee)
    return Raise(step.meta(), callee, arguments.args, arguments.kwargs)


def _is_no_call(step: StepText, node: Scalar) -> bool:
    """Whether a scalar is no call of a class at a glance, which is reported: a number, or a sentence."""
    if not isinstance(node.value, str):
        _report_raise(step, f"not {shape(node)}", _WAYS_OUT[step.found.source.is_dsl])
        return True
    text = node.text.strip()
    if " " not in text or "(" in text:
        return False
    better = step.found.source.either(f"fail: {text}", f"fail {text}")
    _report_raise(step, "and this is a text", f"write `{better}`" if "\n" not in text else "use `fail`")
    return True


def _report_raise(step: StepText, what: str, help_text: str) -> None:
    node = step.main.value
    message = f"`raise` takes a call of an exception class, {what}"
    step.found.error("F0115", message, excerpt(node), help=help_text)


def _unknown_end(step: StepText) -> Fail:
    """In the place of a `raise` that could not be understood: the flow still ends here."""
    return Fail(step.meta(), stand_in(at(step.main.value.span)))


def resolve_fail(step: StepText) -> Step:
    """`fail` with a text; whatever is computed in it is made text."""
    node = step.main.value
    if not isinstance(node, Scalar) or not node.text or node.value is None:
        step.found.error(
            "F0103",
            f"`fail` takes a message, not {shape(node)}",
            excerpt(node) if node.span.end > node.span.start else step.main.key.span,
            help=step.found.source.either(
                "write `fail: what went wrong, with ${{ name }} in it`",
                'write `fail "what went wrong"`, or `fail f"… {name}"`',
            ),
        )
        return _unknown_end(step)
    expr = Const(node.text, at(node.span)) if not isinstance(node.value, str) else read_data(step.found, node)
    if not isinstance(expr, Const | FString):
        expr = FString((Field(expr, "s", None, expr.at),), expr.at)
    message = lift(expr, step.where("fail"))
    return Fail(step.meta(), message)
