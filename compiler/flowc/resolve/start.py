"""A `start` step comes in as text; `Start`, the call of a flow as a run of its own, goes out."""

from flowc.ir import FlowCallee, Start, Step
from flowc.resolve.callees import Lost, Pure, meaning_of, report_undefined, root_of
from flowc.resolve.calls import make_call
from flowc.resolve.found import excerpt, shape
from flowc.resolve.places import read_callee
from flowc.resolve.step_text import StepText
from flowc.span import Span
from flowc.tree import Scalar
from flowrt.expr.tree import Attribute, Expr, Name
from flowrt.expr.tree import Call as CallExpr
from flowrt.noun import replace


def resolve_start(step: StepText) -> Step | None:
    """`start` of a flow; None when there is nothing usable, which has been reported."""
    node = step.main.value
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        step.found.error(
            "F0116",
            f"`start` takes a call of a flow, not {shape(node)}",
            excerpt(node) if node.span.end > node.span.start else step.main.key.span,
            help="write `start: flow_name(…)`, or `start: flow_name` with the arguments under `with:`",
        )
        return None
    before = len(step.found.diagnostics)
    expr = read_callee(step.found, node)
    if len(step.found.diagnostics) > before:
        return None
    call = expr if isinstance(expr, CallExpr) else CallExpr(expr, (), (), expr.at)
    callee = meaning_of(step.setting.names, call.func)
    if isinstance(callee, FlowCallee):
        made = make_call(step, call, callee)
        inner = replace(made, meta=replace(made.meta, id=None, prelude=(), after=()))
        return Start(made.meta, inner)
    if not isinstance(callee, Lost):
        _report(step, expr, call.func, is_task=not isinstance(callee, Pure))
    return None


def _report(step: StepText, expr: Expr, func: Expr, *, is_task: bool) -> None:
    computed = not isinstance(expr, CallExpr | Name | Attribute) or root_of(func) is None
    if not is_task and not computed:
        report_undefined(step.found, step.setting.names, func)
        return
    what = f"`{step.found.text(Span(*func.at))}` is a task" if is_task else "this is an expression"
    step.found.error(
        "F0116",
        f"`start` makes a run of a flow, and {what}",
        Span(*expr.at),
        help="write a flow of this file that calls it, and start that: "
        + step.found.source.either("`start: flow_name(…)`", "`start flow_name(…)`"),
    )
