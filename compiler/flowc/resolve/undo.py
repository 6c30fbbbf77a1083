"""The `undo` of a call comes in as text; the call with what takes it back goes out.

It is a call of a task, written as at `call`: a text, or a map with the call and its modifiers.
"""

from flowc.diagnostic import Label
from flowc.ir import Call, FlowCallee, TaskCallee
from flowc.resolve.callees import Lost, Pure, meaning_of, report_misspelt_actor, report_undefined, root_of
from flowc.resolve.calls import make_call
from flowc.resolve.fields import read_fields
from flowc.resolve.found import excerpt, shape
from flowc.resolve.keys import UNDO
from flowc.resolve.lift import Barrier
from flowc.resolve.places import read_callee
from flowc.resolve.pure import is_builtin
from flowc.resolve.step_text import StepText
from flowc.span import Span
from flowc.tree import Entry, Mapping, Scalar
from flowrt.expr.tree import Attribute, Expr, Name
from flowrt.expr.tree import Call as CallExpr
from flowrt.noun import replace

_BARRIER = Barrier(
    "an undo reads what is there when its step is completed",
    "give it a step of its own before this one, with an `id`, and read that name here",
    "give it a step of its own before this one, `x = …`, and read `x` here",
)


def with_undo(step: StepText, call: Call) -> Call:
    """The call, and what takes it back if that is said and can be understood."""
    entry = step.fields.get("undo")
    if entry is None:
        return call
    if not step.setting.saga_depth:
        step.found.error(
            "F0128",
            "`undo` stands outside of a saga",
            entry.key.span,
            hint="nothing would ever run it",
            help="put the steps that belong together under "
            + step.found.source.either("`- saga:`", "`saga:`")
            + "; when one of them fails, the others are undone",
        )
        return call
    if isinstance(call.callee, FlowCallee) or call.callee.path.startswith("flowc:"):
        what = "a flow" if isinstance(call.callee, FlowCallee) else "none"
        name = step.found.text(call.callee.span)
        step.found.error(
            "F0128",
            f"`undo` takes back the call of a task, and `{name}` is {what}",
            entry.key.span,
            help="write `saga:` and `undo` inside that flow; what it has done when it ends well is undone "
            "by a task that is called in this one"
            if isinstance(call.callee, FlowCallee)
            else "leave it out",
        )
        return call
    if call.modifiers.cache is not None:
        step.found.error(
            "F0128",
            "`undo` takes back what a call has done, and a value out of the cache was not done by this run",
            entry.key.span,
            labels=(Label(call.modifiers.cache.span, "it is cached here"),),
            help="leave out `cache`, or `undo`",
        )
        return call
    return replace(call, undo=_undo(step, entry))


def _undo(step: StepText, entry: Entry) -> Call | None:
    node = entry.value
    if isinstance(node, Mapping):
        fields = read_fields(step.found, node, UNDO)
    else:
        fields = {"call": Entry(replace(entry.key, text="call", value="call"), node)}
    if "call" not in fields:
        return None
    text = StepText(
        step.setting, "call", fields, node.span, "undo", None, (), step.read_block, barrier=_BARRIER
    )
    callee = text.main.value
    if not isinstance(callee, Scalar) or not isinstance(callee.value, str):
        step.found.error(
            "F0116",
            f"`undo` takes a call of a task, not {shape(callee)}",
            excerpt(callee) if callee.span.end > callee.span.start else entry.key.span,
            help=step.found.source.either(
                "write `undo: alias.name(…)`, or `undo: {call: alias.name(…), retry: 3}`",
                "write `undo alias.name(…)`, or `undo (alias.name(…) retry 3)`",
            ),
        )
        return None
    before = len(step.found.diagnostics)
    expr = read_callee(step.found, callee)
    return None if len(step.found.diagnostics) > before else _call(text, expr)


def _call(text: StepText, expr: Expr) -> Call | None:
    call = expr if isinstance(expr, CallExpr) else CallExpr(expr, (), (), expr.at)
    meaning = meaning_of(text.setting.names, call.func)
    span = Span(*call.func.at)
    match meaning:
        case Lost():
            return None
        case FlowCallee(name):
            text.found.error(
                "F0128",
                f"`undo` calls a task, and `{name}` is a flow",
                span,
                help="call a task that does the whole of it",
            )
            return None
        case Pure():
            _report_pure(text, expr, call)
            return None
        case TaskCallee() if meaning.path.startswith("flowc:"):
            text.found.error("F0128", "this undoes nothing", span, help="call a task that does")
            return None
        case TaskCallee():
            return make_call(text, call, meaning)


def _report_pure(text: StepText, expr: Expr, call: CallExpr) -> None:
    func = call.func
    computed = not isinstance(expr, CallExpr | Name | Attribute)
    method = isinstance(func, Attribute) and root_of(func) is None
    if report_misspelt_actor(text.found, text.setting.names, func):
        return
    if computed or method or (isinstance(func, Name) and is_builtin(func.id)):
        text.found.error(
            "F0116",
            "`undo` takes one call of a task, and this is an expression",
            Span(*expr.at),
            help="write `undo: alias.name(…)`; the expression may be an argument",
        )
    else:
        report_undefined(text.found, text.setting.names, func)
