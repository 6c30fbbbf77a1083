"""A `wait` for a listener comes in as text; the steps that make it durable go out.

A listener is a class that waits for events of its own kind (`flowrt.EventListener`). Its event is recorded
before the listener is told that it is, so there are two steps, and the value is that of the first:

    d = wait feeds.Price(symbol)          d.poll            the event
                                          d.checkpointed    the listener may acknowledge it

With a `timeout` the first step stands in a block that is bounded (`d.heard.poll`). With an `else` too it is
a race against a timer, whose values are told apart by a list around the event:

    d.heard                  a race
    d.heard.listener.poll    … of the listener
    d.heard.timeout.sleep    … and the timer
    d.outcome                what won: `else`, or the event and `checkpointed`
"""

from flowc.ir import (
    Block,
    Call,
    Do,
    FlowCallee,
    Ident,
    If,
    Meta,
    Modifiers,
    Race,
    RaceBranch,
    Sleep,
    Step,
    Steps,
    TaskCallee,
    Value,
)
from flowc.resolve.callees import Lost, Pure, meaning_of, report_undefined
from flowc.resolve.lift import lift_arguments
from flowc.resolve.places import read_callee
from flowc.resolve.step_text import StepText
from flowc.span import Span
from flowc.tree import Scalar
from flowrt.expr.tree import Call as CallExpr
from flowrt.expr.tree import Compare, Const, Expr, Index, ListOf, Name
from flowrt.noun import noun

POLL, CHECKPOINTED = "poll_for_event", "event_checkpointed"


@noun
class _Listener:
    """A listener: its class, and the call that waits."""

    path: str
    poll: Call
    heard: str
    span: Span


def resolve_listen(step: StepText, timeout: Expr | None, orelse: Block | None) -> Step | None:
    """`wait` for a listener; None when it is none, which has been reported."""
    listener = _listener(step)
    for key in ("key", "match"):
        if key in step.fields:
            step.found.error(
                "F0114",
                f"`{key}` chooses among the events of a name, and a listener gives one of its own",
                step.fields[key].key.span,
                help="give it to the listener as an argument",
            )
            return None
    if listener is None:
        return None
    if timeout is None:
        body = _plain(step, listener)
    elif orelse is None:
        body = _within(step, listener, timeout)
    else:
        body = _raced(step, listener, timeout, orelse)
    return Do(step.meta(), Steps(body, step.span))


def _listener(step: StepText) -> _Listener | None:
    node = step.main.value
    assert isinstance(node, Scalar), "it was told by its text"
    before = len(step.found.diagnostics)
    expr = read_callee(step.found, node)
    if len(step.found.diagnostics) > before:
        return None
    call = expr if isinstance(expr, CallExpr) else CallExpr(expr, (), (), expr.at)
    callee = meaning_of(step.setting.names, call.func)
    match callee:
        case Lost():
            return None
        case Pure():
            report_undefined(step.found, step.setting.names, call.func)
            return None
        case FlowCallee(name, span):
            step.found.error(
                "F0116",
                f"`wait` waits for an event or a listener, and `{name}` is a flow",
                span,
                help=f"call it: `call: {name}(…)`",
            )
            return None
        case TaskCallee(method=method, span=span) if method:
            step.found.error(
                "F0116",
                "`wait` waits for an event or a listener, and this is a method of an actor",
                span,
                help=f"call it: `call: {node.text}`",
            )
            return None
        case TaskCallee(path, span):
            arguments = lift_arguments(call, step.where("args"), step.path, callee)
            heard = step.setting.next_name()
            poll = Call(
                Meta(node.span, "poll", Ident(heard, node.span)),
                TaskCallee(f"{path}.{POLL}", span, listener=True),
                arguments.args,
                arguments.kwargs,
                Modifiers(),
            )
            return _Listener(path, poll, heard, node.span)


def _plain(step: StepText, listener: _Listener) -> tuple[Step, ...]:
    event = Name(listener.heard, (listener.span.start, listener.span.end))
    return (listener.poll, *_recorded(step, listener, event))


def _recorded(step: StepText, listener: _Listener, event: Expr) -> tuple[Step, ...]:
    """What comes when the event is recorded; the value of the last step is the event."""
    told = Call(
        Meta(listener.span, "checkpointed"),
        TaskCallee(f"{listener.path}.{CHECKPOINTED}", listener.poll.callee.span, listener=True),
        (event,),
        (),
        step.setting.defaults,
    )
    return (told, Value(Meta(listener.span, "event"), event))


def _within(step: StepText, listener: _Listener, timeout: Expr) -> tuple[Step, ...]:
    """With a bound and without `else`: a block that is bounded, which may be resumed like any other."""
    span, at = listener.span, (listener.span.start, listener.span.end)
    heard = Ident(step.setting.next_name(), span)
    bounded = Do(Meta(span, "heard", heard), Steps((listener.poll,), span), timeout)
    return (bounded, *_recorded(step, listener, Name(heard.text, at)))


def _raced(step: StepText, listener: _Listener, timeout: Expr, orelse: Block) -> tuple[Step, ...]:
    span, at = listener.span, (listener.span.start, listener.span.end)
    heard = Ident(step.setting.next_name(), span)
    one = Value(Meta(span, "event"), ListOf((Name(listener.heard, at),), at))
    branches = (
        RaceBranch(Ident("listener", span), Steps((listener.poll, one), span)),
        RaceBranch(Ident("timeout", span), Steps((Sleep(Meta(span, "sleep"), timeout),), span)),
    )
    race = Race(Meta(span, "heard", heard), branches, None, "fail")
    event = Index(Name(heard.text, at), Const(0, at), at)
    came = Steps(_recorded(step, listener, event), span)
    late = Compare(Name(heard.text, at), (("is", Const(None, at)),), at)
    ways = ("when no event comes in time", "when the event arrives in time")
    return (race, If(Meta(span, "outcome"), late, orelse, came, ways))
